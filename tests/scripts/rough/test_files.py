"""The part of "make rough" that writes odd files: the same ones by the same seed, and it notices a wrong answer.

Tests `cases.py`, `odd_tables.py`, `odd_audio.py`, `odd_texts.py` and `odd_sequences.py` too.
"""
import dataclasses

import numpy as np
import pytest

from scripts.rough import files
from scripts.rough.cases import REFUSED, Case, Either, same


@pytest.mark.parametrize("kind", [kind for kind in dict.fromkeys(files._KINDS) if kind.__name__ not in (
    "archive", "packed_table", "broken_text")], ids=lambda kind: kind.__name__)
def test_a_kind_writes_the_same_file_by_the_same_seed_and_is_read(kind, tmp_path):
    cases = []
    for name in "ab":
        (tmp_path / name).mkdir()
        cases.append(kind(tmp_path / name, np.random.default_rng(3)))
    contents = [[path.read_bytes() for path in sorted((tmp_path / name).rglob("*")) if path.is_file()] for name in "ab"]
    assert contents[0] == contents[1] and contents[0]
    verdict, note = files._judged(cases[0])
    assert verdict == "passed", note
    other = "nothing" if cases[0].expected is REFUSED else REFUSED
    if not isinstance(cases[0].expected, Either):
        # a refusal where values are expected, and values where a refusal is, are wrong
        assert files._judged(dataclasses.replace(cases[0], expected=other))[0] == "wrong"


def raises(error):
    def read():
        raise error
    return read


@pytest.mark.parametrize("read, expected, verdict", [
    (lambda: [1.0, "a"], [1.0, "a"], "passed"), (lambda: [1.0], [1.001], "wrong"), (lambda: 3, REFUSED, "wrong"),
    (raises(ValueError("odd.csv: none")), REFUSED, "passed"), (raises(ValueError("odd.csv: none")), 1, "wrong"),
    (raises(ValueError("odd.csv: none")), Either(1), "passed"), (raises(ValueError("none")), REFUSED, "traceback"),
    (raises(ValueError("odd.csv: no\nrows")), REFUSED, "traceback"),
    (raises(KeyError("odd.csv")), REFUSED, "traceback")])
def test_what_reading_gives_is_judged(tmp_path, read, expected, verdict):
    assert files._judged(Case("a case", tmp_path / "odd.csv", read, expected))[0] == verdict


def test_a_child_that_dies_or_takes_too_much_is_a_crash(tmp_path, monkeypatch):
    import os
    assert files._in_a_child(Case("a case", tmp_path, lambda: os._exit(1), 1))[0] == "crash"
    monkeypatch.setattr(files, "_MOST", 10**7)
    assert files._in_a_child(Case("a case", tmp_path, lambda: int(np.ones(4 * 10**6)[0]), 1))[0] == "crash"


def test_numbers_are_equal_to_six_places():
    assert same([np.array([1.0, np.pi]), ("a",)], [np.array([1.0, 3.14159265]), ["a"]])
    assert not same([np.array([1.0])], [np.array([1.00001])]) and not same([1, 2], [1]) and not same("a", ["a"])
