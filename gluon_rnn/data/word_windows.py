"""A stream of words as batches for word vectors: frequent words thinned out, windows, words of noise.

A batch has blocks of `BLOCK` words side by side, the centres, and the words around them that their windows reach; see
`gluon_rnn.models.window_gradients` for what becomes of it.
"""
import numpy as np

__all__ = ["BLOCK", "Noise", "WordWindows", "keep_chances", "sentences_of"]

#: centres of a block: large enough for products of matrices, small enough to stay in the cache
BLOCK = 32


def sentences_of(ids, end, left_out=()):
    """Return the words of a stream without the ends of lines, and the line that each is from.

    Parameters
    ----------
    ids : (n,) array of int
    end : int or None
        Id of the end of a line; None where the stream is one line.
    left_out : sequence of int
        Ids that are taken out, so that windows reach over them, as over rare words in word2vec.

    Returns
    -------
    words, lines : (m,) int32 arrays
    """
    ids = np.asarray(ids)
    ends = np.zeros(len(ids), dtype=bool) if end is None else ids == end
    kept = ~ends & ~np.isin(ids, list(left_out))
    return ids[kept].astype(np.int32), np.cumsum(ends, dtype=np.int32)[kept]


def keep_chances(counts, subsample):
    """Return the chance of each word to be kept at each of its places, (V,): min(1, sqrt(t / f)).

    Parameters
    ----------
    counts : (V,) array
        How often each word is in the training text; f is its share of them.
    subsample : float or None
        t; None keeps all.

    References
    ----------
    Mikolov et al. (2013b), equation 5. word2vec's C code keeps a little more: sqrt(t / f) + t / f.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if subsample is None:
        return np.ones(len(counts))
    return np.minimum(1, np.sqrt(subsample * counts.sum() / np.maximum(counts, 1)))


class Noise:
    """Draws words with chances proportional to ``counts ** power``; a word that is never counted is never drawn.

    Mikolov et al. (2013b), section 2.2, found a power of 3/4 best.

    >>> Noise([0, 3, 0], 0.75).draw(np.random.default_rng(0), (1, 4)).tolist()
    [[1, 1, 1, 1]]
    """

    def __init__(self, counts, power):
        chances = np.where(np.asarray(counts) > 0, np.asarray(counts, dtype=np.float64) ** power, 0.0)
        self._words = np.flatnonzero(chances).astype(np.int32)
        self._sums = np.cumsum(chances[self._words])
        self._sums /= self._sums[-1]

    def draw(self, random, shape):
        """Return words of an array shape, int32, by a `numpy.random.Generator`."""
        return self._words[np.searchsorted(self._sums, random.random(shape, dtype=np.float64), side="right")]


class WordWindows:
    """The batches of one epoch: places that are kept are drawn at once, windows and noise batch by batch.

    Parameters
    ----------
    words, lines : (n,) arrays of int
        As `sentences_of` gives them; a window does not reach into another line.
    window : int, >= 1
        How many words a window reaches to each side at most.
    dynamic : bool
        Whether the reach of each centre is drawn from 1 to `window` with equal chances, so that near words count for
        more (Mikolov et al. 2013a, section 3.2); else all reach as far.
    noise : Noise
    noise_words : int
        Words of noise for each block.
    blocks : int
        Blocks of a batch.
    seed : int or sequence of int
    chances : (V,) array, optional
        See `keep_chances`; windows reach over what is not kept.

    Notes
    -----
    Iterating yields ``(centres, contexts, pairs, noise)``: (B, L) and (B, S) int32, (B, L, S) float32 of 0 and 1,
    (B, M) int32, with L = `BLOCK` and S = L + 2 window. The last batch has fewer blocks; what is no word there is in no
    pair.
    """

    def __init__(self, words, lines, *, window, dynamic, noise, noise_words, blocks, seed, chances=None):
        self.window, self.dynamic, self.blocks = window, dynamic, blocks
        self._noise, self._noise_words, self._seed = noise, noise_words, list(np.atleast_1d(seed))
        if chances is not None:
            kept = np.random.default_rng([*self._seed, 0]).random(len(words)) < chances[words]
            words, lines = words[kept], lines[kept]
        #: words of the epoch
        self.size = len(words)
        padding = (window, window + -len(words) % BLOCK)
        self._words = np.pad(words, padding)
        self._lines = np.pad(lines, padding, constant_values=-1)
        distances = np.abs(np.arange(BLOCK)[:, None] + window - np.arange(BLOCK + 2 * window))
        self._distances = np.where(distances == 0, window + 1, distances).astype(np.int32)   # no word predicts itself

    def __len__(self):
        return -(-self.size // (BLOCK * self.blocks))

    def __iter__(self):
        random = np.random.default_rng([*self._seed, 1])
        last = -(-self.size // BLOCK)
        for begin in range(0, last, self.blocks):
            yield self._batch(begin, min(last, begin + self.blocks), random)

    def _batch(self, begin, end, random):
        places = np.arange(begin, end)[:, None] * BLOCK + np.arange(BLOCK + 2 * self.window)     # (B, S)
        contexts, lines = self._words[places], self._lines[places]
        inner = slice(self.window, -self.window)
        reach = self.window
        if self.dynamic:
            reach = random.integers(1, self.window + 1, (end - begin, BLOCK, 1), dtype=np.int32)
        pairs = self._distances <= reach
        pairs = pairs & (lines[:, inner, None] == lines[:, None, :]) & (lines[:, inner, None] >= 0)
        noise = self._noise.draw(random, (end - begin, self._noise_words))
        return contexts[:, inner], contexts, pairs.astype(np.float32), noise
