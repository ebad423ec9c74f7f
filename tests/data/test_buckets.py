"""Batches by length: every sequence once, the same for the same seed, little padding; padded arrays.

Tests `gluon_rnn/answers/padding.py` too.
"""
import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon_rnn.data import Buckets, buckets, pad


def test_examples():
    assert doctest.testmod(buckets).failed == 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 4),
       st.one_of(st.none(), st.integers(0, 5)))
def test_every_sequence_once_and_full_batches(lengths, batch_size, num_buckets, seed):
    batches = Buckets(lengths, batch_size, num_buckets, seed=seed)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert sorted(map(len, batches))[1:] == [batch_size] * (len(batches) - 1) and len(batches) == len(list(batches))
    assert list(batches) == list(batches) == list(Buckets(lengths, batch_size, num_buckets, seed=seed))


def test_seed_and_epoch_decide_and_nobody_elses_numbers_change():
    lengths = np.random.randint(1, 50, 200)
    np.random.seed(3)
    expected = np.random.rand(3)
    np.random.seed(3)
    first = list(Buckets(lengths, 8, seed=[0, 0]))
    assert (np.random.rand(3) == expected).all()                           # the global generator is where it was
    np.random.seed(4)
    assert first == list(Buckets(lengths, 8, seed=[0, 0]))
    assert first != list(Buckets(lengths, 8, seed=[0, 1])) != list(Buckets(lengths, 8, seed=[1, 0]))


@pytest.mark.parametrize("pair", [False, True])
def test_waste_is_the_share_of_padding_in_the_arrays(pair):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 60, 300)
    if pair:                                                               # a translation is about as long
        lengths = np.stack([lengths, lengths + rng.integers(0, 9, 300)], axis=1)
    batches = Buckets(lengths, 16, seed=1)
    sequences = [[np.ones(size) for size in np.atleast_1d(row)] for row in lengths]
    arrays = [pad([sequences[index][part] for index in batch])[0] for batch in batches for part in range(1 + pair)]
    share = 1 - sum(array.sum() for array in arrays) / sum(array.size for array in arrays)
    assert batches.waste == pytest.approx(share, abs=1e-12)
    assert batches.waste < (0.15 if pair else 0.1) < 0.35 < batches.unbucketed_waste
    assert Buckets(lengths, 16, 1, seed=1).waste  > 0.35                    # one bucket is no bucketing


def test_pad_keeps_dtype_and_feature_axes():
    sequences = [np.arange(6.0).reshape(3, 2), np.zeros((0, 2)), np.ones((1, 2))]
    sequences = [sequence.astype(np.float32) for sequence in sequences]
    padded, valid_length = pad(sequences, value=-1)
    assert padded.shape == (3, 3, 2) and padded.dtype == np.float32
    assert (padded[:, 0] == sequences[0]).all() and (padded[:, 1] == -1).all() and (padded[1:, 2] == -1).all()
    assert valid_length.tolist() == [3, 0, 1] and valid_length.dtype == np.float32
    assert pad([np.zeros(0, np.int32)])[0].shape == (1, 1)                 # no block takes a sequence of no steps


@pytest.mark.parametrize("arguments, message", [
    (([], 2), "there are no sequences"), (([1, -2], 2), "whole numbers of at least 0"), (([1.5], 2), "whole numbers"),
    (([1], 0), "batch_size must be a whole number"), (([1], 1, 0), "num_buckets must be a whole number")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Buckets(*arguments)
