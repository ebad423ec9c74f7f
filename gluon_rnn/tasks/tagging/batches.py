"""Sentences and the tags of their words as batches."""
import mxnet as mx

from gluon_rnn.data.batching import Batch
from gluon_rnn.data.buckets import pad

__all__ = ["collate"]


def collate(sentences, spell=None):
    """Return a `Batch` of words (T, N), lengths (N,), tags (T, N) and spellings where there is a `spell`.

    Parameters
    ----------
    sentences : list of (word ids (T,), tag ids (T,), list of T arrays of character ids)
    spell : callable, optional
        Gives arrays of characters too: one of `gluon_rnn.data.spellings`, of which only the dense ones can be split
        over several devices.
    """
    words, valid_length = pad([words for words, _, _ in sentences])
    arrays, axes = [words, valid_length, pad([tags for _, tags, _ in sentences])[0]], (1, 0, 1)
    if spell is not None:
        spelled = spell([spelling for _, _, spelling in sentences], len(words))
        arrays += spelled
        axes += tuple(min(1, array.ndim - 1) for array in spelled)
    return Batch(tuple(mx.nd.array(array, dtype=array.dtype) for array in arrays), axes, int(valid_length.sum()))
