"""A table of word vectors: cosines, nearest neighbours, analogies."""
import difflib

import numpy as np

__all__ = ["VectorTable"]


class VectorTable:
    """Words and their vectors.

    Parameters
    ----------
    words : list of str
        Each once.
    vectors : (V, D) array of float

    Attributes
    ----------
    words : list of str
    vectors : (V, D) float32 array
        As they were given.
    index : dict of str to int

    Raises
    ------
    ValueError
        If there are not as many vectors as words, a word is there twice, or a number is not finite.

    Examples
    --------
    >>> table = VectorTable(["a", "b", "c"], [[1, 0], [2, 0.2], [0, 1]])
    >>> [word for word, _ in table.nearest("a", 2)]
    ['b', 'c']
    """

    def __init__(self, words, vectors):
        self.words, self.vectors = list(words), np.asarray(vectors, dtype=np.float32)
        self.index = {word: place for place, word in enumerate(self.words)}
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words) or not self.words:
            raise ValueError(f"expected a vector for each of {len(self.words)} words, got an array of shape "
                             f"{self.vectors.shape}; pass (words, numbers)")
        if len(self.index) < len(self.words):
            twice = next(word for place, word in enumerate(self.words) if self.index[word] != place)
            raise ValueError(f"the word {twice!r} is there twice; each word has one vector, leave one out")
        if not np.isfinite(self.vectors).all():
            place = int(np.argmin(np.isfinite(self.vectors).all(axis=1)))
            raise ValueError(f"the vector of {self.words[place]!r} has a number that is not finite; leave the word out")
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self._units = self.vectors / np.where(norms > 0, norms, 1)         # (V, D); a vector of zeros stays one

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self.index

    @property
    def size(self):
        """D, the numbers of a vector."""
        return self.vectors.shape[1]

    def place(self, word):
        """Return the row of a word; ValueError with the nearest spelling if it has none."""
        if word not in self.index:
            near = difflib.get_close_matches(str(word), self.words, n=1)
            raise ValueError(f"{word!r} is not among the {len(self):,} words that have vectors; "
                             + (f"did you mean {near[0]!r}?" if near else "ask for one of those"))
        return self.index[word]

    def cosine(self, first, second):
        """Return the cosine of the angle between the vectors of two words."""
        return float(self._units[self.place(first)] @ self._units[self.place(second)])

    def nearest(self, word, count=10, among=None):
        """Return the words whose vectors have the largest cosine with that of `word`, itself left out.

        Parameters
        ----------
        word : str
        count : int
            How many at most.
        among : int, optional
            Only of the first so many words, which are the most frequent ones where a vocabulary made the table.

        Returns
        -------
        list of (str, float)
            Word and cosine, the largest first.
        """
        place = self.place(word)
        return self._largest(self._units[place], count, among, [place])

    def analogy(self, first, second, third, count=1, among=None):
        """Return the words nearest to ``second - first + third``, as `nearest`: first : second = third : ?

        Vectors of length 1 are added (Mikolov, Yih, Zweig 2013, Linguistic regularities in continuous space word
        representations, section 4); the three words are no answers.
        """
        places = [self.place(word) for word in (first, second, third)]
        target = self._units[places[1]] - self._units[places[0]] + self._units[places[2]]
        return self._largest(target / max(float(np.linalg.norm(target)), 1e-12), count, among, places)

    def _largest(self, target, count, among, without):
        cosines = self._units[:among] @ target
        cosines[[place for place in without if place < len(cosines)]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[:count]
        return [(self.words[place], float(cosines[place])) for place in order if np.isfinite(cosines[place])]

    def chosen(self, words):
        """Return the table of those of `words` that have vectors, in their order."""
        known = [word for word in words if word in self.index]
        if not known:
            raise ValueError(f"none of {len(list(words)):,} words is among the {len(self):,} that have vectors; pass "
                             "words in the same spelling")
        return VectorTable(known, self.vectors[[self.index[word] for word in known]])
