"""Batches of sequences of similar length, and padding to one array.

A batch is as long as its longest sequence; the steps past the end of shorter ones are wasted. `SortedBucketSampler` of
gluonnlp draws pools of sequences, sorts each pool by length and cuts it into batches. This removes most of the padding,
all batches but the last are full, and batches still differ from epoch to epoch.
"""
import gluonnlp
import numpy as np

from gluon_rnn.answers.padding import pad
from gluon_rnn.nn.checks import check_sizes

__all__ = ["Buckets", "pad"]


class Buckets:
    """Lists of indices of sequences of similar length, a sized iterable; each iteration gives the same lists.

    Parameters
    ----------
    lengths : sequence of int, or of tuples of int
        Length of each sequence in steps, 0 or more; a tuple, such as (source, target), where an item is several
        sequences that are padded apart. Tuples are sorted by their first number, then by the next.
    batch_size : int, >= 1
        Sequences in a batch; the last one may be smaller.
    num_buckets : int, >= 1, default 10
        Batches that are cut from one sorted pool of ``num_buckets * batch_size`` sequences. 1: no bucketing; a large
        number: hardly any padding, and batches that are nearly the same in every epoch.
    seed : int or sequence of int, optional
        Draws pools and order, such as ``[config.seed, epoch]``; no other random number is used or changed. None (the
        default) leaves the sequences in their order.

    Attributes
    ----------
    waste : float in [0, 1)
        Share of padding in the arrays of these batches.
    unbucketed_waste : float in [0, 1)
        The same where batches are cut from the sequences in the drawn order.

    Raises
    ------
    ValueError
        If there are no sequences or a number is out of range.

    Examples
    --------
    >>> lengths = [3, 9, 2, 8, 4, 10, 3, 9]
    >>> batches = Buckets(lengths, 4, num_buckets=2)
    >>> list(batches), len(batches)
    ([[5, 1, 7, 3], [4, 0, 6, 2]], 2)
    >>> round(batches.waste, 3), round(batches.unbucketed_waste, 3)
    (0.143, 0.368)
    """

    def __init__(self, lengths, batch_size, num_buckets=10, *, seed=None):
        check_sizes(batch_size=batch_size, num_buckets=num_buckets)
        self._lengths = _as_columns(lengths)
        count = len(self._lengths)
        keys = list(map(tuple, self._lengths.tolist()))
        sampler = gluonnlp.data.SortedBucketSampler(keys, batch_size, mult=num_buckets, shuffle=seed is not None)
        self._batches = [[int(index) for index in batch] for batch in _drawn(sampler, seed)]
        order = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
        self._unbucketed = [order[start:start + batch_size] for start in range(0, count, batch_size)]

    @property
    def waste(self):
        """Share of padding in the arrays of these batches."""
        return _waste(self._lengths, self._batches)

    @property
    def unbucketed_waste(self):
        """Share of padding in batches of as many sequences that are not sorted by length."""
        return _waste(self._lengths, self._unbucketed)

    def __iter__(self):
        return iter(self._batches)

    def __len__(self):
        return len(self._batches)


def _as_columns(lengths):
    """Return lengths as (number of sequences, parts) int64."""
    if len(lengths) == 0:
        raise ValueError("there are no sequences to make batches of; check the data and the lengths they may have")
    columns = np.asarray(lengths)
    columns = columns.reshape(len(columns), -1)
    if columns.dtype.kind not in "iu" or columns.min() < 0:
        raise ValueError(f"lengths must be whole numbers of at least 0, got {lengths[:3]!r} and so on")
    return columns


def _drawn(sampler, seed):
    """Return the sampler's batches; it draws from NumPy's global generator, whose state is put back afterwards."""
    state = np.random.get_state()
    if seed is not None:
        np.random.seed(np.random.SeedSequence(seed).generate_state(4))
    try:
        return list(sampler)
    finally:
        np.random.set_state(state)


def _waste(lengths, batches):
    padded = sum(int(lengths[batch].max(axis=0).sum()) * len(batch) for batch in batches)
    return 1 - lengths.sum() / padded if padded else 0.0
