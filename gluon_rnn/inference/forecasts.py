"""Forecasts of whole recordings in the units of the targets, by a model or a baseline, and their scores.

A *predictor* is a callable: ``predictor(recording, steps_ahead)`` returns the predictions (T - start, Ky) of the rows
from ``recording.start`` on. `steps_ahead` is 1 for open loop, n for blocks of n steps, each from measured values, and
None for a free run. All predictors are scored on the same rows.
"""
import math

import numpy as np

from gluon_rnn.inference.bands import predict_horizons_quantiles, predict_recordings_quantiles
from gluon_rnn.inference.simulate import predict_horizons, predict_recordings
from gluon_rnn.metrics import series as scores

__all__ = ["METRICS", "ModelPredictor", "band_scores", "beginning", "compare", "horizon_band_scores", "horizon_errors",
           "horizon_scores", "horizon_targets", "kind_of", "quantiles_of"]

#: scores that are computed at each evaluation
METRICS = ("rmse", "nrmse")
#: number of phases of an "n steps ahead" score: the blocks of each phase begin n / 6 steps later
_PHASES = 6


class ModelPredictor:
    """A trained model as a predictor.

    Parameters
    ----------
    model : NARX, AR or Forecaster
    scaler : SeriesScaler
    washout : int
        Rows of history for a model without feedback of measured outputs, as in training: states after more measured
        values did not occur there. Other models use all rows of history.
    """

    def __init__(self, model, scaler, washout):
        self.model, self.scaler, self.washout = model, scaler, washout

    def __call__(self, recording, steps_ahead):
        return self._predicted(predict_recordings, recording, steps_ahead=steps_ahead)

    def horizons(self, recording, horizon):
        """Return the direct forecasts of rows t, ..., t + horizon - 1 for every t from `start` on.

        An array (rows, horizon, Ky); the forecasts of the last row end with the recording. ValueError if `horizon` is
        larger than that of the model.
        """
        if horizon > self.model.horizon:
            raise ValueError(f"the model forecasts {self.model.horizon} steps, got horizon {horizon}; ask for no more")
        return self._predicted(predict_horizons, recording)[:, :horizon]

    def quantiles(self, recording, steps_ahead, levels):
        """Return quantiles (T - start, Ky, L) at L levels of the predictions of a call."""
        return self._predicted(predict_recordings_quantiles, recording, levels=levels, steps_ahead=steps_ahead)

    def horizon_quantiles(self, recording, levels):
        """Return quantiles (rows, H, Ky, L) at L levels of the forecasts of `horizons`."""
        return self._predicted(predict_horizons_quantiles, recording, levels=levels)

    def _predicted(self, predict, recording, **options):
        if not getattr(self.model, "feedback", True):
            recording = recording.recent(self.washout)
        first, predictions = predict(self.model, [recording], self.scaler, **options)[0]
        return predictions[recording.start - first:]


def beginning(recording, washout):
    """Return the recording with at least its first `washout` rows as history."""
    return recording.part(max(recording.start, washout), len(recording))


def kind_of(steps_ahead):
    """Return the name of a mode of prediction in score columns: open_loop, free_run or ahead_n."""
    return {1: "open_loop", None: "free_run"}.get(steps_ahead, f"ahead_{steps_ahead}")


def compare(predictor, recordings, ways, metrics=METRICS):
    """Return the scores of a predictor, averaged over recordings and outputs.

    Parameters
    ----------
    predictor : callable
    recordings : list of Recording
        Predicted from `start` on.
    ways : sequence of int or None
        1 (open loop), None (free run), or n: exactly n steps after the last measured value.
    metrics : sequence of str
        Names of functions of `gluon_rnn.metrics.series`.

    Returns
    -------
    dict of str to float
        Such as ``{"open_loop_rmse": .., "free_run_rmse": ..}``; infinity if a prediction diverges.
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
        raise ValueError(f"recording {recording.name}: predictions {way} steps ahead need {way} rows after the "
                         f"history, got {len(recording) - recording.start}; predict fewer steps ahead")
    return np.concatenate(measured), np.concatenate(predicted)


def _score(metric, measured, predicted):
    if not np.isfinite(predicted).all() or np.abs(predicted).max() > 1e100:
        return math.inf
    return getattr(scores, metric)(measured, predicted)


def horizon_targets(recording, horizon):
    """Return the targets of direct forecasts: rows t, ..., t + H - 1 for each t from `start` to T - H, (rows, H, Ky).

    ValueError if the recording has fewer than H rows from `start` on.
    """
    rows = len(recording) - recording.start - horizon + 1
    if rows < 1:
        raise ValueError(f"recording {recording.name} has {len(recording) - recording.start} rows to predict, and the "
                         f"horizon is {horizon}; pass a longer recording, or train with a shorter horizon")
    return recording.y[recording.start + np.arange(rows)[:, None] + np.arange(horizon)]


def horizon_errors(predictor, recordings, horizon, scaler):
    """Return the errors of direct forecasts of several steps in scaled units, (rows of all recordings, H, Ky).

    Parameters
    ----------
    predictor : object with ``horizons(recording, horizon)``
        The forecasts (rows, horizon, Ky) of rows t, ..., t + horizon - 1 for every t from `start` on.
    recordings : list of Recording
    horizon : int
    scaler : SeriesScaler
    """
    return np.concatenate([scaler.y.transform(predictor.horizons(recording, horizon))
                           - scaler.y.transform(horizon_targets(recording, horizon)) for recording in recordings])


def horizon_scores(predictor, recordings, horizon, scaler):
    """Return mse and mae of direct forecasts of several steps, in scaled units, over all origins, horizons and outputs.

    Parameters are those of `horizon_errors`.
    """
    with np.errstate(over="ignore"):
        errors = horizon_errors(predictor, recordings, horizon, scaler)
        return {"horizon_mse": float(np.mean(errors ** 2)), "horizon_mae": float(np.mean(np.abs(errors)))}


def quantiles_of(predictor, recordings, ways, band):
    """Return {way: quantiles (T - start, Ky, L) of each recording} at the levels of a `Band`; {} without a band."""
    if band is None:
        return {}
    return {way: [predictor.quantiles(recording, way, band.levels) for recording in recordings] for way in ways}


def band_scores(recordings, quantiles, band):
    """Return coverage and pinball loss, in units of the targets, in open loop and in a free run.

    Parameters
    ----------
    recordings : list of Recording
    quantiles : dict
        From `quantiles_of`; only open loop and free run are scored.
    band : Band or None

    Returns
    -------
    dict of str to float
        Such as ``{"open_loop_coverage_90": .., "open_loop_pinball": .., ...}``.
    """
    measured = [recording.y[recording.start:] for recording in recordings]
    return {f"{kind_of(way)}_{name}": value for way in quantiles if way in (1, None)
            for name, value in band.scores(measured, quantiles[way]).items()}


def horizon_band_scores(predictor, recordings, horizon, scaler, band):
    """Return coverage and pinball loss of direct forecasts of several steps, in scaled units; {} if `band` is None.

    Other parameters are those of `horizon_errors`.
    """
    if band is None:
        return {}
    measured = [scaler.y.transform(horizon_targets(recording, horizon)) for recording in recordings]
    quantiles = [np.moveaxis(predictor.horizon_quantiles(recording, band.levels), -1, 0) for recording in recordings]
    scaled = [np.moveaxis(scaler.y.transform(part), 0, -1) for part in quantiles]
    return {f"horizon_{name}": value for name, value in band.scores(measured, scaled).items()}
