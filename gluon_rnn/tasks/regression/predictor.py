"""What a trained regressor answers: the values of a sequence, in the units of the data."""
import json
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from gluon_rnn.data import Scaler, TrajectoryReader, pad
from gluon_rnn.inference import streaming
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["RegressionPredictor", "ValueAssets"]


@dataclass
class ValueAssets:
    """What a trained regressor needs besides parameters: names and scaler of the targets, and what reads a sequence."""

    target_names: list
    scaler: Any
    reader: Any

    def texts(self):
        """Return the two files."""
        return {"targets.json": json.dumps({"names": self.target_names, "scaler": self.scaler.to_dict()}),
                "reader.json": self.reader.to_json()}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        targets = json.loads(read("targets.json"))
        return cls(targets["names"], Scaler.from_dict(targets["scaler"]),
                   TrajectoryReader.from_json(read("reader.json")))


class RegressionPredictor(Predictor):
    """A regressor, names and scaler of its targets, and what reads a sequence."""

    assets_class = ValueAssets
    size_names = ("num_values", "vocab_size", "input_size")
    ensemble_rule = "the mean of their values"

    @classmethod
    def sizes(cls, assets):
        """Return the number of targets and of features."""
        return {"num_values": len(assets.target_names), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are targets."""
        targets = [("target", assets.target_names)]
        return {"output_weight": targets, "output_bias": targets}

    def export_arguments(self):
        """Return inputs (T, N, C) that the model takes, scalers of features and targets, and the names of these."""
        size = self.assets.reader.model_arguments["input_size"]
        example = mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))
        return {"example": example, "scaler": {"inputs": json.loads(self.assets.reader.to_json()),
                                               "targets": self.assets.scaler.to_dict()},
                "extras": {"targets": self.assets.target_names}}

    def values(self, inputs, valid_length):
        """Return the values (N, K) float64 of padded inputs (T, N, C), in the units of the targets."""
        arrays = inputs.as_in_context(self.device), None, valid_length.as_in_context(self.device)
        scaled = np.mean([model(*arrays).asnumpy().astype(np.float64) for model in self.models], axis=0)
        return self.assets.scaler.inverse(scaled)

    def predict(self, items, batch_size=100):
        """Return the values of each of `items`; of an ensemble the mean of all.

        Parameters
        ----------
        items : one item or a list of them
            Rows of numbers x_1 y_1 x_2 y_2 ... without targets, as text, tuples or (T, features) arrays.
        batch_size : int, default 100

        Returns
        -------
        dict of {name of a target: value}; a list of them where `items` is a list.
        """
        if not isinstance(items, list):
            return self.predict([items])[0]
        sequences, answers = [self.assets.reader(item) for item in items], []
        for start in range(0, len(items), batch_size):
            rows = self.values(*map(mx.nd.array, pad(sequences[start:start + batch_size])))
            answers += [self._named(row) for row in rows]
        return answers

    def stream(self, steps):
        """Yield the values after each of `steps`, of the sequence so far.

        Parameters
        ----------
        steps : iterable of (C,) arrays
            Features of a step, as ``assets.reader`` makes them of a row of numbers.

        Raises
        ------
        ValueError
            If the model looks at all of a sequence: only an encoder that reads forwards with pooling "last" does not.
            If it is an ensemble.
        """
        if self.ensemble:
            raise ValueError(f"one run streams, got an ensemble of {len(self.models)}; pass {str(self.path)!r} alone")
        streaming.require_causal(self.model, "train one with pooling last and an encoder that reads forwards only")
        pieces = ((mx.nd.array(np.atleast_2d(step)[:, None]),) for step in steps)
        for values in streaming.outputs(self.model, pieces):
            yield self._named(self.assets.scaler.inverse(values.asnumpy())[0])

    def _named(self, row):
        return dict(zip(self.assets.target_names, row.tolist()))

    def answer(self, item, folder, number=1):
        """Return the values of a row of numbers, with their names."""
        return _in_words(self.predict(item))

    def stream_answers(self, item):
        """Yield the values after each step of a row of numbers."""
        for step, found in enumerate(self.stream(self.assets.reader(item)), start=1):
            yield f"{step}\t{_in_words(found)}"


def _in_words(values):
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())
