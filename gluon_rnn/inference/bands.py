"""Prediction bands: quantiles of the predictive distribution of a forecaster, exact or by ancestral sampling.

Quantiles are exact one step ahead, within the horizon of a model, and for a model without feedback. Otherwise a value
depends on earlier values that are not known. Then many free runs are sampled, each fed with its own samples (ancestral
sampling), and the quantiles are those of the samples.

References
----------
Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR, section 3.2: sample paths.
"""
import dataclasses

import mxnet as mx
import numpy as np

from gluon_rnn.inference import simulate
from gluon_rnn.metrics import series as scores
from gluon_rnn.models.distributions import check_levels
from gluon_rnn.nn.checks import check_sizes

__all__ = ["Band", "predict_horizons_quantiles", "predict_quantiles", "predict_recordings_quantiles"]

#: largest number of sample paths in one batch
_MOST_ROWS = 20000
#: default level of a band: the share of values that it contains
_LEVEL = 0.9
#: levels of the pinball loss of a parametric distribution
_DECILES = tuple(tenth / 10 for tenth in range(1, 10))


def predict_quantiles(model, u, y, levels, steps_ahead=1, *, washout=None, horizon=None, samples=200, seed=0):
    """Predict quantiles of y; see `gluon_rnn.inference.predict` for the modes of prediction.

    Parameters
    ----------
    model : Forecaster
        With distribution gaussian, student_t or quantile.
    u, y, steps_ahead, washout, horizon
        As in `predict`.
    levels : sequence of float in (0, 1)
        Such as [0.05, 0.5, 0.95].
    samples : int, default 200
        Number of sample paths of each block where quantiles are not exact.
    seed : int, default 0
        Seed of the sampling; the global generators of MXNet and NumPy are not used.

    Returns
    -------
    (horizon, N, Ky, L) float64 array; (N, horizon, Ky, L) for a model of layout "NTC"
        L levels, in the units of y.

    Raises
    ------
    ValueError
        As `predict`; also if the model predicts points only, or a model with a horizon of several steps is asked for
        more steps than that.
    """
    run = simulate.make_run(model, u, y, steps_ahead, washout, horizon)
    quantiles, = _quantiles_of_runs(model, [run], levels, steps_ahead, samples, seed)
    return quantiles if model.layout == "TNC" else quantiles.swapaxes(0, 1)


def predict_recordings_quantiles(model, recordings, scaler, levels, steps_ahead=1, *, washout=None, samples=200,
                                 seed=0):
    """Predict quantiles of recordings in the units of the targets, as `predict_recordings` predicts the mean.

    Returns
    -------
    list of (int, (T - first, Ky, L) float64 array), one pair for each recording
        First predicted row, and the L quantiles of this and all later rows.
    """
    runs = simulate.runs_of(model, recordings, scaler, washout)
    found = (values[:, 0] for values in _quantiles_of_runs(model, runs, levels, steps_ahead, samples, seed))
    return [(run.washout, values if scaler is None else _inverse(scaler, values)) for run, values in zip(runs, found)]


def predict_horizons_quantiles(model, recordings, scaler, levels, *, washout=None):
    """Predict quantiles of all steps of the model's horizon from each row on, as `predict_horizons` predicts the mean.

    Returns
    -------
    list of (int, (R, H, Ky, L) float64 array), one pair for each recording
    """
    found, levels = [], check_levels(levels)
    for run in simulate.runs_of(model, recordings, scaler, washout):
        values = model.head.quantiles(simulate.open_loop(model, run), levels)            # (R + H - 1, 1, H * Ky, L)
        values = values.reshape((len(values), model.horizon, model.output_size, -1))
        values = values[:max(run.horizon - model.horizon + 1, 0)]
        found.append((run.washout, values if scaler is None else _inverse(scaler, values)))
    return found


@dataclasses.dataclass(frozen=True)
class Band:
    """A prediction interval, given by the levels of its edges, and the levels of the pinball loss.

    Parameters
    ----------
    lower, upper : float
        Levels of the edges.
    scored : tuple of float
        Levels of the pinball loss.

    Examples
    --------
    >>> from gluon_rnn.models.distributions import make_distribution
    >>> Band.of(make_distribution("gaussian"), level=0.8).lower
    0.1
    >>> Band.of(make_distribution("point")) is None
    True
    """

    lower: float
    upper: float
    scored: tuple

    @classmethod
    def of(cls, head, level=None):
        """Return the band of an output head that contains the share `level` of values; None for a head without bands.

        The default is 0.9; for a quantile head the band between its outermost quantiles.

        Raises
        ------
        ValueError
            If the level does not lie between 0 and 1, or the head has no such quantiles.
        """
        if level is not None and not 0 < level < 1:
            raise ValueError(f"the level of a band must lie between 0 and 1, got {level!r}")
        trained = getattr(head, "levels", None)
        if not head.probabilistic or (trained is not None and len(trained) < 2):
            if level is not None:
                head.quantiles(np.zeros((1, head.parameters_per_output)), cls._edges(level))   # raises ValueError
            return None
        if level is None and trained is not None:
            lower, upper = float(trained[0]), float(trained[-1])
        else:
            lower, upper = cls._edges(_LEVEL if level is None else level)
            head.quantiles(np.zeros((1, head.parameters_per_output)), (lower, upper))
        return cls(lower, upper, _DECILES if trained is None else tuple(map(float, trained)))

    @staticmethod
    def _edges(level):
        return round((1 - level) / 2, 12), round((1 + level) / 2, 12)

    @property
    def level(self):
        """Nominal coverage: the share of values that should lie in the band."""
        return round(self.upper - self.lower, 12)

    @property
    def levels(self):
        """Levels of the edges and of the pinball loss, in ascending order."""
        return tuple(sorted({self.lower, self.upper, *self.scored}))

    def edges(self, quantiles):
        """Return the lower and the upper edge, each (...), from quantiles (..., L) at `levels`."""
        return tuple(quantiles[..., self.levels.index(level)] for level in (self.lower, self.upper))

    def scores(self, measured, quantiles):
        """Return e.g. ``{"coverage_90": .., "pinball": ..}`` of quantiles (..., L) at `levels` for measured (...).

        Both are lists of arrays, one for each recording. Coverage is the share of measured values in the band; the
        number in its name is the nominal percentage. NaN, from a free run that diverged, counts as infinity.
        """
        quantiles = [np.where(np.isnan(part), np.inf, part) for part in quantiles]
        lower, upper = zip(*map(self.edges, quantiles))
        places = [self.levels.index(level) for level in self.scored]
        return {f"coverage_{100 * self.level:.4g}": scores.coverage(measured, list(lower), list(upper)),
                "pinball": scores.pinball(measured, [part[..., places] for part in quantiles], self.scored)}


def _inverse(scaler, quantiles):
    """Return quantiles (..., Ky, L) in the units of the targets."""
    return np.stack([scaler.y.inverse(quantiles[..., i]) for i in range(quantiles.shape[-1])], axis=-1)


def _quantiles_of_runs(model, runs, levels, steps_ahead, samples, seed):
    """Return the quantiles (horizon, N, Ky, L) of each run."""
    levels = check_levels(levels)
    check_sizes(samples=samples)
    if not model.head.probabilistic:
        model.head.quantiles(None, levels)                                # raises ValueError
    if steps_ahead == 1:
        return [model.head.quantiles(simulate.open_loop(model, run), levels)[:, :, :model.output_size]
                for run in runs]
    block, inputs, states = simulate.rows_of_anchors(model, runs, steps_ahead)
    if not model.settings.feedback:                                       # nothing depends on samples
        quantiles = model.head.quantiles(simulate.closed_loop(model, layout="TNC")(inputs, states)[0], levels)
    elif model.horizon == 1:
        quantiles = _sampled(model, inputs, states, levels, samples, np.random.default_rng(seed))
    else:
        quantiles = _direct(model, inputs, states, levels)
    return simulate.regroup(runs, block, quantiles)


def _direct(model, inputs, states, levels):
    """Return the quantiles (T, N, Ky, L) of T <= H steps, all of them predicted at the first step."""
    steps = inputs.shape[0]
    if steps > model.horizon:
        raise ValueError(f"expected bands of at most {model.horizon} steps, the horizon of the model, got {steps}; "
                         "predict fewer steps, or train with horizon 1, for which paths are sampled")
    raw = simulate.next_raw(model, inputs[:1], states)
    quantiles = model.head.quantiles(raw, levels)                         # (1, N, H * Ky, L)
    rows = inputs.shape[1]
    return quantiles.reshape((rows, model.horizon, model.output_size, -1)).swapaxes(0, 1)[:steps]


def _sampled(model, inputs, states, levels, samples, generator):
    """Return the quantiles (T, N, Ky, L) of `samples` free runs from each row's states."""
    axes = [info["__layout__"].index("N") for info in model.state_info(1)]
    some, found = max(1, _MOST_ROWS // samples), []
    for begin in range(0, inputs.shape[1], some):                         # a batch of rows
        end = min(begin + some, inputs.shape[1])
        repeated = [state.slice_axis(axis=axis, begin=begin, end=end).repeat(samples, axis=axis)
                    for state, axis in zip(states, axes)]
        paths = _paths(model, inputs[:, begin:end].repeat(samples, axis=1), repeated, generator)
        paths = paths.reshape((len(paths), end - begin, samples, -1))
        found.append(np.moveaxis(np.quantile(paths, levels, axis=2), 0, -1))
    return np.concatenate(found, axis=1)


def _paths(model, inputs, states, generator):
    """Return one free run (T, N, Ky) of each row, fed with samples of its own predictions."""
    drawn = []
    for t in range(inputs.shape[0]):
        raw, states = simulate.next_raw_and_states(model, inputs[t:t + 1], states)
        drawn.append(model.head.sample(raw, generator))
        value = mx.nd.array(drawn[-1], ctx=inputs.context, dtype=inputs.dtype)
        states = [*states[:-1], value]                                    # the last state is the last output
    return np.concatenate(drawn)
