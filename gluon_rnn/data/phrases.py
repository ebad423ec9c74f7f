"""Words that stand together far more often than by chance, joined to phrases: ``new york`` becomes ``new_york``."""
import numpy as np

from gluon_rnn.data.text import EOS, UNK, Words
from gluon_rnn.registry import datasets

__all__ = ["Phrases", "join_pairs", "pair_scores"]


def pair_scores(words, discount, size):
    """Return the score of each pair of neighbours in a text.

        score(a, b) = (count(a b) - discount) / (count(a) count(b)) * n                n = len(words)

    Parameters
    ----------
    words : (n,) array of int
        Below `size`; negative ones stand in no pair.
    discount : float
        Keeps rare words from making phrases.
    size : int
        Number of words that there are.

    Returns
    -------
    pairs : (k,) int64 array
        a * size + b, in order; each once.
    scores : (k,) float64 array

    References
    ----------
    Mikolov et al. (2013b), equation 6; the factor n, which makes a threshold hold for texts of any length, is that of
    word2vec's C code.
    """
    words = np.asarray(words, dtype=np.int64)
    counts = np.bincount(words[words >= 0], minlength=size)
    beside = (words[:-1] >= 0) & (words[1:] >= 0)
    pairs, times = np.unique(words[:-1][beside] * size + words[1:][beside], return_counts=True)
    return pairs, (times - discount) / (counts[pairs // size] * counts[pairs % size]) * len(words)


def join_pairs(words, pairs, size):
    """Return for each place of a text whether it begins a phrase, (n,) bool; from the left, no word in two phrases.

    `pairs` are those that are joined, as `pair_scores` numbers them.
    """
    words = np.asarray(words, dtype=np.int64)
    begins = np.zeros(len(words), dtype=bool)
    begins[:-1] = (words[:-1] >= 0) & (words[1:] >= 0) & np.isin(words[:-1] * size + words[1:], pairs)
    for place in np.flatnonzero(begins[1:] & begins[:-1]) + 1:            # few: phrases that overlap
        begins[place] &= not begins[place - 1]
    return begins


@datasets.register("phrases")
class Phrases(Words):
    """Text as `Words`, phrases of two words joined to one; after two passes phrases have up to four words.

    Parameters
    ----------
    path, split, train, valid, test, encoding, min_freq, max_size, unknown_token
        As for `Words`; phrases are counted as words are.
    threshold : float, > 0, default 100
        Pairs with a higher score are joined; see `pair_scores`. A pass after the first halves it.
    discount : float, >= 0, default 5
        Taken off the count of each pair.
    passes : int, >= 1, default 1
        How often pairs are looked for and joined.
    joiner : str, default "_"
        Stands between the words of a phrase.

    Attributes
    ----------
    vocab, splits, unit, separator
        As those of `Words`.
    phrases : list of str
        Those of the training split, the ones with the highest scores first; words of other splits are joined where they
        are the same pairs.

    Notes
    -----
    Ends of lines and the unknown token are in no phrase.
    """

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, encoding="utf-8", min_freq=1,
                 max_size=None, unknown_token=UNK, threshold=100.0, discount=5.0, passes=1, joiner="_"):
        if not threshold > 0 or not discount >= 0:
            raise ValueError(f"threshold must be above 0 and discount at least 0, got {threshold} and {discount}")
        if isinstance(passes, bool) or passes != int(passes) or passes < 1:
            raise ValueError(f"passes must be a whole number of at least 1, got {passes!r}")
        if not joiner or joiner.split() != [joiner]:
            raise ValueError(f"joiner must be a text without white space such as '_', got {joiner!r}")
        self.phrases = []
        self._settings = (threshold, discount, int(passes), joiner, unknown_token)
        super().__init__(path, split, train=train, valid=valid, test=test, encoding=encoding, min_freq=min_freq,
                         max_size=max_size, unknown_token=unknown_token)

    def _prepared(self, parts, reader):
        """Return the ids of all splits with phrases joined, which `reader` knows as words from then on."""
        threshold, discount, passes, joiner, unknown = self._settings
        without = [reader.number(word) for word in (EOS, unknown) if word is not None]
        found = {}
        for number in range(passes):
            size = reader.size
            pairs, scores = pair_scores(_masked(parts["train"], without), discount, size)
            chosen = scores > threshold / 2 ** number
            pairs, scores = pairs[chosen], scores[chosen]
            names = [joiner.join(map(reader.word, divmod(int(pair), size))) for pair in pairs]
            found.update(zip(names, scores))
            phrases = np.array([reader.number(name) for name in names], dtype=np.int32)
            parts = {name: _joined(ids, _masked(ids, without), pairs, phrases, size) for name, ids in parts.items()}
        self.phrases = sorted(found, key=found.get, reverse=True)
        return parts


def _masked(ids, without):
    """Return ids with -1 in the place of those of words that are in no phrase."""
    return np.where(np.isin(ids, without), -1, ids)


def _joined(ids, masked, pairs, phrases, size):
    """Return ids (n,) with `phrases` (k,) in the place of the `pairs` (k,), numbered as by `pair_scores`."""
    begins = np.flatnonzero(join_pairs(masked, pairs, size))
    joined = np.array(ids)
    if len(begins):
        joined[begins] = phrases[np.searchsorted(pairs, masked[begins].astype(np.int64) * size + masked[begins + 1])]
    return np.delete(joined, begins + 1)
