"""What a trained model of time series answers: predictions of a recording, in open loop, n steps ahead or free."""
import mxnet as mx
import numpy as np

from gluon_rnn.answers import file_predictions, forecasting
from gluon_rnn.answers.forecasting import ForecastingPipeline, recording_of
from gluon_rnn.config import ConfigError
from gluon_rnn.data import SeriesFormat
from gluon_rnn.inference.forecast_ensemble import predictor_of
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.inference.simulate import closed_loop
from gluon_rnn.models import Forecaster
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["ForecastingPredictor", "SeriesAssets"]


class SeriesAssets(forecasting.SeriesAssets):
    """What turns a file into numbers for a model, and a model's numbers into a forecast; files may have dates."""

    format_class = SeriesFormat


class ForecastingPredictor(Predictor):
    """A model of time series, its scaler, and how the files of its recordings are read."""

    assets_class = SeriesAssets
    pipeline_class = ForecastingPipeline
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
        x : (T, Cx) array or DataFrame, or None
            Exogenous inputs; the columns of a DataFrame are found by their names.
        y : (T, Ky) array or DataFrame
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
        recording = recording_of(x, y, self.assets, steps_ahead, start, self.model.horizon)
        return self.of_recordings()(recording, steps_ahead)

    def predict_file(self, path, steps_ahead=1, horizon=None, split="train"):
        """Predict the rows of a CSV file and forecast those behind the last measured one.

        Parameters and answer are those of `gluon_rnn.answers.file_predictions.predict_file`.
        """
        return file_predictions.predict_file(self.predict, self.assets, path, steps_ahead, horizon, split)

    stream = by_pipeline(ForecastingPipeline.stream)

    def networks(self):
        """Return the networks of the pipeline, of the layout "TNC"."""
        closed = [] if self.model.horizon > 1 else [closed_loop(model, "TNC") for model in self.models]
        for block in closed:
            block.hybridize()
        found = {"open_loop": [LiveNetwork(model) for model in self.models]}
        return {**found, "closed_loop": [LiveNetwork(block) for block in closed]} if closed else found

    def pipeline_options(self):
        """Return what the pipeline has to know of the model."""
        model, head = self.model, self.model.head
        return {"horizon": model.horizon, "memory": model.memory, "finite_memory": not isinstance(model, Forecaster),
                "feedback": bool(getattr(model, "feedback", True)), "dtype": model._dtype,
                "parameters_per_output": head.parameters_per_output, "mean": head.mean_place}

    def example(self):
        """Return scaled inputs and measured outputs side by side, (T, N, Cx + Ky)."""
        scaler, steps = self.assets.scaler, self.assets.washout + 4
        columns = len(scaler.input_names) + len(scaler.target_names)
        return mx.nd.array(np.random.default_rng(0).standard_normal((steps, 2, columns)))

    def trials(self):
        """Return a recording to predict in open loop, three steps ahead, and freely."""
        recording = trials.recording(self.assets.scaler, self.assets.washout + 12)
        return [(recording, {"steps_ahead": steps}) for steps in (1, 3, None)]
