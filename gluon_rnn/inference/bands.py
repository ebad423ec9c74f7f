"""Bands around predictions: quantiles of what a forecaster with a probabilistic head says, at once or by sampling.

Where the model says it directly (one step ahead, or within its own horizon) a quantile is exact. Further ahead each
value depends on those before it, which are not known: many free runs are drawn, each fed with its own draws (ancestral
sampling), and a quantile is that of the draws.

References
----------
Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR, section 3.2: sample paths.
"""
import mxnet as mx
import numpy as np

from ..models.distributions import check_levels
from ..nn.checks import check_sizes
from . import simulate

__all__ = ["predict_quantiles", "predict_recordings_quantiles"]

#: largest number of sample paths that run side by side
_MOST_ROWS = 20000


def predict_quantiles(model, u, y, levels, steps_ahead=1, *, washout=None, horizon=None, samples=200, seed=0):
    """Predict quantiles of y; the rest as in `gluon_rnn.inference.predict`.

    Parameters
    ----------
    model : Forecaster
        With distribution gaussian, student_t or quantile.
    u, y, steps_ahead, washout, horizon
        As in `predict`.
    levels : sequence of float in (0, 1)
        Such as [0.05, 0.5, 0.95].
    samples : int, default 200
        Paths drawn for each block where a quantile is not exact.
    seed : int, default 0
        Of those draws; MXNet's and NumPy's global generators are left alone.

    Returns
    -------
    (horizon, N, Ky, L) float64 array; (N, horizon, Ky, L) for a model of layout "NTC"
        L levels, in the units of y.

    Raises
    ------
    ValueError
        As `predict`; if the model's predictions have no bands, or are asked for further ahead than its horizon of
        several steps.
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
        The first predicted row, and the L quantiles of it and all after it.
    """
    runs = simulate.runs_of(model, recordings, scaler, washout)
    found = (values[:, 0] for values in _quantiles_of_runs(model, runs, levels, steps_ahead, samples, seed))
    return [(run.washout, values if scaler is None else _inverse(scaler, values)) for run, values in zip(runs, found)]


def _inverse(scaler, quantiles):
    """Return quantiles (T, Ky, L) in the units of the targets."""
    return np.stack([scaler.y.inverse(quantiles[..., i]) for i in range(quantiles.shape[-1])], axis=-1)


def _quantiles_of_runs(model, runs, levels, steps_ahead, samples, seed):
    """Return the quantiles (horizon, N, Ky, L) of each run."""
    levels = check_levels(levels)
    check_sizes(samples=samples)
    if not model.head.probabilistic:
        model.head.quantiles(None, levels)                                # refuses, and says what to do
    if steps_ahead == 1:
        return [model.head.quantiles(simulate.open_loop(model, run), levels)[:, :, :model.output_size]
                for run in runs]
    block, inputs, states = simulate.rows_of_anchors(model, runs, steps_ahead)
    if model.horizon == 1:
        quantiles = _sampled(model, inputs, states, levels, samples, np.random.default_rng(seed))
    else:
        quantiles = _direct(model, inputs, states, levels)
    return simulate.regroup(runs, block, quantiles)


def _direct(model, inputs, states, levels):
    """Return the quantiles (T, N, Ky, L) of T <= H steps, all predicted at the first one."""
    steps = inputs.shape[0]
    if steps > model.horizon:
        raise ValueError(f"bands {steps} steps ahead were asked for, and the horizon of this model is {model.horizon}; "
                         "ask for no more, or train with horizon 1, whose paths can be sampled")
    raw = simulate.next_raw(model, inputs[:1], states)
    quantiles = model.head.quantiles(raw, levels)                         # (1, N, H * Ky, L)
    rows = inputs.shape[1]
    return quantiles.reshape((rows, model.horizon, model.output_size, -1)).swapaxes(0, 1)[:steps]


def _sampled(model, inputs, states, levels, samples, generator):
    """Return the quantiles (T, N, Ky, L) of `samples` free runs from each row's states."""
    axes = [info["__layout__"].index("N") for info in model.state_info(1)]
    some, found = max(1, _MOST_ROWS // samples), []
    for begin in range(0, inputs.shape[1], some):                         # so many rows at a time
        end = min(begin + some, inputs.shape[1])
        repeated = [state.slice_axis(axis=axis, begin=begin, end=end).repeat(samples, axis=axis)
                    for state, axis in zip(states, axes)]
        paths = _paths(model, inputs[:, begin:end].repeat(samples, axis=1), repeated, generator)
        paths = paths.reshape((len(paths), end - begin, samples, -1))
        found.append(np.moveaxis(np.quantile(paths, levels, axis=2), 0, -1))
    return np.concatenate(found, axis=1)


def _paths(model, inputs, states, generator):
    """Return one free run (T, N, Ky) of each row, fed with what is drawn from its own predictions."""
    drawn = []
    for t in range(inputs.shape[0]):
        raw, states = simulate.next_raw_and_states(model, inputs[t:t + 1], states)
        drawn.append(model.head.sample(raw, generator))
        value = mx.nd.array(drawn[-1], ctx=inputs.context, dtype=inputs.dtype)
        states = [*states[:-1], value]                                    # the last state is the last output
    return np.concatenate(drawn)
