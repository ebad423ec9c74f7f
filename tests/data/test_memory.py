"""Content in memory in the place of a path: its hash, its label, its place in a recipe.

Tests `memory.py` and `placement.py`; that training on it equals training on files is in tests/test_python_api.py.
"""
import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data.memory import InMemory, content_of, hash_of, label_of
from gluon_rnn.data.placement import addresses, check_readable, place


def test_a_hash_changes_with_everything_that_content_is():
    a = np.arange(6.0)
    different = [a, a.reshape(2, 3), a.astype(np.float32), a + 1e-15, [a], (a, a), "0", ["0"], ["0", ""], "", [], [[]],
                 ["ab"], ["a", "b"], pd.DataFrame({"a": a}), pd.DataFrame({"b": a}), [["a", "b"]], [["a"], ["b"]], 1]
    assert len({hash_of(content) for content in different}) == len(different)
    assert hash_of(a[::2]) == hash_of(a[::2].copy())
    assert hash_of(np.array(["a", "b"], dtype=object)) == hash_of(["a", "b"])


def test_content_is_found_again_and_survives_copies():
    found = InMemory(["a"], "the data given")
    for each in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert each == "memory:sha256:" + hash_of(["a"]) and content_of(each) == ["a"]
        assert label_of(each) == "the data given"
    assert content_of("a.csv") is None and label_of("a.csv") == "a.csv"


def test_addresses_and_data_that_are_not_there():
    found = InMemory("abc", "the data given")
    section = {"train": [found, found], "valid": 0.5, "test": "test.csv", "path": str(found)}
    assert addresses(section) == {"path": str(found), "train": [str(found)] * 2}
    check_readable({"train": [found], "path": "a.csv"})
    with pytest.raises(ValueError, match=r"^path: the data were in memory \(memory:sha256:\w{12}\.\.\.\)"):
        check_readable(section)


def test_what_a_recipe_keeps_when_data_take_the_place_of_its_files():
    section = {"name": "labelled_text", "path": "a.tsv", "split": [0.5, 0.5], "unit": "character"}
    texts = (["a", "b"], [0, 1])
    placed = place(section, texts)
    assert {**placed, "path": 0} == {**section, "path": 0} and content_of(placed["path"]) == (["a", "b"], ["0", "1"])
    assert set(place(section, {"train": texts, "valid": texts})) == {"name", "unit", "train", "valid"}
    rows = ([[1, 2], [3]], ["x", "y"])
    placed = place({"name": "trajectories", "train": "a", "valid": 0.25, "test": "b"}, rows)
    assert set(placed) == {"name", "train", "valid", "features"} and placed["features"] == 1
    assert "valid" not in place({"name": "trajectories", "train": "a", "valid": "b"}, rows)
    assert section["path"] == "a.tsv"
