"""What a tagger has to beat: the most frequent tag of each word."""
import numpy as np

__all__ = ["MostFrequentTag"]


class MostFrequentTag:
    """Each word gets its most frequent tag, an unknown one that of the words which occur once.

    Parameters
    ----------
    sentences : list of (word ids, tag ids, ...)
        The training split, encoded.
    vocab_size : int
    """

    def __init__(self, sentences, vocab_size):
        words, tags = (np.concatenate(column) for column in list(zip(*sentences))[:2])
        counts = np.zeros((vocab_size, tags.max() + 1), np.int64)
        np.add.at(counts, (words, tags), 1)
        rare = counts[counts.sum(axis=1) == 1].sum(axis=0)
        unseen = np.argmax(rare if rare.any() else counts.sum(axis=0))
        self._best = np.where(counts.any(axis=1), counts.argmax(axis=1), unseen)

    def __call__(self, words):
        """Return the tags of a sentence's words, (T,)."""
        return self._best[words]
