"""What a model of series says about the rows of a CSV file, and a forecast of the rows behind them."""
import dataclasses

import numpy as np

from gluon_rnn.answers.checks import check_counts
from gluon_rnn.answers.series_file import SeriesLayout
from gluon_rnn.answers.text_files import read_text
from gluon_rnn.registry import suggest

__all__ = ["FilePredictions", "predict_file"]


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


def predict_file(predict, assets, path, steps_ahead=1, horizon=None, split="train"):
    """Predict the measured rows of a CSV file, and forecast the rows behind them in a free run.

    Parameters
    ----------
    predict : callable
        `ForecastingPipeline.predict`.
    assets : SeriesAssets
        The file is read as those of the run were; where the run read none, it has a header with the names of the
        scaler's columns, commas and decimal points.
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
        If the run read no files of this split, or if the file is not as the run's were, is too short, or has no inputs
        for the horizon.
    """
    layout = _layout(assets, split)
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
    return FilePredictions(list(assets.scaler.target_names), start, y[:known], predicted)


def _layout(assets, split):
    """Return how a file is read; ValueError for a split of which the run read no files."""
    if not assets.formats:
        return SeriesLayout(tuple(assets.scaler.input_names), tuple(assets.scaler.target_names))
    if split not in assets.formats:
        raise ValueError(f"the run read no files of its own for the split {split!r}; "
                         f"{suggest(split, list(assets.formats))}")
    return assets.formats[split]
