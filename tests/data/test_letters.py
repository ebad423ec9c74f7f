"""Elman's letters: syllables read back by a regular expression, vectors by their features; tests `symbol_frames.py`."""
import doctest
import re

import numpy as np
import pytest

from gluon_rnn.data import Letters, letters
from gluon_rnn.registry import datasets


def test_example_and_name():
    assert doctest.testmod(letters).failed == 0 and datasets.get("elman_letters") is Letters


def test_every_consonant_has_its_vowels():
    data = Letters(syllables=30, train=40, valid=2, test=3)
    found = "".join(data.strings("train"))
    assert re.fullmatch("(ba|dii|guuu)*", found)
    assert [len(data.strings(split)) for split in data.splits] == [40, 2, 3]
    assert all(len(re.findall("[bdg]", string)) == 30 for string in data.strings("train"))
    # 1,200 draws of three equal chances: a deviation of sqrt(1200 * 2/9) = 16
    assert all(abs(found.count(letter) - 400) < 5 * 16.4 for letter in "bdg")


def test_vectors_are_those_of_the_features():
    data = Letters(syllables=5, train=2, valid=1, test=1)
    for string, roll in zip(data.strings("train"), data.rolls("train")):
        assert roll.shape == (len(string), 6) and roll.dtype == np.float32
        table = dict(zip(letters.FEATURES, roll.T))
        is_vowel = np.array([letter in "aiu" for letter in string])
        assert (table["vowel"] == is_vowel).all() and (table["consonant"] == ~is_vowel).all()
        assert (table["interrupted"] == ~is_vowel).all() and (table["voiced"] == 1).all()
        assert (table["high"] == [letter in "diu" for letter in string]).all()
        assert (table["back"] == [letter in "gau" for letter in string]).all()
    assert len(set(letters.CODES.values())) == 6


def test_seeds_and_splits():
    first, again, other = (Letters(train=3, valid=3, test=3, seed=seed) for seed in (1, 1, 2))
    assert first.strings("train") == again.strings("train") != other.strings("train")
    assert first.strings("train") != first.strings("test")
    with pytest.raises(ValueError, match="no split 'dev'"):
        first.rolls("dev")
    with pytest.raises(ValueError, match="syllables must be a whole number"):
        Letters(syllables=0)
