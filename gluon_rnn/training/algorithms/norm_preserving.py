r"""The norm-preserving regulariser: gradients that go back through time are to keep their norm.

Of an Elman network h_k = f(a_k), a_{k+1} = W x_{k+1} + b + R h_k, with the total derivatives
delta_k = dL/da_k of a sequence's loss, over its steps k = 1 ... T - 1:

    Omega = sum_k ( ||delta_{k+1} da_{k+1}/da_k|| / ||delta_{k+1}|| - 1 )^2,    da_{k+1}/da_k = R diag(f'(a_k))

The gradient of lambda Omega is added to that of the loss. As in the paper, which says "state" of what is a here, it is
the immediate one: delta_{k+1} and a_k are held constant, so that R alone is moved, and nothing has to be derived twice:

    dOmega/dR = sum_k 2 (1 / ||delta_{k+1}|| - 1 / ||u_k||) delta_{k+1}^T (u_k diag(f'(a_k))) / ||delta_{k+1}||
    u_k = delta_{k+1} R diag(f'(a_k))

Terms where delta_{k+1} or u_k is 0 have no gradient and are left out: steps behind the end of a row, dead rectifiers.

References
----------
Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks, section 3.3, equations 9
and 10.
"""
import mxnet as mx
import numpy as np

from gluon_rnn.config import ConfigError
from gluon_rnn.diagnostics.unrolled import in_place_of_calls
from gluon_rnn.nn import RNN
from gluon_rnn.training.algorithms.transitions import FUNCTIONS
from gluon_rnn.training.step import TrainStep

__all__ = ["NormPreservingStep", "penalty"]


class NormPreservingStep(TrainStep):
    """A step of `TrainStep` whose gradient is that of the loss and of ``settings.norm_preserving`` times Omega.

    Parameters
    ----------
    graph, devices, settings, groups
        As in `TrainStep`; one device. The graph has a `model` with an `encoder` that is an `RNN` of one layer.

    Raises
    ------
    ConfigError
        If the encoder is another one, or there are several devices.

    Notes
    -----
    Omega is summed over rows and steps, as losses are, and divided with them. The loss that a step returns is without
    it. The graph runs uncompiled, for the states of all steps are looked at.
    """

    def __init__(self, graph, devices, settings, *others):
        self._layer = _regularised(graph, devices)
        super().__init__(graph, devices, settings, *others)
        graph.hybridize(False)
        self._run, self._calls, self._call = graph, [], type(self._layer).__call__

    def _forward_backward(self, batch, states):
        self._calls = []
        with in_place_of_calls(self._layer, self._marked):
            found = super()._forward_backward(batch, states)
        weight = self._layer._reg_params["l0_h2h_weight"]
        value, place = weight.data().asnumpy().astype(np.float64), weight.grad()
        for call in self._calls:
            _, gradient = penalty(*_numbers(*call), value, self._layer.mode.removeprefix("rnn_"))
            place += mx.nd.array(self.settings.norm_preserving * gradient, ctx=place.context, dtype=place.dtype)
        return found

    def _marked(self, inputs, states=None, valid_length=None):
        """Run the layer; a zero is added to what it returns, whose gradient is that of the loss by this."""
        returned = self._call(self._layer, inputs, states, valid_length)
        outputs, finals = (returned, []) if states is None else returned
        marks = [mx.nd.zeros_like(values) for values in (outputs, *finals)]
        for mark in marks:
            mark.attach_grad()
        self._calls.append((outputs, marks, valid_length))
        outputs, *finals = (values + mark for values, mark in zip((outputs, *finals), marks))
        return outputs if states is None else (outputs, finals)


def _regularised(graph, devices):
    """Return the layer that the regulariser knows; ConfigError where the model has another one."""
    encoder = getattr(getattr(graph, "model", None), "encoder", None)
    if type(encoder) is not RNN or encoder.num_layers > 1 or not encoder.causal or encoder.drops_weights:
        raise ConfigError("training.norm_preserving: the regulariser is known for an encoder 'rnn' of one layer in one "
                          f"direction without weight_drop, got {type(encoder).__name__ if encoder else 'no encoder'}; "
                          "choose such an encoder, or leave the key out")
    if len(devices) > 1:
        raise ConfigError(f"training.norm_preserving: expected one device, got {len(devices)}; name one in device, or "
                          "leave the key out")
    return encoder


def _numbers(outputs, marks, valid_length):
    """Return h and the gradients that come in by it from outside of the layer, both (T, N, H) float64."""
    states, direct = (array.asnumpy().astype(np.float64) for array in (outputs, marks[0].grad))
    steps, rows = states.shape[:2]
    lengths = np.full(rows, steps) if valid_length is None else valid_length.asnumpy().astype(int)
    direct[np.arange(steps)[:, None] >= lengths] = 0                      # there the layer gives 0, whatever it reads
    if len(marks) > 1:                                                    # the last state is the last valid output
        (alive,) = np.nonzero(lengths)
        direct[lengths[alive] - 1, alive] += marks[1].grad.asnumpy()[0, alive]
    return states, direct


def penalty(states, direct, weight, activation):
    """Return Omega, summed over rows, and its immediate gradient by R.

    Parameters
    ----------
    states : (T, N, H) float64 array
        h; 0 behind the end of a row.
    direct : (T, N, H) float64 array
        The gradient of the loss by h_t on all ways but through h_{t+1}; 0 behind the end of a row.
    weight : (H, H) float64 array
        R.
    activation : {"tanh", "relu", "sigmoid"}

    Returns
    -------
    float, (H, H) float64 array
    """
    slopes, deltas, going_back = FUNCTIONS[activation][1](states), np.zeros_like(states), 0.0
    for t in range(len(states) - 1, -1, -1):
        deltas[t] = (direct[t] + going_back) * slopes[t]
        going_back = deltas[t] @ weight
    after, slopes = (array.reshape(-1, states.shape[2]) for array in (deltas[1:], slopes[:-1]))
    before = (after @ weight) * slopes                                    # u_k
    norms, kept = _norms(after), _norms(before)
    counts = (norms > 0) & (kept > 0)
    after, before, slopes, norms, kept = (array[counts] for array in (after, before, slopes, norms, kept))
    ratios = kept / norms
    # Both vectors are made unit vectors first: products of what has vanished would leave float64.
    scaled = (2 * (ratios - 1))[:, None] * (after / norms[:, None])
    return float(((ratios - 1) ** 2).sum()), scaled.T @ (before / kept[:, None] * slopes)


def _norms(rows):
    """Return the norm of each row; squares of what has almost vanished would be 0."""
    largest = np.abs(rows).max(axis=1)
    return largest * np.linalg.norm(rows / np.where(largest > 0, largest, 1)[:, None], axis=1)
