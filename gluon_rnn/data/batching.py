"""Batches of sequences of similar length, made by a collate function of the task.

``collate(group, number, random)`` returns a `Batch`. `group` holds the indices of the sequences of the batch, or is a
chunk of a stream. `number` is the index of the batch in the epoch. `random` is a `numpy.random.Generator` for what is
drawn in each epoch, or None.
"""
from dataclasses import dataclass
from typing import Optional

import numpy as np

from gluon_rnn.data.buckets import Buckets

__all__ = ["Batch", "Batches", "BucketedBatches"]


@dataclass
class Batch:
    """The arrays of one update or of one step of an evaluation.

    Attributes
    ----------
    arrays : tuple of NDArray
        On the CPU; the arguments of the task's loss graph.
    axes : tuple of int
        The batch axis of each array, 1 for (T, N, C), 0 for (N,).
    size : int
        Units (tokens, sequences, steps) that the summed loss covers.
    advance : int, optional
        Where states are carried: the step of this batch that the next one begins with; None where it begins behind it.
    is_share : bool
        Whether the arrays are those of one worker's rows already; `size` is that of the whole batch even so.
    """

    arrays: tuple
    axes: tuple
    size: int
    advance: Optional[int] = None
    is_share: bool = False

    @property
    def rows(self):
        """N, the length of the batch axis."""
        return self.arrays[0].shape[self.axes[0]]


class Batches:
    """A sized iterable of `Batch`; each iteration gives the same batches.

    Parameters
    ----------
    groups : sized iterable
        The group of each batch, the first argument of `collate`.
    collate : callable
        See above.
    seed : int or sequence of int, optional
        Seed of the generator for `collate`, a new one for each iteration; without it `collate` gets None.
    """

    def __init__(self, groups, collate, seed=None):
        self.groups = groups
        self._collate, self._seed = collate, seed

    def __len__(self):
        return len(self.groups)

    def __iter__(self):
        random = None if self._seed is None else np.random.default_rng(self._seed)
        for number, group in enumerate(self.groups):
            yield self._collate(group, number, random)


class BucketedBatches(Batches):
    """Batches of sequences of similar length; a group is a list of indices.

    Parameters
    ----------
    lengths : sequence of int, or of tuples of int
        Of the sequences, in steps.
    collate : callable
        See above.
    batch_size, num_buckets, order_seed
        As in `Buckets`, where the last is called `seed`.
    seed
        As in `Batches`.
    """

    def __init__(self, lengths, collate, batch_size, num_buckets, *, order_seed=None, seed=None):
        super().__init__(Buckets(lengths, batch_size, num_buckets, seed=order_seed), collate, seed)

    @property
    def waste(self):
        """Share of padding in the arrays."""
        return self.groups.waste

    @property
    def unbucketed_waste(self):
        """Share of padding in batches of as many sequences that are not sorted by length."""
        return self.groups.unbucketed_waste
