"""Answers of a regressor: real numbers, with their names and in their units, of a row of numbers."""
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gluon_rnn.answers import streaming
from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.items import read_items, step_of
from gluon_rnn.answers.padding import pad
from gluon_rnn.answers.pipeline import Pipeline, batches_of
from gluon_rnn.answers.scaling import Scaler
from gluon_rnn.answers.trajectories import TrajectoryReader

__all__ = ["RegressionPipeline", "ValueAssets"]


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


class RegressionPipeline(Pipeline):
    """Regressors, names and scaler of their targets, and what reads a sequence.

    The network "model" takes features (T, N, C), and its outputs are scaled values (N, K).
    """

    task = "regression"
    assets_class = ValueAssets

    def values(self, outputs):
        """Return values (N, K) float64 in the units of the targets from outputs (N, K) of each model, a list."""
        return self.assets.scaler.inverse(np.mean([np.asarray(one, np.float64) for one in outputs], axis=0))

    def predict(self, items, batch_size=100):
        """Return the values of each of `items`; of an ensemble the mean of all.

        Parameters
        ----------
        items : one item or a list of them
            Rows of numbers x_1 y_1 x_2 y_2 ... without targets, as text, tuples or (T, features) arrays.
        batch_size : int, >= 1, default 100
            Sequences that the network takes in one call.

        Returns
        -------
        dict of {name of a target: value}; a list of them where `items` is a list.
        """
        check_sizes(batch_size=batch_size)
        if not isinstance(items, list):
            return self.predict([items])[0]
        answers = []
        for sequences in batches_of(read_items(self.assets.reader, items), batch_size):
            inputs, valid_length = pad(sequences)
            rows = self.values([model.outputs(inputs, valid_length) for model in self.models])
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
        model = streaming.require_one(self.models)
        streaming.require_causal(model, "train one with pooling last and an encoder that reads forwards only")
        pieces = ((step_of(step)[:, None],) for step in steps)
        for outputs in streaming.outputs(model, pieces):
            yield self._named(self.values([outputs])[0])

    def _named(self, row):
        return dict(zip(self.assets.target_names, row.tolist()))

    def answer(self, item, folder=None, number=1):
        """Return the values of a row of numbers, with their names."""
        return _in_words(self.predict(item))

    def stream_answers(self, item):
        """Yield the values after each step of a row of numbers."""
        for step, found in enumerate(self.stream(self.assets.reader(item)), start=1):
            yield f"{step}\t{_in_words(found)}"


def _in_words(values):
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())
