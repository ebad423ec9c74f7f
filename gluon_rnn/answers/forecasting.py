"""Predictions of a recording: one step ahead (open loop), n steps ahead, or in a free run (closed loop).

References
----------
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks.
"""
import dataclasses
import json
from typing import Optional

import numpy as np

from gluon_rnn.answers import file_predictions, streaming
from gluon_rnn.answers.arithmetic import median
from gluon_rnn.answers.checks import check_counts, check_sizes
from gluon_rnn.answers.columns import check_finite, in_order
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.series import Recording, SeriesScaler
from gluon_rnn.answers.series_file import SeriesLayout

__all__ = ["ForecastingModel", "ForecastingPipeline", "SeriesAssets", "recording_of"]

#: options of a pipeline, but for `memory`: those of a NARX model
_DEFAULTS = {"horizon": 1, "finite_memory": True, "feedback": True, "parameters_per_output": 1, "mean": 0,
             "dtype": "float32"}


class ForecastingModel:
    """The networks of a model of series: predictions of scaled recordings.

    Parameters
    ----------
    open_loop : Network
        Inputs and measured outputs side by side, (T, N, Cx + Ky), to raw numbers (T, N, H * Ky * P).
    closed_loop : Network or None
        Inputs (T, N, Cx), or (T, N, 1) of zeros without inputs, to raw numbers (T, N, Ky * P), the mean of each step
        being fed back; it takes the states of `open_loop`. None for a horizon H above 1.
    sizes : (int, int)
        Cx and Ky.
    options : dict
        horizon : int
            H, the steps that are predicted at once.
        memory : int
            Fewest measured steps before a prediction.
        finite_memory : bool
            Whether states depend on the last `memory` steps alone, as those of AR and NARX do.
        parameters_per_output, mean : int
            P, the numbers that say something about one output, and which of them is its mean.
        dtype : str
            Of the networks' arrays.
    """

    def __init__(self, open_loop, closed_loop, sizes, options):
        self._open, self._closed = open_loop, closed_loop
        self._inputs, self._outputs = sizes
        self._options = options

    def predict(self, x, y, first, steps_ahead):
        """Predict rows `first`, ..., T - 1 of a recording x (T, Cx), y (T, Ky); all are scaled.

        Parameters
        ----------
        x, y : arrays
        first : int
            At least the model's memory.
        steps_ahead : int or None
            1 is open loop, n re-anchors at every n, None is a free run.

        Returns
        -------
        (T - first, Ky) array
        """
        u, y = (np.asarray(values, dtype=self._options["dtype"])[:, None] for values in (x, y))
        rows = len(y) - first
        if steps_ahead == 1:
            raw, _ = self._open(_joined(u[first:], y[first:]), self._states_at(u, y, [first]))
            return self._mean(raw)[:, 0, :self._outputs]
        block = rows if steps_ahead is None else steps_ahead
        anchors = range(first, len(y), block)
        outputs = self._free_run(self._blocks(u, anchors, block), self._states_at(u, y, anchors))
        return outputs.swapaxes(0, 1).reshape(-1, self._outputs)[:rows]

    def begin(self):
        """Return what a stream carries before its first row: a network that goes step by step, and its states."""
        streaming.require_causal(self._open, "use predict")
        network = self._open.stepping(1)
        return network, network.begin_state(1)

    def step(self, x, y, carried):
        """Return the prediction (Ky,) of a scaled row x (Cx,), y (Ky,), for which y is not read, and what to carry."""
        joined = np.concatenate([x, y]).astype(self._options["dtype"])[None, None]
        network, states = carried
        raw, states = network(joined, states)
        return self._mean(raw)[0, 0, :self._outputs], (network, states)

    def _blocks(self, u, anchors, block):
        """Return the inputs of all blocks, (block, A, Cx), filled up with zeros; (block, A, 1) without inputs."""
        if not self._inputs:
            return np.zeros((block, len(anchors), 1), dtype=u.dtype)
        missing = anchors[-1] + block - len(u)
        u = np.concatenate([u, np.zeros((max(missing, 0), *u.shape[1:]), dtype=u.dtype)])
        return np.concatenate([u[anchor:anchor + block] for anchor in anchors], axis=1)

    def _states_at(self, u, y, steps):
        """Return the states before each of `steps`, in ascending order, as those of one batch."""
        series, memory = _joined(u, y), self._options["memory"]
        if self._options["finite_memory"]:
            rows = np.asarray(steps) - memory + np.arange(memory)[:, None]               # (memory, A)
            return self._open(series[rows, 0], self._open.begin_state(len(steps)))[1]
        found, states, begin = [], self._open.begin_state(1), 0
        for step in steps:
            if step > begin:
                _, states = self._open(series[begin:step], states)
            found.append(states)
            begin = step
        return found[0] if len(found) == 1 else self._open.join(found)

    def _free_run(self, inputs, states):
        """Return the predictions (T, N, Ky) of a free run over `inputs`, as `_blocks` makes them."""
        if self._options["horizon"] > 1:
            return self._in_blocks(inputs, states)
        return self._mean(self._closed(inputs, states)[0])

    def _in_blocks(self, inputs, states):
        """Return the free run of a model with a horizon of H > 1: predict H steps, feed them back, predict H more."""
        found, steps, (total, rows) = [], self._options["horizon"], inputs.shape[:2]
        u = inputs if self._inputs else inputs[:, :, :0]
        unknown = np.zeros((1, rows, self._outputs), dtype=inputs.dtype)
        for begin in range(0, total, steps):
            raw, _ = self._open(_joined(u[begin:begin + 1], unknown), states)
            means = self._mean(raw).reshape(rows, steps, self._outputs).swapaxes(0, 1)    # (H, N, Ky)
            found.append(means[:total - begin])
            if begin + steps < total:
                _, states = self._open(_joined(u[begin:begin + steps], means), states)
        return np.concatenate(found)

    def _mean(self, raw):
        """Return the mean (T, N, K) of raw numbers (T, N, K * P)."""
        return raw.reshape(*raw.shape[:2], -1, self._options["parameters_per_output"])[..., self._options["mean"]]


def _joined(u, y):
    return np.concatenate([u, y], axis=2)


@dataclasses.dataclass
class SeriesAssets:
    """What turns a file into numbers for a model, and a model's numbers into a forecast.

    The scaler, the washout, the season where one was given, and by split how its files are read, where there are files.
    """

    scaler: SeriesScaler
    washout: int = 0
    season: Optional[int] = None
    formats: dict = dataclasses.field(default_factory=dict)

    #: the class of formats that `from_texts` makes; a plain attribute, no field
    format_class = SeriesLayout

    def texts(self):
        """Return the two files."""
        formats = {split: json.loads(layout.to_json()) for split, layout in self.formats.items()}
        return {"scaler.json": self.scaler.to_json(),
                "series.json": json.dumps({"washout": self.washout, "season": self.season, "formats": formats})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        stored = json.loads(read("series.json"))
        formats = {split: cls.format_class.from_json(json.dumps(layout))
                   for split, layout in stored.get("formats", {}).items()}
        return cls(SeriesScaler.from_json(read("scaler.json")), stored["washout"], stored["season"], formats)


class ForecastingPipeline(Pipeline):
    """Recordings in, predictions in units of the targets out; of an ensemble the median of what all predict.

    Networks: "open_loop" and, for a horizon of 1, "closed_loop"; see `ForecastingModel`. Options, those of a NARX model
    being the default: `horizon`, `memory`, `finite_memory`, `parameters_per_output`, `mean` and `dtype` of
    `ForecastingModel`, of which `memory` must be given, and

    feedback : bool
        False for a model that never reads its own outputs: it gets the washout as history and no more, as in training.
    """

    task = "forecasting"
    assets_class = SeriesAssets
    network_names = ("open_loop",)
    option_names = ("horizon", "memory", "finite_memory", "feedback", "parameters_per_output", "mean", "dtype")

    def __init__(self, networks, assets, options=None):
        super().__init__(networks, assets, options)
        if "memory" not in self.options:
            raise ValueError("the task 'forecasting' needs the option memory, the steps that the model looks back")
        self.options = {**_DEFAULTS, **self.options}
        opened = self.networks["open_loop"]
        closed = (self.networks_of(networks, "closed_loop") if self.options["horizon"] == 1 else
                  [None] * len(opened))
        sizes = len(assets.scaler.input_names), len(assets.scaler.target_names)
        self._models = [ForecastingModel(*pair, sizes, self.options) for pair in zip(opened, closed)]

    def predict(self, x, y, steps_ahead=1, start=None):
        """Predict a recording in the units of its file; of an ensemble the median of what all predict.

        Parameters
        ----------
        x : (T, Cx) array or DataFrame, or None
            Exogenous inputs; the columns of a DataFrame are found by their names.
        y : (T, Ky) array or DataFrame
            Measured targets; what is not read may be NaN: a free run reads the rows before `start` only.
        steps_ahead : int or None, default 1
            1 is open loop, n re-anchors at every n, None is a free run.
        start : int, optional
            The first row to predict, at least the washout of the run, which is the default. With the number of measured
            rows, and steps_ahead None, the rows behind them are forecast.

        Returns
        -------
        (T - start, Ky) float64 array
            Row k predicts y[start + k].

        Raises
        ------
        ValueError
            If columns or rows do not fit, or a value that has to be read is not finite.
        """
        recording = recording_of(x, y, self.assets, steps_ahead, start, self.options["horizon"])
        if not self.options["feedback"]:
            recording = recording.recent(self.assets.washout)
        scaler = self.assets.scaler
        scaled = scaler.transform(recording)
        found = [model.predict(scaled.x, scaled.y, scaled.start, steps_ahead) for model in self._models]
        return median([scaler.y.inverse(values.astype(np.float64)) for values in found])

    def stream(self, rows):
        """Yield the prediction of the targets of each row, one step ahead, before the next row is read.

        Parameters
        ----------
        rows : iterable of (x, y)
            Inputs (Cx,) of a row, None for a model without, and its measured targets (Ky,), in the units of the file.
            Where y is None, the row is predicted and the stream stays where it is: the row comes again with its y.

        Yields
        ------
        (Ky,) float64 array, or None for the first rows, as many as the washout
            Those of all rows are the rows of ``predict(x, y)``; of an ensemble the median.

        Raises
        ------
        ValueError
            If a row has other columns, or a number that is not finite.
        """
        scaler, measured = self.assets.scaler, 0
        states = [model.begin() for model in self._models]
        for x, y in rows:
            scaled = [one.transform(_row(values, one, name, measured))
                      for one, values, name in [(scaler.x, x, "x"), (scaler.y, y, "y")]]
            found = [model.step(*scaled, before) for model, before in zip(self._models, states)]
            yield (median([scaler.y.inverse(values.astype(np.float64)) for values, _ in found])
                   if measured >= self.assets.washout else None)
            if y is not None:
                states, measured = [after for _, after in found], measured + 1

    def predict_file(self, path, steps_ahead=1, horizon=None, split="train"):
        """Predict the rows of a CSV file and forecast those behind the last measured one.

        Parameters and answer are those of `gluon_rnn.answers.file_predictions.predict_file`.
        """
        return file_predictions.predict_file(self.predict, self.assets, path, steps_ahead, horizon, split)


def _row(values, scaler, name, number):
    """Return the numbers (C,) of a row, those in the middle of a scaler where there are none."""
    row = scaler.offset if values is None else np.asarray(values, dtype=np.float64)
    if row.shape != scaler.offset.shape or not np.isfinite(row).all() or (values is None and name == "x" and len(row)):
        raise ValueError(f"{name} of row {number} needs {len(scaler.offset)} finite numbers, got {values}")
    return row


def recording_of(x, y, assets, steps_ahead, start, horizon=1):
    """Return what `predict` is given as a `Recording`; arguments and errors are those of `predict`.

    `horizon` is the model's: a free run of one above 1 reads the inputs of the first row of each block alone.
    """
    y = in_order(y, assets.scaler.target_names, "y")
    x = np.zeros((len(y), 0)) if x is None else in_order(x, assets.scaler.input_names, "x")
    start = _checked_start(assets.washout, y, steps_ahead, start)
    read = len(x) if steps_ahead is not None else start + (len(y) - 1 - start) // horizon * horizon + 1
    check_finite(x[:read], "row and column of x", f"this prediction reads the inputs of {read} rows; fill it, or leave "
                                                  "the rows out")
    return Recording("the data given", x, y, start)


def _checked_start(washout, y, steps_ahead, start):
    """Return the first row to predict; ValueError where it leaves nothing, or a value in front of it is missing."""
    start = washout if start is None else start
    check_sizes(steps_ahead=1 if steps_ahead is None else steps_ahead)
    check_counts(start=start)
    if not washout <= start < len(y):
        raise ValueError(f"the first row to predict is {start}, and must be at least the run's washout of {washout} "
                         f"and below the {len(y)} rows of y; pass more rows")
    block = len(y) if steps_ahead is None else steps_ahead
    read = start + (len(y) - 1 - start) // block * block                  # rows before the last anchor
    missing = np.flatnonzero(~np.isfinite(y[:read]).all(axis=1))
    if len(missing):
        raise ValueError(f"row {missing[0]} of y is not finite, and this prediction reads the first {read} rows; fill "
                         "it, or predict with steps_ahead=None from the row start on")
    return start
