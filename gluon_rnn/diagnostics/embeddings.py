"""Vectors of words: their nearest neighbours by cosine, and a map of them in the plane.

References
----------
Bengio, Ducharme, Vincent and Jauvin (2003), A neural probabilistic language model: words that are followed by the same
words have similar vectors. Mikolov, Yih and Zweig (2013), Linguistic regularities in continuous space word
representations: cosines. van der Maaten and Hinton (2008), Visualizing data using t-SNE.
"""
import dataclasses
import re

import numpy as np
import pandas as pd

from gluon_rnn.diagnostics.projection import NothingToShowError, principal_components

__all__ = ["Embeddings", "embeddings"]

MAPS = ("pca", "tsne")
#: words whose neighbours a summary names
_SHOWN = 4
# Tokens that no text has: <unk>, and the empty one that stands for the boundary of a sequence.
_SPECIAL = re.compile(r"(<\w+>)?")


@dataclasses.dataclass
class Embeddings:
    """Vectors of words, characters or labels of length 1, in the order of the vocabulary: the most frequent first.

    Parameters
    ----------
    tokens : list of V str
    vectors : (V, E) float64 array
        Of length 1, or 0 where a vector is 0.
    words : list of n str
        Those of the map and the tables.
    coordinates : (n, 2) float64 array
    method : {"pca", "tsne"}
        How the map was made.
    candidates : list of int
        Ids among which neighbours are looked for.
    """

    tokens: list
    vectors: np.ndarray
    words: list
    coordinates: np.ndarray
    method: str
    candidates: list

    def __post_init__(self):
        self._places = {token: index for index, token in enumerate(self.tokens)}

    def vector(self, word):
        """Return the vector (E,) of a word, of length 1; ValueError for an unknown one."""
        return self.vectors[_place(self._places, word)]

    def neighbours(self, word, count=6):
        """Return the `count` candidates with the largest cosine to a word, a list of (word, cosine)."""
        own = _place(self._places, word)
        cosines = self.vectors[self.candidates] @ self.vectors[own]
        order = [number for number in np.argsort(-cosines, kind="stable") if self.candidates[number] != own][:count]
        return [(self.tokens[self.candidates[number]], float(cosines[number])) for number in order]

    def table(self):
        """Return the map as a pandas.DataFrame: word, x, y."""
        return pd.DataFrame({"word": self.words, "x": self.coordinates[:, 0], "y": self.coordinates[:, 1]})

    def neighbour_table(self, count=6):
        """Return the neighbours of each word of the map as a pandas.DataFrame: word, rank, neighbour, cosine."""
        rows = [(word, rank, *found) for word in self.words
                for rank, found in enumerate(self.neighbours(word, count), 1)]
        return pd.DataFrame(rows, columns=["word", "rank", "neighbour", "cosine"])

    def summary(self):
        """Return a sentence: the nearest neighbours of the words that have the closest ones."""
        nearest = sorted(((self.neighbours(word, 3), word) for word in self.words),
                         key=lambda pair: -pair[0][0][1])
        parts, named = [], set()
        for found, word in nearest:
            if word not in named and len(parts) < _SHOWN:
                parts.append(f"{word!r}: " + ", ".join(f"{other!r} {cosine:.2f}" for other, cosine in found))
                named.update([word, *(other for other, _ in found)])
        return "nearest vectors, by cosine: " + "; ".join(parts)


def embeddings(vectors, tokens, words=None, *, most=60, among=5000, method="pca"):
    """Compare vectors of words.

    Parameters
    ----------
    vectors : (V, E) array
        Such as ``model.embedding().asnumpy()`` of a language model.
    tokens : list of V str
        The most frequent first, as vocabularies have them.
    words : list of str, optional
        Words of the map; default the `most` first ones. Names in angle brackets, ``<unk>``, are left out by default.
    most : int, default 60
    among : int, default 5000
        Neighbours are looked for among so many first tokens, and the words of the map.
    method : {"pca", "tsne"}, default "pca"
        Principal components, or t-SNE on cosines, which needs scikit-learn (the extra "data") and keeps near neighbours
        near; distances between far groups then mean little.

    Returns
    -------
    Embeddings

    Raises
    ------
    NothingToShowError
        If there are fewer than three words.
    ValueError
        If a word is unknown, sizes do not fit, there is no such method, or scikit-learn is missing.

    Examples
    --------
    >>> found = embeddings([[1, 0], [2, 0.1], [0, 1]], ["two", "three", "she"])
    >>> found.neighbours("two", 1)[0][0]
    'three'
    """
    vectors, tokens = _of_length_one(vectors, len(tokens)), list(tokens)
    places = {token: index for index, token in enumerate(tokens)}
    usual = [index for index, token in enumerate(tokens) if not _SPECIAL.fullmatch(token)]
    ids = usual[:most] if words is None else [_place(places, word) for word in dict.fromkeys(words)]
    return Embeddings(tokens, vectors, [tokens[index] for index in ids], _plane(vectors[ids], method), method,
                      sorted({*usual[:among], *ids}))


def _of_length_one(vectors, count):
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2 or len(vectors) != count:
        raise ValueError(f"vectors must be (V, E) for V = {count} tokens, got shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths, lengths, 1.0)


def _place(places, word):
    if word not in places:
        raise ValueError(f"{word!r} is not among the {len(places):,} tokens of the vocabulary; choose another word")
    return places[word]


def _plane(vectors, method):
    """Return coordinates (n, 2)."""
    if method not in MAPS:
        raise ValueError(f"method must be one of {', '.join(MAPS)}, got {method!r}")
    if len(vectors) < 3:
        raise NothingToShowError(f"a map takes three vectors, and there are {len(vectors)}; choose more words")
    if method == "pca":
        return principal_components(vectors)[0]
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise ValueError("the map tsne needs scikit-learn, which is not installed; "
                         "pip install 'gluon_rnn[data]', or take pca") from None
    perplexity = min(12, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=0).fit_transform(
        vectors).astype(np.float64)
