"""What a trained conditional language model answers: sequences of a class, drawn token by token."""
import gluonnlp

from gluon_rnn.answers import conditional_language_model
from gluon_rnn.answers.conditional_language_model import ConditionalLanguageModelPipeline
from gluon_rnn.inference.live import FirstStatesNetwork, LiveNetwork
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["ConditionalAssets", "ConditionalPredictor", "draw"]


class ConditionalAssets(conditional_language_model.ConditionalAssets):
    """Vocabulary, names of classes and the kind of texts; the vocabulary is a `gluonnlp.Vocab`."""

    vocabulary_class = gluonnlp.Vocab


class ConditionalPredictor(Predictor):
    """A conditional language model, its vocabulary and the names of its classes."""

    assets_class = ConditionalAssets
    pipeline_class = ConditionalLanguageModelPipeline
    size_names = ("vocab_size", "num_classes")

    @classmethod
    def sizes(cls, assets):
        """Return the size of the vocabulary, one more for the boundary, and the number of classes."""
        return {"vocab_size": len(assets.vocab) + 1, "num_classes": len(assets.labels)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of embedding and output layer are tokens, with the boundary as an empty one, or labels."""
        tokens = [(assets.unit, [*assets.vocab.idx_to_token, ""])]
        return {"embedding_weight": tokens, "output_weight": tokens, "output_bias": tokens,
                "first.condition.weight": [("label", assets.labels)]}

    def networks(self):
        """Return the networks of the pipeline."""
        return _networks(self.model)

    def pipeline_options(self):
        """Return how the recipe draws."""
        recipe = self.config.task.arguments
        return {key: recipe[key] for key in ConditionalLanguageModelPipeline.option_names if key in recipe}

    def example(self):
        """Return token ids (T, N)."""
        return trials.ids(len(self.assets.vocab))

    def trials(self):
        """Return classes of which texts are to be drawn."""
        return [((label,), {"count": 2, "seed": 1, "max_length": 40}) for label in self.assets.labels[:3]]

    predict = by_pipeline(ConditionalLanguageModelPipeline.predict)
    answer = by_pipeline(ConditionalLanguageModelPipeline.answer)


def draw(model, assets, classes, seed=0, **options):
    """Return (text, finished) of a sequence drawn for each of `classes`.

    Parameters
    ----------
    model : ConditionalLanguageModel
    assets : ConditionalAssets
    classes : sequence of int
    seed : int, optional
    options
        As in `gluon_rnn.answers.sampling.generate`.
    """
    return ConditionalLanguageModelPipeline(_networks(model), assets).draw(classes, seed, **options)


def _networks(model):
    return {"first": FirstStatesNetwork(model), "model": LiveNetwork(model)}
