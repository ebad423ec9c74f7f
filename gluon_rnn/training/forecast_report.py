"""What a forecasting run leaves behind: scores beside those of trivial methods, predictions as CSV, pictures."""
import pandas as pd

from gluon_rnn.diagnostics import correlate_residuals, forecast_figure, residual_figure
from gluon_rnn.inference.baselines import ARX, Persistence, SeasonalNaive
from gluon_rnn.inference.forecasts import kind_of
from gluon_rnn.training.task import Report

__all__ = ["baselines_of", "predictions_table", "report"]

_METRICS = ("rmse", "nrmse", "nmse", "fit")
#: longest lags of the linear model beside an encoder, which has none of its own
_MOST_LAGS = 32


def baselines_of(task):
    """Return the trivial predictors that stand beside a model, by name.

    The linear model has the lags of a NARX or AR; beside an encoder, which has none, it has those of the washout.

    Raises
    ------
    ValueError
        If one of them needs more rows before the first prediction than there are.
    """
    if hasattr(task.model, "lags"):
        arx = ARX.like(task.model)
    else:
        lags = min(task.assets.washout, _MOST_LAGS)
        arx = ARX(lags, lags - 1)
    found = {"persistence": Persistence(), "linear ARX": arx.fit(task.data.recordings("train"))}
    if task.assets.season:
        found["seasonal naive"] = SeasonalNaive(task.assets.season)
    for recording in task.recordings(task.final_split):
        for predictor in found.values():
            predictor.check(recording)
    return found


def report(task, path, split, limit):
    """Return the closing `Report` of a forecasting task, and write its files into `path`."""
    recordings = task.recordings(split)
    metrics = (_METRICS,) if task.ways else ()
    scores = {**task.evaluate(split, limit), **task.scores(task.predictor(), recordings, *metrics)}
    others = {name: task.scores(predictor, recordings, *metrics) for name, predictor in task.baselines.items()}
    text = _write_files(task, path, recordings) if task.ways else ""
    return Report(split, scores, others, text)


def predictions_table(predictor, recording, ways, target_names):
    """Return measured and predicted targets, a row for each predicted row of the recording."""
    index = range(recording.start, len(recording)) if recording.times is None else recording.times[recording.start:]
    columns = {"row" if recording.times is None else "time": index}
    found = {way: predictor(recording, way) for way in ways}
    for number, name in enumerate(target_names):
        columns[name] = recording.y[recording.start:, number]
        columns.update({f"{name}_{kind_of(way)}": values[:, number] for way, values in found.items()})
    return pd.DataFrame(columns)


def _write_files(task, path, recordings):
    """Write predictions.csv, forecast.png of the first recording and residuals.png of the first target."""
    scaler, predictor = task.assets.scaler, task.predictor()
    tables = [predictions_table(predictor, recording, (1, None), scaler.target_names) for recording in recordings]
    forecast_figure(tables[0], scaler.target_names, path / "forecast.png")
    pd.concat([table.assign(recording=recording.name) for table, recording in zip(tables, recordings)]).to_csv(
        path / "predictions.csv", index=False)
    name = scaler.target_names[0]
    residuals = [(table[name] - table[f"{name}_open_loop"]).to_numpy() for table in tables]
    inputs = [recording.x[recording.start:] for recording in recordings]
    residual_figure(residuals, inputs, scaler.input_names, path / "residuals.png")
    return f"residuals of {name}: {correlate_residuals(residuals, inputs, scaler.input_names).summary()}"
