"""Prediction of recordings: one step ahead (open loop), n steps ahead, or in a free run (closed loop).

References
----------
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks.
"""
import dataclasses
from typing import Optional

import mxnet as mx
import numpy as np

from gluon_rnn.models.forecaster import Forecaster, ForecasterClosedLoop
from gluon_rnn.models.narx import ClosedLoop
from gluon_rnn.nn.checks import check_sizes

__all__ = ["closed_loop", "predict", "predict_horizons", "predict_recordings", "states_before"]


def predict(model, u, y, steps_ahead=1, *, washout=None, horizon=None):
    """Predict y in open loop, closed loop, or n steps ahead; the mean if the model predicts a distribution.

    The first `washout` steps are measured values that fill delays and states; predictions begin after them.

    Parameters
    ----------
    model : NARX, AR or Forecaster
    u : NDArray (T, N, Cx), or None for a model without inputs
        Exogenous inputs, in the layout of the model. Time includes the washout.
    y : NDArray (T, N, Ky)
        Measured outputs. A free run reads the first `washout` steps only; the others may be left out.
    steps_ahead : int or None, default 1
        1 is open loop (series-parallel): each prediction uses measured outputs up to the step before. None is a free
        run (parallel): after the washout the model is fed with its own outputs. n: each block of n steps after the
        washout is a free run that starts from measured values, so that step k of a block is k steps ahead.
    washout : int, optional
        At least `model.memory`, the default; a recurrent encoder needs tens of steps to forget its zero states.
    horizon : int, optional
        Number of steps to predict; default all steps of u (without inputs: of y).

    Returns
    -------
    NDArray (horizon, N, Ky), in the layout of the model: row k predicts step washout + k.

    Raises
    ------
    ValueError
        If u and y do not fit together, the record is shorter than the lags, y is too short, or the horizon exceeds u.

    Notes
    -----
    A forecaster with a horizon of H steps predicts H steps at once, and feeds them back for longer blocks.

    Examples
    --------
    >>> from gluon_rnn.models import NARX
    >>> model = NARX(1, 2); model.initialize()
    >>> u, y = mx.nd.ones((30, 1, 1)), mx.nd.ones((30, 1, 1))
    >>> predict(model, u, y[:2], steps_ahead=None).shape
    (28, 1, 1)
    """
    run = make_run(model, u, y, steps_ahead, washout, horizon)
    predictions, = predict_runs(model, [run], steps_ahead)
    return predictions if model.layout == "TNC" else predictions.swapaxes(0, 1)


def closed_loop(model, layout=None):
    """Return the closed loop of an open-loop `model`, a block with the same parameters."""
    return (ForecasterClosedLoop if isinstance(model, Forecaster) else ClosedLoop)(model, layout)


@dataclasses.dataclass
class Run:
    """One recording, or a batch of N, and the range of steps to predict; arrays are time-major.

    u (T, N, Cx) or None, y (T, N, Ky); steps `washout` to `washout + horizon - 1` are predicted.
    """

    u: Optional[mx.nd.NDArray]
    y: mx.nd.NDArray
    washout: int
    horizon: int

    def anchors(self, block):
        """Return the first step of each block of `block` steps."""
        return range(self.washout, self.washout + self.horizon, block)


def make_run(model, u, y, steps_ahead, washout, horizon):
    """Return a `Run` from the arguments of `predict`, checked against each other and the record."""
    if steps_ahead is not None:
        check_sizes(steps_ahead=steps_ahead)
    u, y = (values if values is None or model.layout == "TNC" else values.swapaxes(0, 1) for values in (u, y))
    return Run(u, y, *_span(model, u, y, steps_ahead, washout, horizon))


def predict_runs(model, runs, steps_ahead):
    """Return the predictions (horizon, N, Ky) of each run, as `predict` does; time-major."""
    if steps_ahead is not None:
        check_sizes(steps_ahead=steps_ahead)
    if steps_ahead == 1:
        return [_first_step(model, mean_of(model, open_loop(model, run))) for run in runs]
    block, inputs, states = rows_of_anchors(model, runs, steps_ahead)
    return regroup(runs, block, free_run(model, inputs, states))


def predict_recordings(model, recordings, scaler, steps_ahead=1, *, washout=None):
    """Predict the rows of recordings from `start` on, in the units of the targets.

    Parameters
    ----------
    model : NARX, AR or Forecaster
    recordings : list of gluon_rnn.data.Recording
        Of any lengths; each is predicted independently of the others. Rows before `start` are history.
    scaler : SeriesScaler or None
        The scaler that the model was trained with; None if it was trained on unscaled values.
    steps_ahead : int or None, default 1
        As in `predict`; blocks begin at the first predicted row.
    washout : int, optional
        Least number of rows of history; default `model.memory`. A forecaster uses all rows of history.

    Returns
    -------
    list of (int, (T - first, Ky) float64 array), one pair for each recording
        First predicted row, and the predictions of this and all later rows. The row is `start`, or `washout` if that is
        larger.

    Raises
    ------
    ValueError
        If a recording has no rows after the washout.
    """
    runs = runs_of(model, recordings, scaler, washout)
    predictions = (values.asnumpy()[:, 0].astype("float64") for values in predict_runs(model, runs, steps_ahead))
    return [(run.washout, values if scaler is None else scaler.y.inverse(values))
            for run, values in zip(runs, predictions)]


def predict_horizons(model, recordings, scaler, *, washout=None):
    """Predict all steps of the model's horizon from each row on; parameters are those of `predict_recordings`.

    Returns
    -------
    list of (int, (R, H, Ky) float64 array), one pair for each recording
        First predicted row t, and the predictions of rows t to t + H - 1 for this and each later row t with
        t + H <= T; R is the number of such rows.
    """
    found = []
    for run in runs_of(model, recordings, scaler, washout):
        means = mean_of(model, open_loop(model, run)).asnumpy()[:, 0].astype("float64")
        values = means.reshape((len(means), model.horizon, -1))[:max(run.horizon - model.horizon + 1, 0)]
        found.append((run.washout, values if scaler is None else scaler.y.inverse(values)))
    return found


def runs_of(model, recordings, scaler, washout):
    """Return the `Run` of each recording, scaled, as a batch of one, on the device of the model."""
    washout = model.memory if washout is None else washout
    if washout < model.memory:
        raise ValueError(f"washout is {washout} but the model looks {model.memory} steps back; make it at least that")
    ctx, runs = model.collect_params().list_ctx()[0], []

    def rows(values):
        return mx.nd.array(np.asarray(values)[:, None], ctx=ctx, dtype=model._dtype)    # (T, 1, C)

    for recording in recordings:
        first, steps = max(recording.start, washout), len(recording.y)
        if first >= steps:
            raise ValueError(f"recording {recording.name} has {steps} rows, of which the lags and the washout take "
                             f"{washout}; pass a longer recording, or choose smaller lags")
        x, y = ((recording.x, recording.y) if scaler is None else
                (scaler.x.transform(recording.x), scaler.y.transform(recording.y)))
        if x.shape[1] != model.input_size or y.shape[1] != model.output_size:
            raise ValueError(f"recording {recording.name} has {x.shape[1]} inputs and {y.shape[1]} targets, but the "
                             f"model has {model.input_size} and {model.output_size}")
        runs.append(Run(rows(x) if model.input_size else None, rows(y), first, steps - first))
    return runs


def open_loop(model, run):
    """Return the outputs of `model` in open loop at the predicted steps of `run`: (horizon, N, ...)."""
    missing = run.washout + run.horizon - run.y.shape[0]                  # the last measured y may be missing
    y = pad(run.y, max(missing, 0))
    span = slice(run.washout, run.washout + run.horizon)
    return _call(model, None if run.u is None else run.u[span], y[span], states_before(model, run.u, y, run.washout))[0]


def free_run(model, inputs, states):
    """Return the predictions (T, N, Ky) of a free run; `inputs` (T, N, Cx), or (T, N, 1) of zeros without inputs."""
    if getattr(model, "horizon", 1) > 1:
        return _in_blocks(model, inputs, states)
    loop = closed_loop(model, layout="TNC")
    loop.hybridize()
    return mean_of(model, loop(inputs, states)[0])


def _in_blocks(model, inputs, states):
    """Return the free run of a forecaster with a horizon of H > 1: predict H steps, feed them back, predict H more."""
    outputs, size = [], model.horizon
    for begin in range(0, inputs.shape[0], size):
        u = inputs[begin:begin + size] if model.input_size else None
        means = by_horizon(model, mean_of(model, next_raw(model, inputs[begin:begin + 1], states)))
        outputs.append(means[:inputs.shape[0] - begin])
        if begin + size < inputs.shape[0]:
            _, states = _call(model, u, means, states)
    return mx.nd.concat(*outputs, dim=0)


def next_raw(model, inputs, states):
    """Return the raw outputs (1, N, raw_size) of a forecaster at one step; `inputs` as those of `free_run`."""
    return next_raw_and_states(model, inputs, states)[0]


def next_raw_and_states(model, inputs, states):
    """Return the same and the states after the step; the last state, the output y, is zeros for the caller to set."""
    unknown = mx.nd.zeros((1, inputs.shape[1], model.output_size), ctx=inputs.context, dtype=inputs.dtype)
    return _call(model, inputs if model.input_size else None, unknown, states)


def by_horizon(model, values):
    """Return `values` (1, N, H * Ky) as (H, N, Ky)."""
    return values.reshape((-1, model.horizon, model.output_size)).swapaxes(0, 1)


def mean_of(model, raw):
    """Return the point predictions (the mean) of raw outputs of `model`."""
    return model.head.mean(mx.nd, raw)


def _first_step(model, means):
    return means[:, :, :model.output_size]


def states_before(model, u, y, step):
    """Return the states of `model` before `step` of the recording u (T, N, Cx), y (T, N, Ky), time-major."""
    return states_at(model, u, y, [step])[0]


def states_at(model, u, y, steps):
    """Return the states before each of `steps`, in ascending order.

    States of AR and NARX are slices of the recording. A forecaster is run over it in open loop from its begin states.
    """
    if not isinstance(model, Forecaster):
        past, lag = model.lags.input_past, model.lags.output_lag
        return [[*([u[step - past:step]] if past else []), y[step - lag:step]] for step in steps]
    found, states, begin = [], model.begin_state(y.shape[1], ctx=y.context), 0
    for step in steps:
        if step > begin:
            _, states = _call(model, None if u is None else u[begin:step], y[begin:step], states)
        found.append(states)
        begin = step
    return found


def rows_of_anchors(model, runs, steps_ahead):
    """Return all blocks of all runs as rows of one batch: (block, inputs, states).

    inputs (block, sum of B * N, Cx) are padded with zeros; without inputs they are zeros (block, sum of B * N, 1).
    """
    block = max(run.horizon for run in runs) if steps_ahead is None else steps_ahead
    inputs, states = [], []
    for run in runs:
        anchors = run.anchors(block)
        states.extend(states_at(model, run.u, run.y, anchors))
        u = mx.nd.zeros((run.y.shape[0], run.y.shape[1], 1), ctx=run.y.context, dtype=run.y.dtype) \
            if run.u is None else run.u
        u = pad(u, max(anchors[-1] + block - u.shape[0], 0))
        inputs.extend(u[anchor:anchor + block] for anchor in anchors)
    axes = [info["__layout__"].index("N") for info in model.state_info(1)]
    return (block, mx.nd.concat(*inputs, dim=1),
            [mx.nd.concat(*parts, dim=axis) for parts, axis in zip(zip(*states), axes)])


def regroup(runs, block, outputs):
    """Return the outputs (horizon, N, ...) of each run from those of all blocks (block, sum of B * N, ...).

    Arrays of MXNet or NumPy.
    """
    found, begin = [], 0
    for run in runs:
        count, rows = len(run.anchors(block)), run.y.shape[1]
        part = outputs[:, begin:begin + count * rows]
        part = part.reshape((block, count, rows, *outputs.shape[2:])).swapaxes(0, 1)
        found.append(part.reshape((count * block, rows, *outputs.shape[2:]))[:run.horizon])
        begin += count * rows
    return found


def _call(model, u, y, states):
    """Call an open-loop model of any layout with time-major arrays."""
    if model.layout == "TNC":
        return model.open_loop(u, y, states)
    outputs, states = model.open_loop(None if u is None else u.swapaxes(0, 1), y.swapaxes(0, 1), states)
    return outputs.swapaxes(0, 1), states


def _span(model, u, y, steps_ahead, washout, horizon):
    """Return (washout, horizon), checked against each other and the record."""
    if (u is None) == bool(model.input_size):
        raise ValueError(f"the model has {model.input_size} inputs; "
                         + (f"pass u of shape (T, N, {model.input_size})" if u is None else "pass None as u"))
    _check_shapes(model, u, y)
    output_lag = 1 if isinstance(model, Forecaster) else model.lags.output_lag
    if y.shape[0] < output_lag:
        raise ValueError(f"y_init has {y.shape[0]} steps but output_lag is {output_lag}; pass at least the last "
                         f"{output_lag} measured outputs")
    washout = model.memory if washout is None else washout
    record = y.shape[0] if u is None else u.shape[0]
    if washout < model.memory:
        raise ValueError(f"washout is {washout} but the model looks {model.memory} steps back; make it at least that")
    if y.shape[0] < washout or record < washout or (horizon is None and record == washout):
        raise ValueError(f"the record has {min(record, y.shape[0])} steps, of which the lags and the washout take "
                         f"{washout}; pass a longer record, or choose smaller lags")
    horizon = record - washout if horizon is None else horizon
    _check_horizon(u, y, steps_ahead, washout, horizon)
    return washout, horizon


def _check_shapes(model, u, y):
    for name, values, features in (("y", y, model.output_size), ("u", u, model.input_size)):
        if values is not None and (values.ndim != 3 or values.shape[1:] != (y.shape[1], features)):
            raise ValueError(f"expected {name} of shape (T, N, {features}), with as many rows N in u as in y, got "
                             f"{' and '.join(str(each.shape) for each in (u, y) if each is not None)}, time first")


def _check_horizon(u, y, steps_ahead, washout, horizon):
    check_sizes(horizon=horizon)
    if u is not None and horizon > u.shape[0] - washout:
        raise ValueError(f"horizon is {horizon} but the exogenous inputs u cover {u.shape[0] - washout} steps after "
                         f"the washout of {washout}; pass inputs for the whole horizon")
    last_anchor = 0 if steps_ahead is None else (horizon - 1) // steps_ahead * steps_ahead
    if y.shape[0] < washout + last_anchor:
        raise ValueError(f"{steps_ahead} steps ahead over a horizon of {horizon} needs y measured for "
                         f"{washout + last_anchor} steps, got {y.shape[0]}; pass more, or steps_ahead=None")


def pad(values, steps):
    """Return `values` (T, ...) padded with `steps` zeros at the end."""
    if not steps:
        return values
    return mx.nd.concat(values, mx.nd.zeros((steps, *values.shape[1:]), ctx=values.context, dtype=values.dtype), dim=0)
