"""What a trained language model answers: text that it writes, token by token."""
import gluonnlp

from gluon_rnn.answers import language_model
from gluon_rnn.answers.language_model import LanguageModelPipeline
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["LanguageModelPredictor", "TextAssets", "stream_text"]


class TextAssets(language_model.TextAssets):
    """What turns the ids of a language model into text; the vocabulary is a `gluonnlp.Vocab`."""

    vocabulary_class = gluonnlp.Vocab


class LanguageModelPredictor(Predictor):
    """A language model and its vocabulary."""

    assets_class = TextAssets
    pipeline_class = LanguageModelPipeline
    size_names = ("vocab_size",)

    @classmethod
    def sizes(cls, assets):
        """Return the size of the vocabulary."""
        return {"vocab_size": len(assets.vocab)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return which rows of embedding and output layer are which tokens."""
        rows = {"embedding_weight": assets.vocab.idx_to_token, **model.output.named_rows(assets.vocab.idx_to_token)}
        return {name: [(assets.unit, tokens)] for name, tokens in rows.items()}

    def arrays(self):
        """Return the parameters, and ``embedding_weight`` where the output layer keeps it in clusters."""
        found = super().arrays()
        return found if "embedding_weight" in found else {**found, "embedding_weight": self.model.embedding()}

    def example(self):
        """Return token ids (T, N)."""
        return trials.ids(len(self.assets.vocab))

    def trials(self):
        """Return a beginning to continue."""
        return [(("",), {"length": 30, "seed": 1})]

    predict = by_pipeline(LanguageModelPipeline.predict)
    answer = by_pipeline(LanguageModelPipeline.answer)


def stream_text(model, assets, length, prefix="", ctx=None, **options):
    """Yield the prefix and then `length` tokens that the model writes, pieces that join to the text.

    Parameters
    ----------
    model : LanguageModel
    assets : TextAssets
    length : int
        Tokens to write.
    prefix : str
        Text to continue.
    ctx : mx.Context, optional
        Device; default that of the model's parameters.
    options
        As in `gluon_rnn.answers.sampling.sample`. The unknown token is never drawn.
    """
    return LanguageModelPipeline({"model": LiveNetwork(model, ctx)}, assets).write(length, prefix, **options)
