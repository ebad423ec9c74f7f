"""Word vectors: a word in, the words nearest to it out."""
from dataclasses import dataclass
from typing import Any

import numpy as np

from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.answers.vocabulary import Vocabulary

__all__ = ["WordVectorAssets", "WordVectorPipeline"]


@dataclass
class WordVectorAssets:
    """What turns rows of the tables into words: the vocabulary."""

    vocab: Any

    #: the class of vocabulary that `from_texts` makes; a plain attribute, no field
    vocabulary_class = Vocabulary

    def texts(self):
        """Return the one file."""
        return {"vocab.json": self.vocab.to_json()}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(cls.vocabulary_class.from_json(read("vocab.json")))

    @property
    def words(self):
        """Ids of the words that have vectors, in order: all but the special tokens, a list of int."""
        special = {getattr(self.vocab, f"{kind}_token", None) for kind in ("unknown", "padding", "bos", "eos")}
        return [place for place, word in enumerate(self.vocab.idx_to_token) if word not in special]


class WordVectorPipeline(Pipeline):
    """A word in, its nearest neighbours out.

    The network "model" takes word ids (T, N) int32, and its outputs are vectors (T, N, D), in a tuple with the output
    vectors where a bundle gives both. There are no options. Special tokens such as ``<unk>`` have no vectors.
    """

    task = "word_vectors"
    assets_class = WordVectorAssets
    _table = None

    @property
    def table(self):
        """All words and their vectors, a `VectorTable`, of the first model: a mean of several has no meaning.

        It is read from the network once.
        """
        if self._table is None:
            places = self.assets.words
            found = self.models[0].outputs(np.array(places, dtype=np.int32)[:, None])
            vectors = found[0] if isinstance(found, tuple) else found                        # (V, 1, D)
            self._table = VectorTable([self.assets.vocab.idx_to_token[place] for place in places], vectors[:, 0])
        return self._table

    def predict(self, words, count=10):
        """Return the `count` words nearest to a word.

        Parameters
        ----------
        words : str or list of str
        count : int, >= 1, default 10

        Returns
        -------
        list of (str, float)
            Word and cosine, the largest first; a list of them where `words` is a list. ValueError for a word that has
            no vector.
        """
        check_sizes(count=count)
        if isinstance(words, (list, tuple)):
            return [self.table.nearest(word, count) for word in words]
        return self.table.nearest(words, count)

    def answer(self, item, folder=None, number=1):
        """Return a word's neighbours and their cosines in a line."""
        return ", ".join(f"{word} {cosine:.3f}" for word, cosine in self.predict(item.strip()))
