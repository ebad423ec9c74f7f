"""A model of texts that begins with word vectors of a file: the section ``embedding`` of a recipe.

``embedding: {file: vectors.txt, frozen: true}``. Words are matched as they are written; a word that the file does not
have keeps the vector that it was initialised with.
"""
import re

import mxnet as mx

from gluon_rnn.config import ConfigError
from gluon_rnn.data.word2vec_text import read_vectors
from gluon_rnn.registry import suggest
from gluon_rnn.training.start import Source, take_over

__all__ = ["WordEmbedding", "word_tables"]


def word_tables(names, named_axes, kinds=("word",)):
    """Return the names of embeddings among `names`: those whose rows are words, by `named_axes` of the task."""
    return [name for name in names if "embedding" in name and len(named_axes.get(name, ())) == 1
            and named_axes[name][0][0] in kinds]


class WordEmbedding:
    """Which table of a model takes vectors, by the section ``embedding`` of its recipe.

    Parameters
    ----------
    section : gluon_rnn.config.Embedding or None
        None: no table does.
    parameters : dict of str to gluon.Parameter
        By name in the model's structure, initialised.
    named_axes : dict
        See `gluon_rnn.tasks.predictor.Predictor.named_axes`.

    Raises
    ------
    ConfigError
        If the model has no table of words, or several and the section names none.
    """

    def __init__(self, section, parameters, named_axes):
        self._section, self._parameters, self._axes = section, parameters, named_axes
        self.name = None if section is None else self._table(word_tables(parameters, named_axes))

    def _table(self, tables):
        wanted = self._section.table
        if not tables:
            raise ConfigError("embedding: the model has no table with a vector for each word (models of characters, "
                              "subwords or numbers have none, nor has an adaptive softmax with tied weights); leave it "
                              "out")
        if wanted is not None and wanted not in tables:
            raise ConfigError(f"embedding.table: the model has no table of words {wanted!r}; {suggest(wanted, tables)}")
        if wanted is None and len(tables) > 1:
            raise ConfigError(f"embedding.table: the model has the tables {', '.join(tables)}; name the one that takes "
                              "the vectors")
        return wanted or tables[0]

    def frozen(self, settings):
        """Return the section `training` with the table among what it freezes, where the section says so."""
        if self._section is None or not self._section.frozen:
            return settings
        return settings.model_copy(update={"freeze": [*settings.freeze, f"{re.escape(self.name)}$"]})

    def load(self):
        """Set the rows of the words that the file has, and return a sentence that says how many these are.

        ConfigError if the file cannot be read, its vectors have another size, or it has none of the words.
        """
        file, parameter = self._section.file, self._parameters[self.name]
        try:
            table = read_vectors(file)
        except ValueError as error:
            raise ConfigError(f"embedding.file: {error}") from error
        if table.size != parameter.shape[1]:
            raise ConfigError(f"embedding.file: the vectors of {file} have {table.size} numbers, and {self.name} of "
                              f"the model has {parameter.shape[1]}; make the model's size of embedded words "
                              f"{table.size} (model.embed_size in most recipes)")
        words = self._axes[self.name][0][1]
        found = sum(word in table for word in words)
        if not found:
            raise ConfigError(f"embedding.file: {file} has vectors of {len(table):,} words, and none of the "
                              f"{len(words):,} of the model; spelling and small letters count, take another file")
        source = Source(file, {self.name: mx.nd.array(table.vectors)}, {self.name: [("word", table.words)]})
        take_over({self.name: parameter}, self._axes, source)
        return (f"embedding: {self.name} has the vectors of {found:,} of {len(words):,} words from {file}"
                + (", frozen" if self._section.frozen else ""))
