"""What a trained classifier answers: the probability of each class."""
import json
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np
import scipy.special

from gluon_rnn.data import AudioReader, TextReader, TrajectoryReader, pad
from gluon_rnn.inference import streaming
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["ClassificationPredictor", "ClassifierAssets", "log_probabilities"]

READERS = {"text": TextReader, "audio": AudioReader, "trajectory": TrajectoryReader}
_SHOWN = 3      # classes that an answer names


@dataclass
class ClassifierAssets:
    """What a trained classifier needs besides parameters: names of the classes, and what reads an item."""

    labels: list
    reader: Any

    def texts(self):
        """Return the two files."""
        kind = next(name for name, cls in READERS.items() if type(self.reader) is cls)
        return {"labels.json": json.dumps(self.labels), "reader.json": json.dumps([kind, self.reader.to_json()])}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        kind, saved = json.loads(read("reader.json"))
        return cls(json.loads(read("labels.json")), READERS[kind].from_json(saved))


class ClassificationPredictor(Predictor):
    """A classifier, the names of its classes, and what reads an item."""

    assets_class = ClassifierAssets
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

    def predict(self, items, batch_size=100):
        """Return the probability of each class for each of `items`; of an ensemble the mean of all.

        Parameters
        ----------
        items : one item or a list of them
            Texts; paths of .wav files; rows of numbers as text or tuples: what the data of the run are made of.
        batch_size : int, default 100

        Returns
        -------
        dict of {class: probability}, the most probable first; a list of them where `items` is a list.
        """
        if not isinstance(items, list):
            return self.predict([items])[0]
        sequences, answers = [self.assets.reader(item) for item in items], []
        for start in range(0, len(items), batch_size):
            inputs, valid_length = map(mx.nd.array, pad(sequences[start:start + batch_size]))
            rows = np.exp(log_probabilities(self.models, inputs, valid_length, self.device))
            answers += [_ranked(self.assets.labels, row) for row in rows]
        return answers

    def stream(self, steps):
        """Yield the probability of each class after each of `steps`, the most probable first.

        Parameters
        ----------
        steps : iterable
            Pieces of a text, as long as you like; or features (C,) of a step, as ``assets.reader`` makes them of
            a recording or a row of numbers.

        Raises
        ------
        ValueError
            If the model looks at all of a sequence: only an encoder that reads forwards with pooling "last" does not.
            If it is an ensemble.
        """
        if self.ensemble:
            raise ValueError(f"one run streams, got {len(self.models)} in an ensemble; pass {str(self.path)!r} alone")
        streaming.require_causal(self.model, "train one with pooling last and an encoder that reads forwards only")
        reader, text = self.assets.reader, isinstance(self.assets.reader, TextReader)
        sequences = (reader(step) if text else np.atleast_2d(step) for step in steps)
        pieces = ((mx.nd.array(piece[:, None], dtype=piece.dtype),) for piece in sequences if len(piece))
        for logits in streaming.outputs(self.model, pieces):
            yield _ranked(self.assets.labels, scipy.special.softmax(logits[0].asnumpy().astype(np.float64)))

    def answer(self, item, folder, number=1):
        """Return the most probable classes with their probabilities."""
        return _in_words(self.predict(item))

    def stream_answers(self, item):
        """Yield the most probable classes after each token of a text, or each step of a recording or row of numbers."""
        reader, is_text = self.assets.reader, isinstance(self.assets.reader, TextReader)
        steps = reader.tokens(item) if is_text else reader(item)
        shown = steps if is_text else range(1, len(steps) + 1)
        return (f"{step}\t{_in_words(found)}" for step, found in zip(shown, self.stream(steps)))


def _in_words(probabilities):
    first, *others = (f"{label} {probability:.1%}" for label, probability in list(probabilities.items())[:_SHOWN])
    return f"{first} ({', '.join(others)})" if others else first


def _ranked(labels, probabilities):
    """Return {class: probability}, the most probable first."""
    return {labels[k]: float(probabilities[k]) for k in np.argsort(-probabilities)}


def log_probabilities(models, inputs, valid_length, device):
    """Return log p (N, K) float64 of padded inputs (T, N) or (T, N, C), p being the mean over `models`."""
    inputs, valid_length = inputs.as_in_context(device), valid_length.as_in_context(device)
    logits = [model(inputs, None, valid_length).asnumpy().astype(np.float64) for model in models]
    log_p = scipy.special.log_softmax(logits, axis=2)                     # (M, N, K)
    return scipy.special.logsumexp(log_p, axis=0) - np.log(len(models)) if len(models) > 1 else log_p[0]
