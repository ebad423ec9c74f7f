"""What a forecasting run leaves behind: scores beside those of trivial methods, predictions as CSV, pictures."""
import numpy as np
import pandas as pd

from gluon_rnn.diagnostics import correlate_residuals, forecast_figure, residual_figure
from gluon_rnn.inference import forecasts
from gluon_rnn.inference.bands import Band
from gluon_rnn.inference.forecasts import kind_of
from gluon_rnn.metrics.baselines.series import ARX, Persistence, SeasonalNaive
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["ALL_METRICS", "arx_like", "band_columns", "baselines_of", "horizon_table", "predictions_table", "report",
           "residuals_of"]

#: scores of a closing evaluation
ALL_METRICS = ("rmse", "nrmse", "nmse", "fit")
#: longest lags of the linear model beside an encoder, which has none of its own
_MOST_LAGS = 32


def baselines_of(task):
    """Return the trivial predictors that stand beside a model, by name.

    Raises
    ------
    ValueError
        If one of them needs more rows before the first prediction than there are.
    """
    found = {"persistence": Persistence()}
    if task.assets.season:
        found["seasonal naive"] = SeasonalNaive(task.assets.season)
    found["linear ARX"] = arx_like(task.model, task.assets.washout).fit(task.data.recordings("train"))
    for recording in task.recordings(task.final_split):
        for predictor in found.values():
            predictor.check(recording)
    return found


def arx_like(model, washout):
    """Return the linear model to stand beside `model`, not fitted.

    It has the lags of a NARX or AR; beside an encoder, which has none, it has those of the washout.
    """
    if hasattr(model, "lags"):
        return ARX.like(model)
    lags = min(washout, _MOST_LAGS)
    return ARX(lags, lags - 1)


def report(task, path, split, limit):
    """Return the closing `Report` of a forecasting task, and write its files into `path`.

    predictions.csv, forecast.png of the first recording, residuals.png of the first target; of a model of several
    horizons horizons.csv as well.
    """
    recordings, predictor = task.recordings(split), task.predictor()
    metrics = (ALL_METRICS,) if task.ways else ()
    scores = {**task.evaluate(split, limit), **task.scores(predictor, recordings, *metrics)}
    others = {name: task.scores(baseline, recordings, *metrics) for name, baseline in task.baselines.items()}
    ways, band = task.ways or (1, task.model.horizon), Band.of(task.model.head)
    quantiles = forecasts.quantiles_of(predictor, recordings, ways, band)
    scores.update(forecasts.band_scores(recordings, quantiles, band) if task.ways else
                  forecasts.horizon_band_scores(predictor, recordings, task.model.horizon, task.assets.scaler, band))
    tables = [predictions_table(predictor, recording, ways, task.assets.scaler.target_names,
                                {way: band.edges(quantiles[way][number]) for way in quantiles})
              for number, recording in enumerate(recordings)]
    if not task.ways:
        predictors = {"model": predictor, **task.baselines}
        horizon_table(predictors, recordings, task.model.horizon, task.assets.scaler).to_csv(path / "horizons.csv",
                                                                                             index=False)
    return Report(split, scores, others, _write_files(task, path, recordings, tables), _exhibits(task, split))


def _exhibits(task, split):
    """Return what the page of the run shows, in words for those who do not see the pictures."""
    names = ", ".join(task.assets.scaler.target_names)
    found = [Exhibit("forecast.png", "Measured and predicted", f"Lines over time of {names} on the first recording of "
                     f"the {split} split, measured beside predicted in each way; predictions.csv has the numbers."),
             Exhibit("residuals.png", "Residuals", "Autocorrelation of the residuals one step ahead of "
                     f"{task.assets.scaler.target_names[0]}, and their correlation with each input, by lag, with the "
                     "bounds within which chance stays; the closing text says which lags leave them."),
             Exhibit("predictions.csv", f"Predictions on the {split} split")]
    return found if task.ways else [*found, Exhibit("horizons.csv", "Errors by step ahead, in scaled units")]


def predictions_table(predictor, recording, ways, target_names, bands=None):
    """Return measured and predicted targets, a row for each predicted row of the recording.

    Parameters
    ----------
    predictor : callable
        See `gluon_rnn.inference.forecasts`.
    recording : Recording
    ways : sequence of int or None
        As `steps_ahead`.
    target_names : list of str
    bands : dict of (lower, upper), optional
        Edges (T - start, Ky) by way.

    Returns
    -------
    pandas.DataFrame
        Columns "time" or "row"; of each target its name, and behind that ``_open_loop``, ``_free_run``, ``_ahead_24``
        and the edges ``_open_loop_lower``, ``_open_loop_upper``, ...
    """
    index = range(recording.start, len(recording)) if recording.times is None else recording.times[recording.start:]
    columns = {"row" if recording.times is None else "time": index}
    found = {way: predictor(recording, way) for way in ways}
    for number, name in enumerate(target_names):
        columns[name] = recording.y[recording.start:, number]
        for way, values in found.items():
            columns[f"{name}_{kind_of(way)}"] = values[:, number]
            if bands and way in bands:
                columns.update(band_columns(f"{name}_{kind_of(way)}", bands[way], number))
    return pd.DataFrame(columns)


def band_columns(name, edges, number):
    """Return the columns of the band around one column, of target `number`."""
    return {f"{name}_{side}": edge[:, number] for side, edge in zip(("lower", "upper"), edges)}


def horizon_table(predictors, recordings, horizon, scaler):
    """Return mse and mae of each step of direct forecasts in scaled units, columns predictor, step, mse, mae."""
    parts = []
    for name, predictor in predictors.items():
        errors = forecasts.horizon_errors(predictor, recordings, horizon, scaler)                  # (rows, H, Ky)
        parts.append(pd.DataFrame({"predictor": name, "step": np.arange(1, horizon + 1),
                                   "mse": np.mean(errors ** 2, axis=(0, 2)), "mae": np.mean(abs(errors), axis=(0, 2))}))
    return pd.concat(parts)


def residuals_of(tables, name):
    """Return measured less predicted, one step ahead, of the target `name`, one array a table."""
    return [(table[name] - table[f"{name}_open_loop"]).to_numpy() for table in tables]


def _write_files(task, path, recordings, tables):
    """Write predictions.csv and the pictures; return what the residuals of each target say."""
    scaler = task.assets.scaler
    forecast_figure(tables[0], scaler.target_names, path / "forecast.png")
    pd.concat([table.assign(recording=recording.name) for table, recording in zip(tables, recordings)]).to_csv(
        path / "predictions.csv", index=False)
    inputs = [recording.x[recording.start:] for recording in recordings]
    residual_figure(residuals_of(tables, scaler.target_names[0]), inputs, scaler.input_names, path / "residuals.png")
    return "\n".join(
        f"residuals of {name}: {correlate_residuals(residuals_of(tables, name), inputs, scaler.input_names).summary()}"
        for name in scaler.target_names)
