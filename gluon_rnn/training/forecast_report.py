"""What a forecasting run leaves behind: scores beside those of trivial methods, predictions as CSV, pictures."""
import dataclasses
import functools
from typing import Callable

import numpy as np
import pandas as pd

from gluon_rnn.diagnostics import forecast_figure, residual_figure
from gluon_rnn.inference import baselines
from gluon_rnn.inference.forecasts import kind_of
from gluon_rnn.training.task import Report

__all__ = ["TrivialPredictor", "baseline_predictors", "predictions_table", "report"]

_METRICS = ("rmse", "nrmse", "nmse", "fit_percent")
#: longest lags of the linear model beside an encoder, which has none of its own
_MOST_LAGS = 32


def report(task, path, split, limit):
    """Return the closing `Report` of a forecasting task, and write its files into `path`."""
    recordings = task.recordings(split)
    scores = {**task.evaluate(split, limit), **task.scores(task.predictor(), recordings, *_metrics(task))}
    others = {name: task.scores(predictor, recordings, *_metrics(task))
              for name, predictor in baseline_predictors(task).items()}
    if task.ways:
        _write_files(task, path, recordings)
    return Report(split, scores, others)


def _metrics(task):
    return (_METRICS,) if task.ways else ()


def baseline_predictors(task):
    """Return the trivial predictors that stand beside a model: name to predictor."""
    found = {"persistence": TrivialPredictor(baselines.persistence),
             "linear ARX": TrivialPredictor(_fitted_arx(task).predict)}
    if task.assets.season:
        found["seasonal naive"] = TrivialPredictor(functools.partial(baselines.seasonal_naive,
                                                                     season=task.assets.season))
    return found


def _fitted_arx(task):
    """Return the linear model of the same lags; of the washout's length for an encoder, which has no lags."""
    if hasattr(task.model, "lags"):
        arx = baselines.ARX.like(task.model)
    else:
        lags = min(task.assets.washout, _MOST_LAGS)
        arx = baselines.ARX(lags - 1, lags)
    return arx.fit(task.data.recordings("train"))


@dataclasses.dataclass
class TrivialPredictor:
    """One of `gluon_rnn.inference.baselines` as a predictor of recordings; see `gluon_rnn.inference.forecasts`.

    Parameters
    ----------
    predict : callable
        ``predict(recordings, steps_ahead=..., horizon=...)``.
    """

    predict: Callable

    def __call__(self, recording, steps_ahead):
        return self.predict([recording], steps_ahead=steps_ahead)[0]

    def horizons(self, recording, horizon):
        """Return the forecasts of rows t, ..., t + horizon - 1 for every t from `start` on, (rows, horizon, Ky)."""
        rows = len(recording) - recording.start - horizon + 1
        return np.stack([self.predict([recording], horizon=step + 1)[0][:rows] for step in range(horizon)], axis=1)


def predictions_table(predictor, recording, ways, target_names):
    """Return measured and predicted targets, a row for each predicted row of the recording."""
    index = recording.times[recording.start:] if recording.times is not None else range(recording.start, len(recording))
    columns = {"row" if recording.times is None else "time": index}
    found = {way: predictor(recording, way) for way in ways}
    for number, name in enumerate(target_names):
        columns[name] = recording.y[recording.start:, number]
        columns.update({f"{name}_{kind_of(way)}": values[:, number] for way, values in found.items()})
    return pd.DataFrame(columns)


def _write_files(task, path, recordings):
    names, predictor = task.assets.scaler.target_names, task.predictor()
    tables = []
    for number, recording in enumerate(recordings):
        table = predictions_table(predictor, recording, (1, None), names)
        tables.append(table.assign(recording=recording.name))
        if number == 0:
            forecast_figure(table, names, path / "forecast.png")
            residuals = recording.y[recording.start:] - predictor(recording, 1)
            residual_figure(residuals[:, 0], recording.x[recording.start:], task.assets.scaler.input_names,
                            path / "residuals.png")
    pd.concat(tables).to_csv(path / "predictions.csv", index=False)
