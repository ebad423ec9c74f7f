r"""A small TDNN in NumPy, forwards and backwards: a column for each step of each row, time before rows.

Every layer makes one product with what is below it, and shifts afterwards: with Z_l = W_l h(l-1), (n * H, T * N), of
all n matrices W_l,i one below the other, and zeros before and behind,

    a_l,t = b_l + sum over i of z_{l,i,t+o_i},    h(l) = f(a_l)

and back, with d_l = dE/da_l and G_l, in which d_l stands shifted back n times, g_{l,i,t} = d_{l,t-o_i}:

    d_l = f'(a_l) * dE/dh(l),    dE/dW_l = G_l h(l-1)',    dE/db_l = sum over t of d_{l,t},    dE/dh(l-1) = W_l' G_l

In columns a shift is one long run of numbers for each unit, where rows of a few units would be copied one by one.
"""
import functools
from collections import namedtuple

import numpy as np

from gluon_rnn.nn import numpy_ops
from gluon_rnn.nn.direct_operator import DirectOperator
from gluon_rnn.nn.grad_req import GradReqs

__all__ = ["Layer", "SmallTDNN", "backward", "forward"]

#: offsets, weight (H, n * C) and bias (H,)
Layer = namedtuple("Layer", "offsets weight bias")


def forward(layers, activation, inputs):
    """Return the outputs (T, N, H) of the `layers` for `inputs` (T, N, C), and a trace for `backward`."""
    (steps, rows, size), activate, trace = inputs.shape, numpy_ops.in_place(activation), []
    values = np.ascontiguousarray(inputs.reshape(-1, size).T)             # (C, T * N)
    with np.errstate(over="ignore"):                                      # exp of a large number, for a sigmoid of 0
        for layer in layers:
            below, bias = values, layer.bias[:, np.newaxis]
            count, width = len(layer.offsets), steps * rows
            around, inside, begins = _room((count, len(bias)), width, [offset * rows for offset in layer.offsets],
                                            below.dtype)
            np.matmul(_apart(layer), below, out=inside)
            # Faster than the sum over an array that is in no one piece.
            values = functools.reduce(np.add, [z[:, begin:begin + width] for z, begin in zip(around, begins)], bias)
            activate(values)
            trace.append((below, values))
    return values.reshape(-1, steps, rows).transpose(1, 2, 0), trace


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
    (steps, rows, _), slope, found = head.shape, numpy_ops.slope(activation), []
    errors = np.ascontiguousarray(head.transpose(2, 0, 1)).reshape(head.shape[2], -1)
    for layer, (below, values) in zip(layers[::-1], trace[::-1]):
        errors = slope(values) * errors                                   # d_l
        found.append(errors.sum(axis=1))
        around, inside, begins = _room(errors.shape[:1], steps * rows, [-offset * rows for offset in layer.offsets],
                                        errors.dtype)
        inside[...] = errors
        back = np.concatenate([around[:, begin:begin + steps * rows] for begin in begins])   # G_l
        found.append(_as_weight(back.dot(below.T), layer))
        # Those of the inputs in rows: nothing to transpose.
        errors = back.T.dot(_stacked(layer)) if layer is layers[0] else _stacked(layer).T.dot(back)
    return [errors.reshape(steps, rows, -1), *found[::-1]]


def _room(shape, width, offsets, dtype):
    """Return zeros (*shape, width and more), the part (*shape, width) of them, and where each of `offsets` begins.

    Offsets are columns beside those of the part.
    """
    past, future = max(-min(offsets), 0), max(max(offsets), 0)
    around = np.empty((*shape, past + width + future), dtype)
    around[..., :past] = 0
    around[..., past + width:] = 0
    return around, around[..., past:past + width], [past + offset for offset in offsets]


def _apart(layer):
    """Return W_1 to W_n, (n, H, C)."""
    return layer.weight.reshape(len(layer.bias), len(layer.offsets), -1).transpose(1, 0, 2)


def _stacked(layer):
    """Return W_1 to W_n one below the other, (n * H, C)."""
    return _apart(layer).reshape(len(layer.bias) * len(layer.offsets), -1)


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
        self._parameters = [block._reg_params[f"l{layer}_{kind}"] for layer in range(block.num_layers)
                            for kind in ("weight", "bias")]
        shapes = tuple(parameter.shape for parameter in self._parameters)
        self._graph = _operator(shapes, tuple(block.offsets), block._activation, block.layout).graph()
        self._grad_reqs = GradReqs()

    def is_able(self, inputs):
        """Return whether no gradient is to be added up."""
        return (all(parameter.grad_req != "add" for parameter in self._parameters)
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
