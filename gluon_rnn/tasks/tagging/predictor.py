"""What a trained tagger answers: a tag for each word."""
import mxnet as mx
import numpy as np
from gluonnlp import Vocab

from gluon_rnn import config as configuration
from gluon_rnn.answers import tagging
from gluon_rnn.answers.tagging import Tagging, TaggingPipeline
from gluon_rnn.data.spellings import grouped_spellings
from gluon_rnn.inference.live import LiveNetwork, TaggerNetwork
from gluon_rnn.registry import encoders
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["Tagging", "TaggingAssets", "TaggingPredictor"]


class TaggingAssets(tagging.TaggingAssets):
    """What turns words into ids and ids into tags; vocabularies are `gluonnlp.Vocab`."""

    vocabulary_class = Vocab


class TaggingPredictor(Predictor):
    """A tagger and what turns words into ids and ids into tags.

    Encoders are bidirectional unless the recipe says ``bidirectional: false``.
    """

    assets_class = TaggingAssets
    pipeline_class = TaggingPipeline
    size_names = ("num_labels", "vocab_size", "char_vocab_size")

    @classmethod
    def plan_model(cls, section):
        """Return the `ModelPlan` of a recipe's `model` section, its encoders built."""
        return super().plan_model(_in_both_directions(section))

    @classmethod
    def sizes(cls, assets):
        """Return the number of tags, and the sizes of the vocabularies of words and of letters."""
        encoder = assets.encoder
        return {"num_labels": len(encoder.tags), "vocab_size": len(encoder.words),
                "char_vocab_size": len(encoder.chars)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return what is a word, a character or a label in embeddings, output layer and CRF."""
        encoder = assets.encoder
        labels = ("label", encoder.tags)
        return {"word_embedding.weight": [("word", encoder.words.idx_to_token)],
                "spelling.embedding.weight": [("character", encoder.chars.idx_to_token)],
                "output_weight": [labels], "output_bias": [labels], "crf.begin_weight": [labels],
                "crf.end_weight": [labels], "crf.transition_weight": [labels, labels]}

    def networks(self):
        """Return the model as a network, with the labels of its CRF where it has one."""
        kind = LiveNetwork if self.model.crf is None else TaggerNetwork
        return {"model": [kind(model) for model in self.models]}

    def pipeline_options(self):
        """Return whether, and how, the characters of words are given."""
        return {} if self.model.spelling is None else {"spelling": "grouped"}

    predict = by_pipeline(TaggingPipeline.predict)
    stream = by_pipeline(TaggingPipeline.stream)
    answer = by_pipeline(TaggingPipeline.answer)
    answer_line = by_pipeline(TaggingPipeline.answer_line)
    stream_answers = by_pipeline(TaggingPipeline.stream_answers)

    def example(self):
        """Return words (T, N), and where they are spelled their places and characters in groups."""
        words, size = trials.ids(len(self.assets.encoder.words)), len(self.assets.encoder.chars)
        if self.model.spelling is None:
            return words
        rows = [[np.arange(length) % size for length in range(1, 9)]] * 2
        return words, *(mx.nd.array(array, dtype=array.dtype) for array in grouped_spellings(rows, 8))

    def trials(self):
        """Return sentences to tag."""
        words = self.assets.encoder.words.idx_to_token[2:]
        return [((trials.sentences(words, " ", np.random.default_rng(1)),), {})]


def _in_both_directions(section):
    """Return the model section with ``bidirectional: true`` in encoders that know it and are not told otherwise."""
    arguments = section.arguments
    for key in ("encoder", "char_encoder"):
        part = arguments.get(key)
        if isinstance(part, dict) and part.get("name") in encoders.names() \
                and "bidirectional" in encoders.parameters(part["name"]):
            arguments[key] = {"bidirectional": True, **part}
    return configuration.Model(name=section.name, **arguments)
