"""What a trained translation model answers: translations, with what attention looked at."""
import gluonnlp
import numpy as np

from gluon_rnn.answers import translation
from gluon_rnn.answers.translation import TranslationPipeline
from gluon_rnn.inference.live import translation_networks
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["TranslationAssets", "TranslationPredictor"]


class TranslationAssets(translation.TranslationAssets):
    """Vocabularies, and what turns sentences into tokens and back; a vocabulary is a `gluonnlp.Vocab`."""

    vocabulary_class = gluonnlp.Vocab


class TranslationPredictor(Predictor):
    """A `Seq2Seq`, its vocabularies, and what makes tokens of sentences."""

    assets_class = TranslationAssets
    pipeline_class = TranslationPipeline
    size_names = ("source_vocab_size", "target_vocab_size")
    ensemble_rule = "the mean of their probabilities"
    # The models that networks were made of, and these: their graphs take longer to make than a sentence to translate.
    _made = (None, None)

    @classmethod
    def sizes(cls, assets):
        """Return the sizes of the vocabularies."""
        return {"source_vocab_size": len(assets.source_vocab), "target_vocab_size": len(assets.target_vocab)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of embeddings and output layer are tokens."""
        source, target = ([(assets.tokenizer.unit, vocab.idx_to_token)]
                          for vocab in (assets.source_vocab, assets.target_vocab))
        return {"source_embedding.weight": source, "target_embedding.weight": target, "output.weight": target,
                "output.bias": target}

    def networks(self):
        """Return the networks of the pipeline."""
        if self._made[0] != self.models:
            self._made = (self.models, translation_networks(self.models))
        return self._made[1]

    def pipeline_options(self):
        """Return how the recipe searches."""
        recipe = self.config.task.arguments
        return {key: recipe[key] for key in TranslationPipeline.option_names if key in recipe}

    def example(self):
        """Return source tokens (S, N) and target tokens (T, N)."""
        return trials.ids(len(self.assets.source_vocab)), trials.ids(len(self.assets.target_vocab))

    def trials(self):
        """Return sentences to translate, whole words of the source."""
        tokens = [token for token in self.assets.source_vocab.idx_to_token if token.isalpha()]
        return [((trials.sentences(tokens, " ", np.random.default_rng(1)),), {"beam_size": size}) for size in (1, 5)]

    predict = by_pipeline(TranslationPipeline.predict)
    answer = by_pipeline(TranslationPipeline.answer)
