"""Two poets: the lines that are tagged are those of the words' recipe, split by split and in their order."""
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes
from gluon_rnn.answers.tagging import Tagging
from gluon_rnn.classic.poets import Poets, write_tags
from gluon_rnn.data import LabelledText
from gluon_rnn.parts import build_data


@pytest.fixture
def poems(tmp_path):
    folder = tmp_path / "poems"
    folder.mkdir()
    for poet, extra in (("ann", "I've"), ("bob", "we")):
        (folder / f"{poet}.txt").write_text("".join(f"{extra} saw {number} trees, and more.\n" for number in range(20)))
    return folder


def first_letters(sentences):
    """Stand in for a tagger: the tag of a word is its first letter, or its sign."""
    return [Tagging(sentence.split(), [word[0].upper() for word in sentence.split()]) for sentence in sentences]


def test_tables_of_tags_follow_the_words(tmp_path, poems):
    words = LabelledText(str(poems), [0.5, 0.25, 0.25])
    write_tags(words, first_letters, tmp_path)
    files = {split: str(tmp_path / "tags" / f"{split}.tsv") for split in words.splits}
    tags = LabelledText(**files)
    assert tags.labels == words.labels == ["ann", "bob"]
    for split in words.splits:
        np.testing.assert_array_equal(tags.targets(split), words.targets(split))
        for line, tagged in zip(words.items(split), tags.items(split)):
            number, tokens = line.split()[2], tagged.split()
            # I've is a word and an ending, a sign is a word of its own
            begin = ["I", "'"] if line.startswith("I've") else ["W"]
            assert tokens == [*begin, "S", number[0], "T", ",", "A", "M", "."]


def test_cases_read_what_was_prepared(tmp_path, poems, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path))
    model = type("Model", (), {"predict": staticmethod(first_letters)})
    monkeypatch.setattr("gluon_rnn.classic.poets.load_run", lambda name: model)
    words, tags = Poets().cases()
    Poets().prepare(words, tmp_path)
    assert not (tmp_path / "tags").exists()
    Poets().prepare(tags, tmp_path)
    config = recipes.load(tags.recipe, [*tags.overrides, f"output_dir={tmp_path}"])
    data, plain = build_data(config.data), build_data(recipes.load(words.recipe).data)
    assert [len(data.items(split)) for split in data.splits] == [len(plain.items(split)) for split in plain.splits]
    run = type("Run", (), {"scores": {"accuracy": 0.5, "macro_f1": 0.25}, "config": config})
    assert Poets().measure(run, tags) == {"accuracy": 0.5, "macro_f1": 0.25, "most_frequent": 0.5}


def test_both_cases_have_one_network_and_one_training():
    words, tags = (recipes.load(case.recipe, ["output_dir=x"]) for case in Poets().cases())
    assert words.model == tags.model and words.training == tags.training
    assert words.data.batch_size == tags.data.batch_size
