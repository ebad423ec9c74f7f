"""What a trained classifier answers: the probability of each class."""
import json

import mxnet as mx
import numpy as np

from gluon_rnn.answers import classification
from gluon_rnn.answers.arithmetic import log_mean_probabilities
from gluon_rnn.answers.classification import ClassificationPipeline
from gluon_rnn.data import AudioReader, TextReader, TrajectoryReader
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["ClassificationPredictor", "ClassifierAssets", "log_probabilities"]


class ClassifierAssets(classification.ClassifierAssets):
    """Names of the classes, and what reads an item; the vocabulary of texts is a `gluonnlp.Vocab`."""

    readers = {"text": TextReader, "audio": AudioReader, "trajectory": TrajectoryReader}


class ClassificationPredictor(Predictor):
    """A classifier, the names of its classes, and what reads an item."""

    assets_class = ClassifierAssets
    pipeline_class = ClassificationPipeline
    size_names = ("num_classes", "vocab_size", "input_size")
    ensemble_rule = "the mean of their probabilities"

    @classmethod
    def sizes(cls, assets):
        """Return the number of classes, and the size of the vocabulary or the number of features."""
        return {"num_classes": len(assets.labels), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are labels, and those of an embedding tokens."""
        reader, labels = assets.reader, [("label", assets.labels)]
        found = {"output_weight": labels, "output_bias": labels}
        if isinstance(reader, TextReader):
            found["embedding_weight"] = [(reader.unit, reader.vocab.idx_to_token)]
        return found

    def export_arguments(self):
        """Return inputs (T, N) or (T, N, C) that the model takes, the vocabulary or features, and the classes."""
        reader, (size,) = self.assets.reader, self.assets.reader.model_arguments.values()
        extras = {"labels": self.assets.labels}
        if isinstance(reader, TextReader):
            example = mx.nd.array(np.arange(16).reshape(8, 2) % size, dtype="int32")
            separator = "" if reader.unit == "character" else " "
            extras.update(lower=reader.lower, max_length=reader.max_length)
            return {"example": example, "vocab": reader.vocab, "unit": reader.unit, "separator": separator,
                    "extras": extras}
        example = mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))
        return {"example": example, "scaler": json.loads(reader.to_json()), "extras": extras}

    predict = by_pipeline(ClassificationPipeline.predict)
    stream = by_pipeline(ClassificationPipeline.stream)
    answer = by_pipeline(ClassificationPipeline.answer)
    stream_answers = by_pipeline(ClassificationPipeline.stream_answers)


def log_probabilities(models, inputs, valid_length, device):
    """Return log p (N, K) float64 of padded inputs (T, N) or (T, N, C), p being the mean over `models`."""
    inputs, valid_length = inputs.as_in_context(device), valid_length.as_in_context(device)
    return log_mean_probabilities([model(inputs, None, valid_length).asnumpy() for model in models])
