"""Pairs of sentences as batches for `gluon_rnn.tasks.translation.loss.TranslationLoss`."""
import mxnet as mx
import numpy as np

from gluon_rnn.data.batching import Batch
from gluon_rnn.data.buckets import pad

__all__ = ["collate", "valid_places"]


def valid_places(lengths):
    """Return t and n of each valid step of rows of `lengths` (N,), time first, (2, M).

    >>> valid_places(np.array([2, 1])).tolist()
    [[0, 0, 1], [0, 1, 0]]
    """
    return np.stack(np.nonzero(np.arange(int(max(lengths)))[:, None] < lengths))


def collate(sources, targets, begin, rate=None, random=None, with_places=False):
    """Return a `Batch` of sources and their lengths, targets as they are read and as they are wanted, and lengths.

    Parameters
    ----------
    sources, targets : list of (T,) arrays
        Token ids, each sequence ended by its end token.
    begin : int
        Id of the token that stands before a target.
    rate : float, optional
        Adds coins (T, N) that are 1 with this probability, drawn by `random`.
    with_places : bool, default False
        Adds the places of valid target steps, `valid_places`, where there are no coins.
    """
    source, source_length = pad(sources)
    wanted, target_length = pad(targets)
    target = np.concatenate([np.full((1, len(targets)), begin), wanted[:-1]])            # what is read: one step late
    arrays = [mx.nd.array(array, dtype=array_type) for array, array_type in (
        (source, "int32"), (source_length, "float32"), (target, "int32"), (wanted, "int32"),
        (target_length, "float32"))]
    if rate is not None:
        arrays.append(mx.nd.array(random.random(wanted.shape) < rate))
    elif with_places:
        arrays.append(mx.nd.array(valid_places(target_length), dtype="int32"))
    return Batch(tuple(arrays), (1, 0, 1, 1, 0, 1)[:len(arrays)], int(target_length.sum()))
