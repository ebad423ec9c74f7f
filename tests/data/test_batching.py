"""Batches: every sequence once, generators that begin anew with each pass, padding counted."""
import mxnet as mx
import numpy as np

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.data.batching import Batch, Batches, BucketedBatches


def collate(group, number, random):
    return group, number, None if random is None else random.integers(1000)


def test_groups_are_collated_in_order_and_drawn_numbers_begin_anew_with_each_pass():
    batches = Batches([[3], [1, 2]], collate, seed=[5, 1])
    first, again = list(batches), list(batches)
    assert len(batches) == 2 and [(group, number) for group, number, _ in first] == [([3], 0), ([1, 2], 1)]
    random = np.random.default_rng([5, 1])
    assert [drawn for *_, drawn in first] == [random.integers(1000), random.integers(1000)]
    assert first == again and [drawn for *_, drawn in Batches([[3]], collate)] == [None]


def test_buckets_hold_every_sequence_once_and_know_their_padding():
    lengths = [3, 9, 2, 8, 4, 10, 3, 9]
    batches = BucketedBatches(lengths, collate, 4, 2)
    assert sorted(index for group, _, _ in batches for index in group) == list(range(8))
    assert round(batches.waste, 3) == 0.143 and round(batches.unbucketed_waste, 3) == 0.368     # as `Buckets` has them
    orders = [[group for group, _, _ in BucketedBatches(lengths, collate, 2, 1, order_seed=[0, epoch])]
              for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_rows_of_a_batch():
    assert Batch((mx.nd.zeros((5, 3)), mx.nd.zeros(3)), (1, 0), 15).rows == 3
