"""What a trained model of time series answers: predictions of a recording, in open loop, n steps ahead or free."""
import dataclasses
import json
from typing import Optional

import mxnet as mx
import numpy as np

from gluon_rnn.config import ConfigError
from gluon_rnn.data import Recording, SeriesFormat
from gluon_rnn.data.scaling import SeriesScaler
from gluon_rnn.inference.forecast_ensemble import predictor_of
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["ForecastingPredictor", "SeriesAssets"]


@dataclasses.dataclass
class SeriesAssets:
    """What turns a file into numbers for a model, and a model's numbers into a forecast.

    The scaler, the washout, the season where one was given, and by split how its files are read, where there are files.
    """

    scaler: SeriesScaler
    washout: int = 0
    season: Optional[int] = None
    formats: dict = dataclasses.field(default_factory=dict)

    def texts(self):
        """Return the two files."""
        formats = {split: json.loads(layout.to_json()) for split, layout in self.formats.items()}
        return {"scaler.json": self.scaler.to_json(),
                "series.json": json.dumps({"washout": self.washout, "season": self.season, "formats": formats})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        stored = json.loads(read("series.json"))
        formats = {split: SeriesFormat.from_json(json.dumps(layout))
                   for split, layout in stored.get("formats", {}).items()}
        return cls(SeriesScaler.from_json(read("scaler.json")), stored["washout"], stored["season"], formats)


class ForecastingPredictor(Predictor):
    """A model of time series, its scaler, and how the files of its recordings are read."""

    assets_class = SeriesAssets
    size_names = ("input_size", "output_size")
    ensemble_rule = "the median of their predictions"
    answers_elsewhere = "use gluon-rnn forecast"

    @classmethod
    def sizes(cls, assets):
        """Return the numbers of input and of target columns."""
        return {"input_size": len(assets.scaler.input_names), "output_size": len(assets.scaler.target_names)}

    @classmethod
    def build_model(cls, plan, assets):
        """Return the model of a `plan` for the columns of `assets`, not initialised."""
        sizes = cls.sizes(assets)
        if plan.name == "ar":
            inputs = sizes.pop("input_size")
            if inputs:
                raise ConfigError(f"model.name: ar takes no inputs, and data.inputs has {inputs}; use narx, with "
                                  "hidden_sizes: [] for a linear model")
        return plan.build(**sizes)

    def of_recordings(self):
        """Return the model, or the median of an ensemble, as `gluon_rnn.inference.forecasts` calls models."""
        return predictor_of(self.models, self.assets.scaler, self.assets.washout)

    def predict(self, x, y, steps_ahead=1, start=None):
        """Predict a recording in the units of its file; of an ensemble the median of what all predict.

        Parameters
        ----------
        x : (T, Cx) array or None
            Exogenous inputs.
        y : (T, Ky) array
            Measured targets; what is not read may be NaN: a free run reads the rows before `start` only.
        steps_ahead : int or None, default 1
            1 is open loop, n re-anchors at every n, None is a free run; as in `gluon_rnn.inference.predict`.
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
        recording = Recording("the data given", x, y, _checked_start(self.assets.washout, y, steps_ahead, start))
        return self.of_recordings()(recording, steps_ahead)

    def export_arguments(self):
        """Return an example of scaled inputs and measured outputs side by side, and the scaler."""
        scaler = self.assets.scaler
        columns = len(scaler.input_names) + len(scaler.target_names)
        example = mx.nd.random.normal(shape=(self.assets.washout + 4, 2, columns))
        return {"example": example, "scaler": json.loads(scaler.to_json())}


def _checked_start(washout, y, steps_ahead, start):
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
