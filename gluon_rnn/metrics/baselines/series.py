"""What a prediction has to beat: the last value, the last season, and a linear ARX model by least squares.

Each is a predictor, as a trained model is in `gluon_rnn.inference.forecasts`: ``predictor(recording, steps_ahead)``
returns the predictions (T - start, Ky) of the rows from ``recording.start`` on. With steps_ahead = 1 each row is
predicted from the measured rows before it (open loop); None predicts all from the rows before `start` (free run); n
begins anew from measured rows at every n. ``predictor.horizons(recording, H)`` forecasts rows t to t + H - 1 for
every t.

References
----------
Hyndman and Athanasopoulos (2021), Forecasting: principles and practice, section 5.2: naive and seasonal naive method.
Ljung (1999), System identification, section 4.2: ARX models.
"""
import numpy as np

from gluon_rnn.data.scaling import Scaler
from gluon_rnn.nn.checks import check_sizes

__all__ = ["ARX", "Persistence", "SeasonalNaive"]


class _Baseline:
    """Predictions in blocks of steps, each of which starts from measured rows."""

    memory = 1      # rows that must stand before the first that is predicted

    def __call__(self, recording, steps_ahead=1):
        """Return the predictions of rows `start` to T - 1, (T - start, Ky) float64.

        Parameters
        ----------
        recording : Recording
            Its `start` must be at least `memory`.
        steps_ahead : int or None, default 1
            See the module.
        """
        self.check(recording)
        rows = len(recording) - recording.start
        if steps_ahead is not None:
            check_sizes(steps_ahead=steps_ahead)
        steps = rows if steps_ahead is None else min(steps_ahead, rows)
        runs = self._run(recording, np.arange(recording.start, len(recording), steps), steps)
        return runs.transpose(1, 0, 2).reshape(-1, runs.shape[-1])[:rows]      # (blocks, steps, Ky) in a row

    def horizons(self, recording, horizon):
        """Return forecasts of rows t, ..., t + H - 1 from the rows before t, for every t from `start` to T - H.

        Parameters
        ----------
        recording : Recording
        horizon : int, at least 1
            H.

        Returns
        -------
        (T - start - H + 1, H, Ky) float64 array
        """
        check_sizes(horizon=horizon)
        self.check(recording)
        origins = np.arange(recording.start, len(recording) - horizon + 1)
        if not len(origins):
            raise ValueError(f"recording {recording.name} has {len(recording) - recording.start} rows to predict, and "
                             f"the horizon is {horizon}; choose a shorter one")
        return self._run(recording, origins, horizon).transpose(1, 0, 2)

    def check(self, recording):
        """Raise ValueError where too few rows stand before the first that is predicted."""
        if recording.start < self.memory:
            raise ValueError(f"recording {recording.name} is predicted from row {recording.start} on, and the "
                             f"{type(self).__name__} baseline needs {self.memory} rows before that; set washout to at "
                             f"least {self.memory}, or choose smaller lags")

    def _run(self, recording, anchors, steps):
        """Return what is predicted from each of the rows `anchors` on, (steps, anchors, Ky); rows past T are any."""
        raise NotImplementedError(f"{type(self).__name__} must define _run")


class Persistence(_Baseline):
    """The last measured value.

    Examples
    --------
    >>> from gluon_rnn.data import Recording
    >>> ramp = Recording("ramp", np.zeros((5, 0)), np.arange(5.0)[:, None], start=1)
    >>> [Persistence()(ramp, ahead)[:, 0].tolist() for ahead in (1, 2, None)]
    [[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]]
    """

    def _run(self, recording, anchors, steps):
        return np.repeat(recording.y[None, anchors - 1], steps, axis=0)


class SeasonalNaive(_Baseline):
    """The value at the same place of the last season that was measured.

    Parameters
    ----------
    season : int, at least 2
        Rows of a season.
    """

    def __init__(self, season):
        check_sizes(season=season)
        self.season = self.memory = season

    def _run(self, recording, anchors, steps):
        ahead = np.arange(steps)[:, None]
        return recording.y[anchors + ahead - self.season * (1 + ahead // self.season)]


class ARX(_Baseline):
    """The linear model with inputs of the same lags as a `NARX`, fitted by least squares in float64.

        y_t = b + sum_{k=0..K} W_k x_{t-D-k} + sum_{l=1..L} V_l y_{t-l}

    Parameters
    ----------
    output_lag : int, at least 1
        L.
    input_lag : int, at least 0, default 0
        K; without meaning where the recordings have no inputs.
    input_delay : int, default 0
        D.

    Attributes
    ----------
    x_weight (Ky, (K + 1) * Cx), y_weight (Ky, L * Ky), bias (Ky,) : float64 arrays, None before `fit`
        Columns in the order of `NARX`: x_{t-D} first, y_{t-1} first.
    memory : int
        Rows that it looks back.

    Notes
    -----
    A free run of an unstable model leaves all bounds; from the first number that is not finite on it is inf.

    Examples
    --------
    >>> from gluon_rnn.data import Recording
    >>> wave = Recording("wave", np.zeros((50, 0)), np.sin(np.arange(50.0))[:, None], start=40)
    >>> model = ARX(2).fit([wave.part(0, 40)])
    >>> float(abs(model(wave, None) - wave.y[40:]).max()) < 1e-12
    True
    """

    def __init__(self, output_lag, input_lag=0, input_delay=0):
        check_sizes(output_lag=output_lag)
        for name, value in (("input_lag", input_lag), ("input_delay", input_delay)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
        self.output_lag, self.input_lag, self.input_delay = output_lag, input_lag, input_delay
        self.x_weight = self.y_weight = self.bias = None
        self._inputs = 0

    @classmethod
    def like(cls, model):
        """Return the ARX with the lags of a `NARX` or `AR`, not fitted."""
        offsets = model.lags.input_offsets
        return cls(model.lags.output_lag, len(offsets) - 1, -offsets[0])

    @property
    def memory(self):
        """Rows that must stand before the first that is predicted."""
        return max(self.output_lag, self.input_delay + self.input_lag if self._inputs else 0)

    def fit(self, recordings):
        """Fit all recordings together, context left out as targets, and return self.

        Raises
        ------
        ValueError
            If a recording is shorter than the lags, or there are fewer rows than coefficients.
        """
        self._inputs = recordings[0].x.shape[1]
        regressors, targets = (np.concatenate(parts) for parts in zip(*map(self._regression, recordings)))
        if len(targets) <= regressors.shape[1]:
            raise ValueError(f"an ARX model with {regressors.shape[1] + 1} coefficients for each target needs more "
                             f"rows than {len(targets)}; choose smaller lags, or pass longer records")
        # Standardised columns: else a rank is decided by the units that the columns happen to have.
        scaler = Scaler().fit([regressors])
        weights = np.linalg.lstsq(scaler.transform(regressors), targets - targets.mean(axis=0), rcond=None)[0].T
        weights = weights / scaler.scale                                  # (Ky, regressors)
        width = (self.input_lag + 1) * self._inputs
        self.x_weight, self.y_weight = weights[:, :width], weights[:, width:]
        self.bias = targets.mean(axis=0) - weights @ scaler.offset
        return self

    def _regression(self, recording):
        """Return regressors and targets of one recording."""
        first = max(recording.start, self.memory)
        if first >= len(recording):
            raise ValueError(f"recording {recording.name} has {len(recording)} rows and the lags of the ARX model take "
                             f"{self.memory}; pass a longer record, or choose smaller lags")
        rows = np.arange(first, len(recording))
        return np.hstack([self._x_lags(recording.x, rows), self._y_lags(recording.y, rows)]), recording.y[rows]

    def check(self, recording):
        """Raise ValueError where the model is not fitted, or the recording is not one for it."""
        if self.bias is None:
            raise ValueError("the ARX model is not fitted; call fit with the training recordings first")
        if recording.x.shape[1] != self._inputs or recording.y.shape[1] != len(self.bias):
            raise ValueError(f"recording {recording.name} has {recording.x.shape[1]} inputs and {recording.y.shape[1]} "
                             f"targets, and the ARX model was fitted on {self._inputs} and {len(self.bias)}")
        super().check(recording)

    def _run(self, recording, anchors, steps):
        rows = np.minimum(anchors + np.arange(steps)[:, None], len(recording) - 1)
        drive = (self._x_lags(recording.x, rows.ravel()) @ self.x_weight.T + self.bias).reshape(*rows.shape, -1)
        past = self._y_lags(recording.y, anchors)                         # (anchors, L * Ky), newest first
        outputs = np.empty_like(drive)
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(steps):
                outputs[step] = drive[step] + past @ self.y_weight.T
                past = np.hstack([outputs[step], past[:, :-outputs.shape[-1]]])
        # inf - inf is NaN, which no score takes; a run that has left all bounds stays out.
        return np.where(np.logical_or.accumulate(~np.isfinite(outputs), axis=0), np.inf, outputs)

    def _x_lags(self, x, rows):
        return np.hstack([x[rows - self.input_delay - lag] for lag in range(self.input_lag + 1)])

    def _y_lags(self, y, rows):
        return np.hstack([y[rows - lag] for lag in range(1, self.output_lag + 1)])
