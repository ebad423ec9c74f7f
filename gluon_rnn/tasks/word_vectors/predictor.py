"""What trained word vectors answer: the words nearest to a word."""
import gluonnlp

from gluon_rnn.answers import word_vectors
from gluon_rnn.answers.word_vectors import WordVectorPipeline
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["WordVectorAssets", "WordVectorPredictor"]


class WordVectorAssets(word_vectors.WordVectorAssets):
    """What turns rows of the tables into words; the vocabulary is a `gluonnlp.Vocab`."""

    vocabulary_class = gluonnlp.Vocab


class WordVectorPredictor(Predictor):
    """Word vectors and their vocabulary."""

    assets_class = WordVectorAssets
    pipeline_class = WordVectorPipeline
    size_names = ("vocab_size",)
    _made = None

    @classmethod
    def sizes(cls, assets):
        """Return the size of the vocabulary."""
        return {"vocab_size": len(assets.vocab)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return which rows of both tables are which words."""
        words = [("word", assets.vocab.idx_to_token)]
        return {"embedding_weight": words, "output_weight": words}

    @property
    def pipeline(self):
        """The pipeline, made once: its table of vectors is read from the network once."""
        if self._made is None:
            self._made = super().pipeline
        return self._made

    @property
    def table(self):
        """All words and their vectors, a `gluon_rnn.answers.vector_table.VectorTable`."""
        return self.pipeline.table

    def example(self):
        """Return word ids (T, N)."""
        return trials.ids(len(self.assets.vocab))

    def trials(self):
        """Return a few words whose neighbours are asked for."""
        words = [self.assets.vocab.idx_to_token[place] for place in self.assets.words]
        return [((words[::max(1, len(words) // 5)][:5], 3), {})]

    predict = by_pipeline(WordVectorPipeline.predict)
    answer = by_pipeline(WordVectorPipeline.answer)
