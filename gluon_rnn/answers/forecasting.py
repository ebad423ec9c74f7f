"""Predictions of a recording: one step ahead (open loop), n steps ahead, or in a free run (closed loop).

References
----------
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks.
"""
import dataclasses
import json

import numpy as np

from gluon_rnn.answers.checks import check_counts, check_sizes
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.series import Recording, SeriesScaler
from gluon_rnn.answers.series_file import SeriesLayout
from gluon_rnn.answers.text_files import read_text

__all__ = ["FilePredictions", "ForecastingModel", "ForecastingPipeline", "checked_start", "file_predictions"]


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
class FilePredictions:
    """What a model says about the rows of a file.

    Attributes
    ----------
    names : list of str
        Of the Ky targets.
    start : int
        First predicted row, counted from 0.
    measured : (M, Ky) float64 array
        Targets of the file.
    predictions : (R, Ky) float64 array
        Row k predicts row start + k. Those of the first M - start rows are the predictions of measured rows, the others
        a forecast of the rows behind the last measured one.
    """

    names: list
    start: int
    measured: np.ndarray
    predictions: np.ndarray

    def __str__(self):
        """Return a table in CSV: row, targets (empty where not measured), predictions."""
        lines = [",".join(["row", *self.names, *(f"{name}_predicted" for name in self.names)])]
        for row, predicted in enumerate(self.predictions, start=self.start):
            measured = self.measured[row] if row < len(self.measured) else [""] * len(self.names)
            lines.append(",".join([str(row), *map(_written, measured), *map(_written, predicted)]))
        return "\n".join(lines) + "\n"


def _written(value):
    return value if isinstance(value, str) else repr(float(value))


class ForecastingPipeline(Pipeline):
    """Recordings in, predictions in units of the targets out; of an ensemble the median of what all predict.

    Parameters
    ----------
    models : list of ForecastingModel
    scaler : SeriesScaler
    washout : int
        First row that is predicted where a call names none.
    feedback : bool
        False for a model that never reads its own outputs; it gets `washout` rows of history alone, as in training.
    layouts : dict of str to SeriesLayout
        How the files of each split are read; may be empty.

    Notes
    -----
    The options of `open` are those of `ForecastingModel` and `feedback`; all have the values of a NARX model as default,
    but for `memory`, which must be given. The networks are "open_loop" and, for a horizon of 1, "closed_loop".
    """

    task = "forecasting"
    network_names = ("open_loop", "closed_loop")
    option_names = ("horizon", "memory", "finite_memory", "feedback", "parameters_per_output", "mean", "dtype")

    def __init__(self, models, scaler, washout, feedback=True, layouts=None):
        self._models, self._scaler, self._washout = models, scaler, washout
        self._feedback, self._layouts = feedback, layouts or {}

    @classmethod
    def open(cls, networks, read, options):
        """Return the pipeline for the files scaler.json and series.json."""
        defaults = {"horizon": 1, "finite_memory": True, "feedback": True, "parameters_per_output": 1, "mean": 0,
                    "dtype": "float32"}
        options = {**defaults, **cls.checked_options(options)}
        if "memory" not in options:
            raise ValueError("the task 'forecasting' needs the option memory, the steps that the model looks back")
        scaler, stored = SeriesScaler.from_json(read("scaler.json")), json.loads(read("series.json"))
        opened = cls.networks_of(networks, "open_loop")
        closed = cls.networks_of(networks, "closed_loop") if options["horizon"] == 1 else [None] * len(opened)
        sizes = len(scaler.input_names), len(scaler.target_names)
        models = [ForecastingModel(*pair, sizes, options) for pair in zip(opened, closed)]
        layouts = {split: SeriesLayout.from_json(json.dumps(layout))
                   for split, layout in stored.get("formats", {}).items()}
        return cls(models, scaler, stored["washout"], options["feedback"], layouts)

    def predict(self, x, y, steps_ahead=1, start=None):
        """Predict a recording in the units of its file; of an ensemble the median of what all predict.

        Parameters
        ----------
        x : (T, Cx) array or None
            Exogenous inputs.
        y : (T, Ky) array
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
        y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        x = np.zeros((len(y), 0)) if x is None else np.asarray(x, dtype=np.float64).reshape(len(x), -1)
        recording = Recording("the data given", x, y, checked_start(self._washout, y, steps_ahead, start))
        if not self._feedback:
            recording = recording.recent(self._washout)
        scaled = self._scaler.transform(recording)
        found = [model.predict(scaled.x, scaled.y, scaled.start, steps_ahead) for model in self._models]
        return np.median([self._scaler.y.inverse(values.astype(np.float64)) for values in found], axis=0)

    def predict_file(self, path, steps_ahead=1, horizon=None, split="train"):
        """Predict the rows of a file and forecast those behind the last measured one; see `file_predictions`."""
        return file_predictions(self.predict, self._scaler, self._layouts, path, steps_ahead, horizon, split)


def file_predictions(predict, scaler, layouts, path, steps_ahead=1, horizon=None, split="train"):
    """Predict the measured rows of a CSV file, and forecast the rows behind them in a free run.

    Parameters
    ----------
    predict : callable
        `ForecastingPipeline.predict`.
    scaler : SeriesScaler
        Its names are those of the columns where there is no layout.
    layouts : dict of str to SeriesLayout
        By split; without any the file has a header, commas and points.
    path : str or Path
        Plain or ``.gz``. Rows at the end may have inputs and no targets.
    steps_ahead : int or None, default 1
        How measured rows are predicted.
    horizon : int, optional
        Rows to forecast; default those without targets in the file.
    split : str, default "train"
        Whose columns to read, where splits have their own.

    Returns
    -------
    FilePredictions

    Raises
    ------
    ValueError
        If the file is not as the run's were, is too short, or has no inputs for the horizon.
    """
    layout = layouts.get(split) or (next(iter(layouts.values())) if layouts else
                                    SeriesLayout(tuple(scaler.input_names), tuple(scaler.target_names)))
    x, y = layout.parse(read_text(path, layout.encoding), str(path), future=True)
    known = len(y) - int(np.isnan(y).all(axis=1).sum())                   # the reader lets them stand at the end only
    horizon = len(y) - known if horizon is None else horizon
    check_counts(horizon=horizon)
    if x.shape[1] and len(x) - known < horizon:
        raise ValueError(f"{path}: {len(x) - known} rows with inputs follow the last measured target, and a forecast "
                         f"of {horizon} rows needs as many; add rows with inputs and no target, or lower the horizon")
    predicted = predict(x[:known], y[:known], steps_ahead)
    start = known - len(predicted)
    if horizon:
        x = np.concatenate([x[:known + horizon], np.zeros((max(known + horizon - len(x), 0), x.shape[1]))])
        y = np.concatenate([y[:known], np.full((horizon, y.shape[1]), np.nan)])
        predicted = np.concatenate([predicted, predict(x, y, None, known)])
    return FilePredictions(list(scaler.target_names), start, y[:known], predicted)


def checked_start(washout, y, steps_ahead, start):
    """Return the first row to predict; ValueError where it leaves nothing, or a value in front of it is missing."""
    start = washout if start is None else start
    check_sizes(steps_ahead=1 if steps_ahead is None else steps_ahead)
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
