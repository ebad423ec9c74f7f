"""Forecaster: prediction of time series from their past and from inputs, and identification of systems."""
import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import validate_data

from gluon_rnn.data.series_in_memory import arranged
from gluon_rnn.estimators.base import RunEstimator

__all__ = ["Forecaster"]


class Forecaster(RegressorMixin, RunEstimator):
    """Forecaster of one or more series from their past and from inputs.

    Arguments that are None leave what the recipe says.

    Parameters
    ----------
    model : {"ar", "narx", "forecaster"}, optional
        A linear autoregression without inputs, a NARX network, or any causal `encoder` with an output layer. Default
        "narx", and "forecaster" where an encoder is given.
    encoder : str or dict, optional
        Of the model "forecaster": a name such as "lstm", or a section of a recipe.
    input_lag, output_lag : int, optional
        Of "ar" and "narx": so many past rows of inputs and of outputs; default 2.
    hidden_size : int, optional
        Units of the hidden layer of a NARX network, or of the encoder; default 16.
    feedback : {"open_loop", "scheduled", "closed_loop"}, optional
        What training feeds back; see `gluon_rnn.tasks.forecasting.task.ForecastingTask`.
    epochs, learning_rate, batch_size : optional
        Of training; default 60, 0.01 and 16.
    seed : int, default 0
    validation_fraction : float in (0, 1), default 0.2
        The end of each recording, which selects the epoch: by its predictions one step ahead, or by its free run where
        `feedback` is not "open_loop"; ``overrides={"task__select": "free_run_rmse"}`` always takes the latter.
    recipe : str, Path or dict, optional
        In the place of the recipe of this class: a file, the name of a packaged recipe, or a dict.
    overrides : dict, optional
        Further keys of the recipe, as `gluon_rnn.train` takes them: ``{"training__clip_norm": 0.5}``.
    output_dir : str or Path, optional
        Where the run's folder stays; without it a temporary folder is used and removed.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : (n_features_in_,) array of str
        Where the inputs were a DataFrame.
    washout_ : int
        Rows that a prediction begins from.
    metrics_, results_, run_, predictor_
        See `gluon_rnn.estimators.base.RunEstimator`.

    Notes
    -----
    Rows are in the order of time: use `sklearn.model_selection.TimeSeriesSplit`, not a shuffled split. `score` works in
    searches and cross-validation; a scorer that calls ``predict(X)`` does not, since a prediction needs measured
    outputs.
    """

    keys = {**{name: key for name, key in RunEstimator.keys.items() if name != "hidden_size"},
            "model": "model.name", "input_lag": "model.input_lag", "output_lag": "model.output_lag",
            "feedback": "task.feedback"}

    def __init__(self, model=None, *, encoder=None, input_lag=None, output_lag=None, hidden_size=None, feedback=None,
                 epochs=None, learning_rate=None, batch_size=None, seed=0, validation_fraction=0.2, recipe=None,
                 overrides=None, output_dir=None):
        self.model, self.encoder, self.input_lag, self.output_lag = model, encoder, input_lag, output_lag
        self.hidden_size, self.feedback, self.epochs, self.learning_rate = hidden_size, feedback, epochs, learning_rate
        self.batch_size, self.seed, self.validation_fraction = batch_size, seed, validation_fraction
        self.recipe, self.overrides, self.output_dir = recipe, overrides, output_dir

    def base_recipe(self):
        """Return the recipe where the user gives none."""
        name = self.model or ("narx" if self.encoder is None else "forecaster")
        models = {"ar": {"output_lag": 2},
                  "narx": {"input_lag": 2, "output_lag": 2, "hidden_sizes": [16], "skip": True},
                  "forecaster": {"encoder": {"name": "lstm", "hidden_size": 16}}}
        # the linear fit as a start is for one output
        start = {"start": "least_squares"} if name != "forecaster" and self._num_outputs == 1 else {}
        return {"task": {"name": "forecasting", **start}, "model": {"name": name, **models.get(name, {})},
                "data": {"name": "time_series", "batch_size": 16, "bptt": 20, "stride": 5},
                "training": {"epochs": 60, "eval_interval": 5, "clip_norm": 1.0, "schedule": {"name": "cosine"},
                             "optimizer": {"name": "adam", "learning_rate": 0.01}}}

    def fit(self, X, y, *, valid=None):
        """Train on a recording, or on a list of recordings.

        Parameters
        ----------
        X : (T, C) array or DataFrame, or None, or a list of those
            Inputs; row t is known when row t of `y` is predicted.
        y : (T,) or (T, K) array, Series or DataFrame, or a list of those
            Measured outputs.
        valid : (X, y), optional
            Recordings that select the epoch, in the place of `validation_fraction`.

        Returns
        -------
        self
        """
        if y is None:
            raise ValueError("Forecaster requires y to be passed, but the target y is None")
        self._note_columns(X)
        first = y[0] if isinstance(y, list) and len(y) and np.ndim(y[0]) else y
        self._num_outputs = 1 if np.ndim(first) < 2 else np.shape(first)[1]
        data = {"train": self._recordings(X, y)}
        recipe = self._sized(self._recipe())
        section = recipe["data"]
        for key in ("split", "valid_fraction", "inputs", "targets", "date"):
            section.pop(key, None)
        if valid is None:
            section["valid_fraction"] = float(self.validation_fraction)
        else:
            data["valid"] = self._recordings(*valid)
        self._fit(recipe, data)
        self.washout_ = self.predictor_.assets.washout
        return self

    def predict(self, X, y=None, steps_ahead=None, *, forecast_horizon=None):
        """Predict a recording.

        Parameters
        ----------
        X : (T, C) array or DataFrame, or None
            Inputs, columns in any order where they have names.
        y : array, Series or DataFrame
            Measured outputs. Open loop and n steps ahead read all of them; a free run reads the first `washout_` rows,
            so that no more have to be there.
        steps_ahead : int, optional
            1 is one step ahead (open loop), n begins anew from measured rows at every n. By default, None, a free run:
            behind the first `washout_` rows it reads inputs alone.
        forecast_horizon : int, optional
            Of a model without inputs: rows to predict behind those of `y`.

        Returns
        -------
        (T,) or (T, K) float64 array, as `y`
            The first `washout_` rows are those of `y`, which a prediction begins from.
        """
        predictor = self.predictor_
        if y is None:
            raise ValueError("predict needs y, the measured outputs that a prediction begins from; pass at least the "
                             f"first {self.washout_} rows of them (a scorer that calls predict(X) cannot be used: "
                             "score(X, y) passes y)")
        x, measured = self._arrays(X), np.asarray(y, dtype=np.float64)
        rows = len(measured) + (forecast_horizon or 0) if x is None else len(x)
        outputs = measured.reshape(len(measured), -1)
        if len(outputs) > rows:
            raise ValueError(f"y has {len(outputs)} rows and X has {rows}; pass no more outputs than inputs")
        if len(outputs) < self.washout_:
            raise ValueError(f"y has {len(outputs)} rows, and a prediction begins from the first {self.washout_}; pass "
                             "at least as many")
        padded = np.pad(outputs, ((0, rows - len(outputs)), (0, 0)), constant_values=np.nan)
        start = len(outputs) if forecast_horizon else self.washout_
        found = padded.copy()
        if start < rows:
            found[start:] = predictor.predict(x, padded, steps_ahead=steps_ahead, start=start)
        return found.reshape(rows, *measured.shape[1:])

    def score(self, X, y, steps_ahead=None):
        """Return R^2 of the prediction, the first `washout_` rows left out; arguments as those of `predict`."""
        found, start = self.predict(X, y, steps_ahead), self.washout_
        return r2_score(np.asarray(y, dtype=np.float64)[start:], found[start:])

    def _sized(self, recipe):
        """Return the recipe with `hidden_size` where its model has it."""
        model = recipe["model"]
        if self.hidden_size is None:
            return recipe
        if model.get("encoder") is not None:
            model["encoder"] = {**model["encoder"], "hidden_size": int(self.hidden_size)}
        elif model.get("name", "narx") == "narx":
            model["hidden_sizes"] = [int(self.hidden_size)]
        else:
            raise ValueError(f"hidden_size is {self.hidden_size}, and the model {model['name']!r} has no hidden layer; "
                             "leave it out, or choose another model")
        return recipe

    def _note_columns(self, X):
        """Note number and names of the inputs."""
        first = X[0] if isinstance(X, list) and len(X) and np.ndim(X[0]) == 2 else X
        if first is None:
            self.n_features_in_ = 0
        else:                                                             # what is missing is the recipe's affair
            validate_data(self, first, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2)

    def _recordings(self, X, y):
        """Return one or more recordings (inputs, targets), the columns of the inputs in the order of the first."""
        if not isinstance(y, list) or (y and np.ndim(y[0]) == 0):         # one recording
            return self._arrays(X, "frame"), y
        inputs = [None] * len(y) if X is None else X
        if not isinstance(inputs, list) or len(inputs) != len(y):
            raise ValueError(f"{len(y)} recordings of y need a list of as many of X, got {type(X).__name__}")
        return [(self._arrays(part, "frame"), outputs) for part, outputs in zip(inputs, y)]

    def _arrays(self, X, kind="array"):
        """Return inputs with the columns of training in their order; as an array, or of a DataFrame as a "frame"."""
        if X is None:
            if self.n_features_in_:
                raise ValueError(f"X is None, and the model has {self.n_features_in_} inputs; pass them")
            return None
        if isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_"):
            X = arranged(X, list(self.feature_names_in_), "X: the inputs")
        if kind == "frame" and isinstance(X, pd.DataFrame):
            return X
        return validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=False)
