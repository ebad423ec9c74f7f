"""Forecasts of whole recordings in the units of the targets, by a model or by a trivial method, and their scores.

A *predictor* is what all of them are: ``predictor(recording, steps_ahead)`` returns the predictions (T - start, Ky) of
the rows from ``recording.start`` on, made as `steps_ahead` says: 1 in open loop, n re-anchored at every n, None free
running. Whatever is scored is scored on the same rows.
"""
import math

import numpy as np

from . import scores
from .simulate import predict_horizons, predict_recordings

__all__ = ["ModelPredictor", "beginning", "compare", "horizon_scores", "kind_of"]

_METRICS = ("rmse", "nrmse")
#: how many groups of anchors, each moved on by an n-th of this, an "n steps ahead" score is taken over
_PHASES = 6


class ModelPredictor:
    """A trained model as a predictor.

    Parameters
    ----------
    model : NARX, AR or Forecaster
    scaler : SeriesScaler
    """

    def __init__(self, model, scaler):
        self.model, self.scaler = model, scaler

    def __call__(self, recording, steps_ahead):
        first, predictions = predict_recordings(self.model, [recording], self.scaler, steps_ahead=steps_ahead)[0]
        return predictions[recording.start - first:]

    def horizons(self, recording, horizon):
        """Return the direct forecasts of rows t, ..., t + horizon - 1 for every t from `start` on.

        An array (rows, horizon, Ky); the last origin is the one whose forecasts end with the recording.
        """
        first, forecasts = predict_horizons(self.model, [recording], self.scaler)[0]
        return forecasts[recording.start - first:, :horizon]


def beginning(recording, washout):
    """Return the recording with its first `washout` rows, if they are not context already, as context."""
    return recording.part(max(recording.start, washout), len(recording))


def kind_of(steps_ahead):
    """Return the name of a way to predict, as columns of scores call it."""
    return {1: "open_loop", None: "free_run"}.get(steps_ahead, f"ahead_{steps_ahead}")


def compare(predictor, recordings, ways, metrics=_METRICS):
    """Return the scores of a predictor, averaged over recordings and outputs.

    Parameters
    ----------
    predictor : callable
    recordings : list of Recording
        Predicted from `start` on.
    ways : sequence of int or None
        1 (open loop), None (free run), and n: exactly n steps after the last measured value.
    metrics : sequence of str
        Functions of `gluon_rnn.inference.scores`.

    Returns
    -------
    dict of str to float
        Such as ``{"open_loop_rmse": .., "free_run_rmse": ..}``; infinity where a prediction diverges.
    """
    found = {}
    for way in ways:
        pairs = [_pair(predictor, recording, way) for recording in recordings]
        for metric in metrics:
            values = [_score(metric, *pair) for pair in pairs]
            found[f"{kind_of(way)}_{metric}"] = float(np.mean(values))
    return found


def _pair(predictor, recording, way):
    """Return measured and predicted values of the rows that are scored."""
    if way in (1, None):
        return recording.y[recording.start:], predictor(recording, way)
    measured, predicted = [], []
    for phase in range(min(_PHASES, way)):
        start = recording.start + phase * way // min(_PHASES, way)
        if start + way > len(recording):
            break
        predictions = predictor(recording.part(start, len(recording)), way)
        predicted.append(predictions[way - 1::way])
        measured.append(recording.y[start + way - 1::way])
    if not measured:
        raise ValueError(f"recording {recording.name}: {way} steps ahead were asked for, and only "
                         f"{len(recording) - recording.start} rows can be predicted; ask for fewer")
    return np.concatenate(measured), np.concatenate(predicted)


def _score(metric, measured, predicted):
    if not np.isfinite(predicted).all() or np.abs(predicted).max() > 1e100:
        return math.inf
    return getattr(scores, metric)(measured, predicted)


def horizon_scores(predictor, recordings, horizon, scaler):
    """Return mse and mae of direct forecasts of several steps, in scaled units, over all origins, horizons and outputs.

    Parameters
    ----------
    predictor : object with ``horizons(recording, horizon)``
        The forecasts (rows, horizon, Ky) of rows t, ..., t + horizon - 1 for every t from `start` on.
    recordings : list of Recording
    horizon : int
    scaler : SeriesScaler
    """
    errors = []
    for recording in recordings:
        forecasts = predictor.horizons(recording, horizon)
        steps = np.arange(len(forecasts))[:, None] + np.arange(horizon) + recording.start
        errors.append((scaler.y.transform(forecasts) - scaler.y.transform(recording.y)[steps]).reshape(-1))
    errors = np.concatenate(errors)
    return {"horizon_mse": float(np.mean(errors ** 2)), "horizon_mae": float(np.mean(np.abs(errors)))}
