"""Parity and XOR: every tag and every third bit against a count by hand; tests `ranges.py` and `tagged_strings.py`."""
import doctest
import math
from collections import Counter

import numpy as np
import pytest

from gluon_rnn.data import Parity, XorStream, bit_strings
from gluon_rnn.data.ranges import check_range
from gluon_rnn.registry import datasets


def test_examples_and_names():
    assert doctest.testmod(bit_strings).failed == 0
    assert datasets.get("parity") is Parity and datasets.get("xor_stream") is XorStream


def test_every_tag_is_the_parity_counted_by_hand():
    data = Parity(lengths=[2, 9], train=300, valid=20, test=30)
    lengths = set()
    for split, size in (("train", 300), ("valid", 20), ("test", 30)):
        strings = data.sequences(split)
        assert len(strings) == size
        for words, tags in strings:
            lengths.add(len(words))
            assert tags == tuple("odd" if "".join(words[:place]).count("1") % 2 else "even"
                                 for place in range(1, len(words) + 1))
    assert lengths == set(range(2, 10))


def test_the_encoder_numbers_symbols_and_tags():
    data = Parity(train=50, valid=5, test=5)
    assert data.encoder.words.idx_to_token == ["<unk>", "0", "1"] and data.encoder.tags == ["even", "odd"]
    known = {string.words for string in data.sequences("train")}
    assert data.duplicates == {split: sum(string.words in known for string in data.sequences(split))
                               for split in ("valid", "test")}
    with pytest.raises(ValueError, match="no split 'dev'"):
        data.sequences("dev")


def test_every_third_bit_is_the_xor_of_the_two_before():
    data = XorStream(train=500, valid=7, test=9)
    for split, size in (("train", 500), ("valid", 7), ("test", 9)):
        threes = np.array([int(data.vocab.idx_to_token[index]) for index in data.ids(split)]).reshape(size, 3)
        assert (threes.sum(axis=1) % 2 == 0).all()                        # a + b + (a xor b) is even
    first = Counter(map(tuple, XorStream(train=4000).ids("train").reshape(-1, 3)[:, :2].tolist()))
    # 4,000 draws of four equal chances: a deviation of sqrt(4000 * 3/16) = 27
    assert all(abs(count - 1000) < 5 * 27 for count in first.values()) and len(first) == 4


def test_the_entropy_rate_is_that_of_two_free_bits_of_three():
    data = XorStream()
    assert data.entropy_rate == pytest.approx(math.log(4) / 3) and data.tokenize("01") == ["0", "1"]


def test_seeds():
    first, again, other = (XorStream(train=20, valid=20, test=20, seed=seed) for seed in (3, 3, 4))
    for split in first.splits:
        np.testing.assert_array_equal(first.ids(split), again.ids(split))
    assert (first.ids("train") != other.ids("train")).any() and (first.ids("train") != first.ids("test")).any()


@pytest.mark.parametrize("value", [[3, 2], [0, 4], [1], 5, [1.0, 2], [True, 2], None])
def test_wrong_ranges(value):
    with pytest.raises(ValueError, match=r"lengths must be two whole numbers \[first, last\] from 1 on"):
        check_range("lengths", value)
    assert check_range("lengths", [2, 2]) == (2, 2)
