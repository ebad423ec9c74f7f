"""Counting: strings and sets of symbols against a brute-force search for all ways in which a beginning may go on."""
import doctest

import pytest

from gluon_rnn.data import Counting, counting
from gluon_rnn.registry import datasets


def ways_on(letters, beginning, longest=12):
    """Return the symbols that stand behind `beginning` in any string of the language up to `longest`, sorted."""
    language = ["S" + "".join(letter * n for letter in letters) + "T" for n in range(1, longest)]
    return "".join(sorted({string[len(beginning)] for string in language if string.startswith(beginning)}))


def test_examples_and_name():
    assert doctest.testmod(counting).failed == 0 and datasets.get("counting") is Counting


@pytest.mark.parametrize("letters", ["ab", "abc"])
def test_tags_are_all_symbols_that_may_come(letters):
    data = Counting(letters=letters, n=[1, 6], beyond=2, train=60)
    seen = set()
    for split in data.splits:
        for words, tags in data.sequences(split):
            text = "".join(words)
            n = text.count("a")
            seen.add((split, n))
            assert text == "S" + "".join(letter * n for letter in letters)
            assert list(tags) == [ways_on(letters, text[:place]) for place in range(1, len(text) + 1)]
    assert seen == {(split, n) for split in ("train", "valid") for n in range(1, 7)} | {("test", 7), ("test", 8)}
    assert set(data.encoder.tags) == {tag for split in data.splits for _, tags in data.sequences(split) for tag in tags}


def test_seeds():
    first, again, other = (Counting(train=30, seed=seed).sequences("train") for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("arguments, message", [
    ({"letters": "ba"}, "letters must be one of 'ab', 'abc', got 'ba'"), ({"n": [4, 2]}, "n must be two whole numbers"),
    ({"beyond": 0}, "beyond must be a whole number of at least 1")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Counting(**arguments)
