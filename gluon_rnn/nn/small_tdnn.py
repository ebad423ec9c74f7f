r"""A small TDNN in NumPy, forwards and backwards: a row of numbers for each step of each sequence, time before batch.

Forwards a layer adds up n products, one for each of its offsets o_1 to o_n, with what is below it from o_i steps on:

    a_{l,t} = b_l + sum over i of W_{l,i} h_{t+o_i}(l-1),    h_t(l) = f(a_{l,t})

and backwards, with d_l = dE/da_l and G_l (n * H, T * N), in which d_l stands n times, shifted by -o_i:

    d_l = f'(a_l) * dE/dh(l),    dE/dW_l = G_l h(l-1),    dE/db_l = sum over t of d_{l,t},    dE/dh(l-1) = G_l' W_l

To lay what a layer sees side by side takes longer than its products, where it is a few numbers a step. In G_l a shift
is one long run of numbers for each unit.
"""
import functools
from collections import namedtuple

import numpy as np

from gluon_rnn.nn import numpy_ops
from gluon_rnn.nn.direct_operator import DirectOperator
from gluon_rnn.nn.grad_req import GradReqs

__all__ = ["Layer", "SmallTDNN", "backward", "forward"]

# Weights of one offset, C * H, up to which gradients are faster so than in MXNet's operators.
_NARROW = 2**13

#: offsets, weight (H, n * C) and bias (H,)
Layer = namedtuple("Layer", "offsets weight bias")


def forward(layers, activation, inputs):
    """Return the outputs (T, N, H) of the `layers` for `inputs` (T, N, C), and a trace for `backward`.

    The trace is what is below each layer, and the outputs: rows, which may be the memory of the inputs.
    """
    (steps, rows, size), activate = inputs.shape, numpy_ops.in_place(activation)
    trace = [inputs.reshape(-1, size)]
    with np.errstate(over="ignore"):                                      # exp of a large number, for a sigmoid of 0
        for layer in layers:
            values = np.empty((steps, rows, len(layer.bias)), inputs.dtype)
            values[0] = layer.bias                                        # faster than all steps at once: longer rows
            values[1:] = values[0]
            values = values.reshape(steps * rows, -1)
            _add_products(trace[-1], layer, rows, values)
            activate(values)
            trace.append(values)
    return values.reshape(steps, rows, -1), trace


def _add_products(below, layer, rows, values):
    """Add to `values` (T * N, H) the products of a layer's weight with `below` (T * N, C), seen at its offsets."""
    (width, size), weight = below.shape, layer.weight
    for place, offset in enumerate(layer.offsets):
        shift = offset * rows
        begin, end = max(-shift, 0), min(width - shift, width)
        if begin < end:
            values[begin:end] += below[begin + shift:end + shift].dot(weight[:, place * size:(place + 1) * size].T)


def backward(layers, activation, trace, head):
    """Return the gradients of the inputs (T, N, C) and of all weights and biases, layer by layer, in one list.

    Parameters
    ----------
    layers, activation
        As those of `forward`.
    trace : list
        What `forward` returned.
    head : (T, N, H) array
        The gradient of the outputs.
    """
    (steps, rows, size), slope, found = head.shape, numpy_ops.slope(activation), []
    errors = head.reshape(-1, size)
    for layer, below, values in reversed(list(zip(layers, trace, trace[1:]))):
        back, of_bias = _shifted_back(slope(values) * errors, layer.offsets, rows)
        found += [of_bias, _as_weight(back.dot(below), layer)]
        errors = back.T.dot(_stacked(layer))                              # (T * N, C)
    return [errors.reshape(steps, rows, -1), *found[::-1]]


def _shifted_back(errors, offsets, rows):
    """Return `errors` (T * N, H) shifted back by each of n `offsets`, (n * H, T * N), and their sum (H,)."""
    shifts, (width, size) = [-offset * rows for offset in offsets], errors.shape
    past, future = max(-min(shifts), 0), max(max(shifts), 0)
    around = np.empty((size, past + width + future), errors.dtype)
    around[:, :past] = 0
    around[:, past + width:] = 0
    around[:, past:past + width] = errors.T
    return np.concatenate([around[:, past + shift:past + shift + width] for shift in shifts]), around.sum(axis=1)


def _stacked(layer):
    """Return W_1 to W_n one below the other, (n * H, C)."""
    size, count = len(layer.bias), len(layer.offsets)
    return layer.weight.reshape(size, count, -1).transpose(1, 0, 2).reshape(count * size, -1)


def _as_weight(stacked, layer):
    """Return what `_stacked` returned as a weight (H, n * C)."""
    size, count = len(layer.bias), len(layer.offsets)
    return stacked.reshape(count, size, -1).transpose(1, 0, 2).reshape(size, -1)


class SmallTDNN:
    """``outputs = network(inputs, shape, ctx)`` with gradients, without states or dropout; in the block's layout.

    Parameters
    ----------
    block : gluon_rnn.nn.TDNN
        Its parameters initialised.
    """

    def __init__(self, block):
        self._block = block
        self._parameters = [block._reg_params[f"l{layer}_{kind}"] for layer in range(block.num_layers)
                            for kind in ("weight", "bias")]
        self._grad_reqs = GradReqs()
        weights = (block.size_below(layer) * size for layer, size in enumerate(block.hidden_sizes))
        self._is_narrow = max(weights) <= _NARROW

    @functools.cached_property
    def _graph(self):
        """Made where it is called, for its operator stays in memory for good."""
        shapes = tuple(parameter.shape for parameter in self._parameters)
        return _operator(shapes, tuple(self._block.offsets), self._block._activation, self._block.layout).graph()

    def is_fast(self, inputs):
        """Return whether this is a fast way for few rows of `inputs`, and able to: no gradient is to be added up."""
        return (self._is_narrow and all(parameter.grad_req != "add" for parameter in self._parameters)
                and not self._grad_reqs.may_add(inputs))

    def __call__(self, inputs, shape, ctx):
        """Return the outputs for `inputs` of a `shape` on a device `ctx`."""
        return self._graph(inputs, *(parameter.data(ctx) for parameter in self._parameters))


@functools.cache
def _operator(*about):
    return _Operator(*about)


class _Operator(DirectOperator):
    def __init__(self, shapes, offsets, activation, layout):
        super().__init__(shapes)
        self._offsets, self._activation, self._layout = offsets, activation, layout

    def output_shape(self, shape):
        return (*shape[:2], *self._shapes[-1])

    def compute(self, array, parameters):
        outputs, trace = forward(self._layers(parameters), self._activation, self._time_first(array))
        return self._time_first(outputs), trace

    def gradients(self, array, parameters, trace, head):
        of_inputs, *others = backward(self._layers(parameters), self._activation, trace, self._time_first(head))
        return [self._time_first(of_inputs), *others]

    def _layers(self, parameters):
        return list(map(Layer, self._offsets, parameters[::2], parameters[1::2]))

    def _time_first(self, array):
        return array if self._layout == "TNC" else array.swapaxes(0, 1)
