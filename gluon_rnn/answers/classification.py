"""Answers of a classifier: the probability of each class of a text, a recording or a row of numbers."""
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gluon_rnn.answers import streaming
from gluon_rnn.answers.arithmetic import log_mean_probabilities, softmax
from gluon_rnn.answers.audio import AudioReader
from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.graphs import GraphReader
from gluon_rnn.answers.items import read_items, step_of
from gluon_rnn.answers.padding import pad
from gluon_rnn.answers.pipeline import Pipeline, batches_of
from gluon_rnn.answers.text import TextReader
from gluon_rnn.answers.trajectories import TrajectoryReader
from gluon_rnn.answers.trees import TreeReader

__all__ = ["ClassificationPipeline", "ClassifierAssets"]

_SHOWN = 3      # classes that an answer names


@dataclass
class ClassifierAssets:
    """What a trained classifier needs besides parameters: names of the classes, and what reads an item."""

    labels: list
    reader: Any

    #: class of each kind of reader; a plain attribute, no field
    readers = {"text": TextReader, "audio": AudioReader, "trajectory": TrajectoryReader, "tree": TreeReader,
               "graph": GraphReader}

    def texts(self):
        """Return the two files."""
        kind = next(name for name, cls in self.readers.items() if type(self.reader) is cls)
        return {"labels.json": json.dumps(self.labels), "reader.json": json.dumps([kind, self.reader.to_json()])}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        kind, saved = json.loads(read("reader.json"))
        return cls(json.loads(read("labels.json")), cls.readers[kind].from_json(saved))


class ClassificationPipeline(Pipeline):
    """Classifiers, the names of their classes, and what reads an item.

    The network "model" takes token ids (T, N) or features (T, N, C), or the arrays of a batch of trees or graphs, and
    its outputs are logits (N, K).
    """

    task = "classification"
    assets_class = ClassifierAssets

    def predict(self, items, batch_size=100):
        """Return the probability of each class for each of `items`; of an ensemble the mean of all.

        Parameters
        ----------
        items : one item or a list of them
            Texts; paths of .wav files; rows of numbers as text or tuples; trees in brackets; graphs in words: what the
            data of the run are made of.
        batch_size : int, >= 1, default 100
            Sequences that the network takes in one call.

        Returns
        -------
        dict of {class: probability}, the most probable first; a list of them where `items` is a list.
        """
        check_sizes(batch_size=batch_size)
        if not isinstance(items, list):
            return self.predict([items])[0]
        answers = []
        for sequences in batches_of(self._read(items), batch_size):
            inputs, valid_length, *signals = self._batch(sequences)
            log_p = log_mean_probabilities([model.outputs(inputs, valid_length, *signals) for model in self.models])
            answers += [ranked(self.assets.labels, row) for row in np.exp(log_p)]
        return answers

    def _read(self, items):
        reader = self.assets.reader
        return [reader(item) for item in items] if hasattr(reader, "structure") else read_items(reader, items)

    def _batch(self, sequences):
        """Return inputs, lengths (None of trees and graphs) and what else the network takes."""
        if not hasattr(self.assets.reader, "structure"):
            return pad(sequences)
        first, *others = self.assets.reader.batch(sequences)
        return first, None, *others

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
        model = streaming.require_one(self.models)
        streaming.require_causal(model, "train one with pooling last and an encoder that reads forwards only")
        sequences = (self._piece(step) for step in steps)
        for logits in streaming.outputs(model, ((piece[:, None],) for piece in sequences if len(piece))):
            yield ranked(self.assets.labels, softmax(logits[0]))

    def _piece(self, step):
        """Return a step, or a piece of text, as an array (t,) or (t, C)."""
        if isinstance(self.assets.reader, TextReader):
            return self.assets.reader(step)
        return step_of(step)

    def answer(self, item, folder=None, number=1):
        """Return the most probable classes with their probabilities."""
        return _in_words(self.predict(item))

    def stream_answers(self, item):
        """Yield the most probable classes after each token of a text, or each step of a recording or row of numbers."""
        reader, is_text = self.assets.reader, isinstance(self.assets.reader, TextReader)
        steps = reader.tokens(item) if is_text else reader(item)
        shown = steps if is_text else range(1, len(steps) + 1)
        return (f"{step}\t{_in_words(found)}" for step, found in zip(shown, self.stream(steps)))


def ranked(labels, probabilities):
    """Return {class: probability} of probabilities (K,), the most probable first."""
    return {labels[k]: float(probabilities[k]) for k in np.argsort(-probabilities)}


def _in_words(probabilities):
    first, *others = (f"{label} {probability:.1%}" for label, probability in list(probabilities.items())[:_SHOWN])
    return f"{first} ({', '.join(others)})" if others else first
