"""Prediction of a recording by a model that feeds outputs back: one step ahead, n steps ahead, or free running.

References
----------
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks.
"""
import mxnet as mx

from ..models.narx import ClosedLoop
from ..nn.checks import check_sizes

__all__ = ["predict", "states_before"]


def predict(model, u, y, steps_ahead=1, *, washout=None, horizon=None):
    """Predict y in open loop, closed loop, or n steps ahead.

    The first `washout` steps are measured and only fill the model's delays; predictions begin behind them.

    Parameters
    ----------
    model : NARX or AR
    u : NDArray (T, N, Cx), or None for a model without inputs
        Exogenous inputs, in the layout of the model. Time includes the washout.
    y : NDArray (T, N, Ky)
        Measured outputs. A free run reads the first `washout` steps only and may be given no more.
    steps_ahead : int or None, default 1
        1 is open loop (series-parallel): every prediction reads measured outputs up to the step before. None is a free
        run (parallel): after the washout the model lives on its own outputs. n re-anchors at every n: from the washout
        on, each block of n steps is a free run from measured values, so that the k-th step of a block is k steps ahead.
    washout : int, optional
        At least `model.memory`, which is the default.
    horizon : int, optional
        Number of steps to predict; default all that u covers (without inputs: y).

    Returns
    -------
    NDArray (horizon, N, Ky), in the layout of the model
        Row k predicts step washout + k.

    Raises
    ------
    ValueError
        If the record is shorter than the lags, too little of y is given, or the horizon goes past the inputs.

    Example
    -------
    >>> model = NARX(1, 2); model.initialize()
    >>> u, y = mx.nd.ones((30, 1, 1)), mx.nd.ones((30, 1, 1))
    >>> predict(model, u, y[:2], steps_ahead=None).shape
    (28, 1, 1)
    """
    if steps_ahead is not None:
        check_sizes(steps_ahead=steps_ahead)
    u, y = (values if values is None or model.layout == "TNC" else values.swapaxes(0, 1) for values in (u, y))
    washout, horizon = _span(model, u, y, steps_ahead, washout, horizon)
    if steps_ahead == 1:
        predictions = _open_loop(model, u, y, washout, horizon)
    else:
        predictions = _anchored(model, u, y, washout, horizon, horizon if steps_ahead is None else steps_ahead)
    return predictions if model.layout == "TNC" else predictions.swapaxes(0, 1)


def states_before(model, u, y, step):
    """Return the states of `model` that stand before `step` of the recording u (T, N, Cx), y (T, N, Ky), time-major."""
    past = model.lags.input_past
    states = [u[step - past:step]] if past else []
    return [*states, y[step - model.lags.output_lag:step]]


def _span(model, u, y, steps_ahead, washout, horizon):
    """Return (washout, horizon), checked against each other and the record."""
    lags = model.lags
    if (u is None) == bool(lags.input_size):
        raise ValueError(f"the model has {lags.input_size} inputs; "
                         + (f"pass u of shape (T, N, {lags.input_size})" if u is None else "pass None as u"))
    if y.shape[0] < lags.output_lag:
        raise ValueError(f"y_init has {y.shape[0]} steps but output_lag is {lags.output_lag}; pass at least the last "
                         f"{lags.output_lag} measured outputs")
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


def _check_horizon(u, y, steps_ahead, washout, horizon):
    check_sizes(horizon=horizon)
    if u is not None and horizon > u.shape[0] - washout:
        raise ValueError(f"horizon is {horizon} but the exogenous inputs u cover {u.shape[0] - washout} steps after "
                         f"the washout of {washout}; pass inputs for the whole horizon")
    last_anchor = 0 if steps_ahead is None else (horizon - 1) // steps_ahead * steps_ahead
    if y.shape[0] < washout + last_anchor:
        raise ValueError(f"{steps_ahead} steps ahead over a horizon of {horizon} needs y measured for "
                         f"{washout + last_anchor} steps, got {y.shape[0]}; pass more, or steps_ahead=None")


def _open_loop(model, u, y, washout, horizon):
    """One parallel graph over all steps; the last measured y is not needed, and may be missing."""
    missing = washout + horizon - y.shape[0]
    if missing > 0:
        y = _pad(y, missing)
    span = slice(washout, washout + horizon)
    inputs = model.series(None if u is None else u[span], y[span])
    if model.layout == "TNC":
        return model(inputs, states_before(model, u, y, washout))[0]
    return model(inputs.swapaxes(0, 1), states_before(model, u, y, washout))[0].swapaxes(0, 1)


def _anchored(model, u, y, washout, horizon, block):
    """Free runs of `block` steps from measured values, all blocks side by side as rows of one batch."""
    starts, rows = range(washout, washout + horizon, block), y.shape[1]
    if u is None:
        inputs = mx.nd.zeros((block, rows * len(starts), 1), ctx=y.context, dtype=y.dtype)
    else:
        u = _pad(u, max(starts[-1] + block - u.shape[0], 0))
        inputs = mx.nd.concat(*(u[start:start + block] for start in starts), dim=1)     # (block, B * N, Cx)
    states = [mx.nd.concat(*parts, dim=1) for parts in zip(*(states_before(model, u, y, start) for start in starts))]
    loop = ClosedLoop(model, layout="TNC")
    loop.hybridize()
    outputs, _ = loop(inputs, states)                                     # (block, B * N, Ky)
    outputs = outputs.reshape((block, len(starts), rows, -1)).transpose((1, 0, 2, 3))
    return outputs.reshape((-3, 0, 0))[:horizon]                          # (B, block, N, Ky) -> (B * block, N, Ky)


def _pad(values, steps):
    if not steps:
        return values
    return mx.nd.concat(values, mx.nd.zeros((steps, *values.shape[1:]), ctx=values.context, dtype=values.dtype), dim=0)
