"""Forecasts of a file by a trained model: predictions, scores beside trivial methods, pictures; all or nothing."""
import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from gluon_rnn.data import Recording, SeriesFormat, SeriesScaler
from gluon_rnn.diagnostics import correlate_residuals, forecast_figure, residual_figure
from gluon_rnn.inference import forecasts
from gluon_rnn.inference.bands import Band
from gluon_rnn.metrics.baselines.series import Persistence, SeasonalNaive
from gluon_rnn.parts import build_data
from gluon_rnn.registry import suggest
from gluon_rnn.tasks.forecasting.report import arx_like, band_columns, predictions_table, residuals_of

__all__ = ["FileForecast", "forecast_file"]

#: rows at the end that a picture shows once more where there is a forecast: so many times the horizon, but not fewer
_DETAIL, _LEAST_DETAIL = 5, 50
#: fewest predicted rows whose scores and residuals say anything
_LEAST_ROWS = 8


@dataclasses.dataclass
class FileForecast:
    """What a model says about a file.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each predicted row of the file and each forecast row behind it: "time" or "row", and of each target
        NAME, NAME_open_loop, NAME_free_run (of a model of horizon H NAME_ahead_H instead), NAME_forecast, and where the
        model has bands their edges, NAME_forecast_lower, NAME_forecast_upper, ...
    scores : pandas.DataFrame
        A row for the model and for each trivial method.
    notes : list of str
        What belongs beside the scores.
    recording : Recording
        The measured rows.
    input_names, target_names : list of str
    horizon : int
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    notes: list
    recording: Recording
    input_names: list
    target_names: list
    horizon: int

    def __str__(self):
        """Return scores and notes."""
        return "\n".join([self.scores.to_string(float_format=lambda value: f"{value:.4g}", na_rep=""), *self.notes])

    def write(self, folder):
        """Write predictions.csv, forecast.png and residuals.png (of the first target) into `folder`, all or nothing."""
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"cannot write to {str(folder)!r}: it is a file; name a folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            self._write(partial)
            folder.mkdir(exist_ok=True)
            for path in partial.iterdir():
                os.replace(path, folder / path.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _write(self, folder):
        self.table.to_csv(folder / "predictions.csv", index=False)
        detail = max(_DETAIL * self.horizon, _LEAST_DETAIL)
        forecast_figure(self.table, self.target_names, folder / "forecast.png",
                        detail if self.horizon and 2 * detail < len(self.table) else None)
        inputs = self.recording.x[self.recording.start:]
        residuals = residuals_of([self.table.iloc[:len(inputs)]], self.target_names[0])
        residual_figure(residuals, [inputs], self.input_names, folder / "residuals.png")


def forecast_file(run, path, horizon=0, *, steps_ahead=None, level=None, split="train", missing=None):
    """Predict the measured rows of a file, and forecast the rows behind them.

    Parameters
    ----------
    run : ForecastingPredictor
        As `gluon_rnn.load` returns it.
    path : str or Path
        A file as the run was trained on: columns, dates, separator. Rows at its end may have inputs only.
    horizon : int, at least 0, default 0
        Rows to forecast behind the last measured one, from the measured ones and the inputs.
    steps_ahead : int, at least 2, optional
        One more way to predict, beside open loop and free run: begin anew at every n.
    level : float in (0, 1), optional
        Share of the values in a band; by default 0.9, and of a model with quantiles what its outermost ones hold.
    split : {"train", "valid", "test"}, default "train"
        Whose columns to read, where splits have their own.
    missing : {"refuse", "interpolate", "forward"}, optional
        What to do about missing values; by default as in training.

    Returns
    -------
    FileForecast

    Raises
    ------
    ValueError
        If the file is not as the run's were or is too short, or if it has no inputs for the horizon.
    """
    _check(run, horizon, steps_ahead)
    measured, future = _read(run, str(path), _layout(run, split, missing), horizon)
    predictor, band = run.of_recordings(), Band.of(run.model.head, level)
    baselines, note = _baselines(run, measured)
    measured = _predicted(run, measured, baselines)
    ways = (1, run.model.horizon) if run.model.horizon > 1 else (1, *([steps_ahead] if steps_ahead else []), None)
    names, quantiles = run.assets.scaler.target_names, forecasts.quantiles_of(predictor, [measured], ways, band)
    table = predictions_table(predictor, measured, ways, names, _edges(band, quantiles))
    notes = _band_notes(run, predictor, measured, quantiles, band)
    notes = [*notes, f"linear ARX: {note}", *_residual_notes(run, table, measured)]
    scores = {name: _scores(run, each, measured, ways) for name, each in
              [(f"median of {len(run.models)} models" if run.ensemble else "model", predictor), *baselines.items()]}
    if future is not None:
        table = pd.concat([table, _forecast_table(predictor, future, names, band)], ignore_index=True)
    return FileForecast(table, pd.DataFrame.from_dict(scores, orient="index"), notes, measured,
                        run.assets.scaler.input_names, names, horizon)


def _edges(band, quantiles):
    return {way: band.edges(parts[0]) for way, parts in quantiles.items()}


def _check(run, horizon, steps_ahead):
    run.check_task("forecasting")
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 0:
        raise ValueError(f"horizon must be a whole number of rows, at least 0, got {horizon!r}")
    most = run.model.horizon
    if most > 1 and horizon > most:
        raise ValueError(f"horizon is {horizon}, and this model forecasts {most} rows directly; ask for no more, or "
                         "train with model.horizon of at least that")
    if most > 1 and steps_ahead is not None:
        raise ValueError(f"this model forecasts {most} rows directly and is scored on all of them; leave steps_ahead "
                         "out")
    if steps_ahead is not None and (not isinstance(steps_ahead, int) or steps_ahead < 2):
        raise ValueError(f"steps_ahead must be at least 2 (1 is the open loop, which is always there), got "
                         f"{steps_ahead!r}")


# ---- the file ------------------------------------------------------------------------------------------------------


def _layout(run, split, missing):
    """Return how the file is to be read: as the run's files, or with a header that has the names of a generated set."""
    formats = run.assets.formats
    if formats and split not in formats:
        raise ValueError(f"the run read no files of its own for the split {split!r}; {suggest(split, list(formats))}")
    layout = formats[split] if formats else SeriesFormat(tuple(run.assets.scaler.input_names),
                                                         tuple(run.assets.scaler.target_names))
    return layout if missing is None else dataclasses.replace(layout, missing=missing)


def _read(run, path, layout, horizon):
    """Return the recording of the measured rows, and one of all rows that begins behind them; None without horizon."""
    x, y, times = layout.read(path, future=True)
    known = len(y) - int(np.isnan(y).all(axis=1).sum())                   # the reader lets them stand at the end only
    measured = Recording(path, x[:known], y[:known], 0, None if times is None else times[:known])
    if not horizon:
        return measured, None
    _check_inputs(run.model, path, len(x) - known, horizon)
    rows = known + horizon
    future = Recording(path, _grown(x, rows, 0.0), _grown(y, rows, np.nan), known,
                       None if times is None else _grown_times(times, rows, path))
    return measured, future


def _check_inputs(model, path, given, horizon):
    """Raise ValueError unless the file has the inputs that a forecast reads behind the last measured row.

    Row t of the outputs reads inputs up to t less the dead time; a model of several horizons reads those of the first.
    """
    if not model.input_size:
        return
    delay = -model.lags.input_offsets[0] if hasattr(model, "lags") else model.settings.input_delay
    needed = (1 if model.horizon > 1 else horizon) - delay
    if given < needed:
        raise ValueError(f"{path}: {given} rows with inputs follow the last measured target, and a forecast of "
                         f"{horizon} rows needs {needed}; add rows with inputs and no target, or lower the horizon")


def _grown(values, rows, filling):
    """Return the first `rows` of values (T, C), filled up where there are fewer."""
    return np.pad(values, ((0, max(rows - len(values), 0)), (0, 0)), constant_values=filling)[:rows]


def _grown_times(times, rows, path):
    """Return the first `rows` dates, continued with their frequency where there are fewer."""
    missing = rows - len(times)
    if missing <= 0:
        return times[:rows]
    frequency = pd.infer_freq(times) if len(times) > 2 else None
    if frequency is None:
        raise ValueError(f"{path}: the dates do not follow one another regularly, so that those of {missing} forecast "
                         "rows are not known; add rows at the end with dates and no target")
    return times.append(pd.date_range(times[-1], periods=missing + 1, freq=frequency)[1:])


# ---- what stands beside the model ------------------------------------------------------------------------------------


def _baselines(run, measured):
    """Return the trivial predictors by name, and a note on what the linear ARX was fitted on."""
    found = {"persistence": Persistence()}
    if run.assets.season:
        found["seasonal naive"] = SeasonalNaive(run.assets.season)
    arx = arx_like(run.model, run.assets.washout)
    training, reason = _training_recordings(run)
    try:
        if training is not None:
            return {**found, "linear ARX": arx.fit(training)}, "fitted on the run's training recordings"
        half = len(measured) // 2
        return {**found, "linear ARX": arx.fit([measured.part(0, half)])}, (
            f"fitted on the first {half} of the {len(measured)} measured rows of the file, as {reason}")
    except ValueError as error:
        return found, f"left out ({error})"


def _training_recordings(run):
    """Return the recordings that the run was trained on and "", or None and why there are none."""
    try:
        data = build_data(run.config.data)
        recordings = data.recordings("train")
        scaler = SeriesScaler.fit(recordings, data.input_names, data.target_names, run.assets.scaler.y.kind)
    except (ValueError, OSError) as error:
        return None, f"the run's training data cannot be read: {error}"
    if scaler != run.assets.scaler:
        return None, "the run's training data have changed since"
    return recordings, ""


def _predicted(run, measured, baselines):
    """Return the measured recording with what all methods need to begin as context."""
    needs = {"the model's lags and washout": run.assets.washout,
             **{f"the {name} baseline": each.memory for name, each in baselines.items()}}
    what, start = max(needs.items(), key=lambda item: item[1])
    least = max(run.model.horizon, _LEAST_ROWS)
    if len(measured) < start + least:
        raise ValueError(f"{measured.name}: the file has {len(measured)} measured rows, of which {what} take the first "
                         f"{start}, and at least {least} have to be left; pass a longer record")
    return measured.part(start, len(measured))


# ---- scores and tables -----------------------------------------------------------------------------------------------


def _scores(run, predictor, recording, ways):
    """Return the scores of one predictor, without a ratio to a spread that is not there."""
    if run.model.horizon > 1:
        return forecasts.horizon_scores(predictor, [recording], run.model.horizon, run.assets.scaler)
    spread = np.ptp(recording.y[recording.start:], axis=0).all()
    return forecasts.compare(predictor, [recording], ways, forecasts.METRICS if spread else ("rmse",))


def _band_notes(run, predictor, recording, quantiles, band):
    if band is None:
        return []
    found = (forecasts.band_scores([recording], quantiles, band) if run.model.horizon == 1 else
             forecasts.horizon_band_scores(predictor, [recording], run.model.horizon, run.assets.scaler, band))
    return [f"bands of {band.level:.4g}: " + ", ".join(f"{name} {value:.4g}" for name, value in found.items())]


def _residual_notes(run, table, recording):
    scaler, inputs = run.assets.scaler, [recording.x[recording.start:]]
    return [f"residuals of {name}: "
            + correlate_residuals(residuals_of([table], name), inputs, scaler.input_names).summary()
            for name in scaler.target_names]


def _forecast_table(predictor, recording, target_names, band):
    """Return the forecast rows: their place, and of each target NAME_forecast with its band."""
    table = predictions_table(predictor, recording, (None,), target_names)
    edges = None if band is None else band.edges(predictor.quantiles(recording, None, band.levels))
    columns = {key: table[key] for key in table if key in ("time", "row")}
    for number, name in enumerate(target_names):
        columns[f"{name}_forecast"] = table[f"{name}_free_run"]
        if edges is not None:
            columns.update(band_columns(f"{name}_forecast", edges, number))
    return pd.DataFrame(columns)
