"""MXNet's operators on NumPy arrays, as far as a loop over time needs them: the F of a block that runs in NumPy.

A loop over time is many small operators, each waiting for the one before. There an operator's overhead is all that
counts: NumPy's is a third of a microsecond, MXNet's two or more. A block with a loop therefore runs with this F where
nobody asks for gradients (`gluon_rnn.nn.unroll.LoopBlock`): one text of the equations, two sets of operators.

Operators that are not here are MXNet's, their arguments converted: right in any block, and slow.
"""
import ctypes
import math

import mxnet as mx
import numpy as np
from mxnet.base import _LIB, check_call
from scipy.special import expit

from gluon_rnn.nn.backend import SMALL_COPY, SMALL_SIGMOID

__all__ = ["F", "Views", "from_numpy", "run_loop", "values_of", "view"]

_ZERO = np.zeros((), dtype="float32")                                     # for float64 too: the array's dtype stays


def _sigmoid(data):
    if data.size <= SMALL_SIGMOID:
        return expit(data)
    values = np.exp(-data)
    values += 1
    return np.reciprocal(values, out=values)


_ACTIVATIONS = {"tanh": np.tanh, "sigmoid": _sigmoid, "relu": lambda data: np.maximum(data, _ZERO),
                "softrelu": lambda data: np.logaddexp(data, _ZERO, dtype=data.dtype),
                "softsign": lambda data: data / (1 + np.abs(data))}


class _Operators:
    """Stands for mx.nd or mx.sym: the same names and arguments, on NumPy arrays. Outputs may be views of inputs."""

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        operator = getattr(self._namespace, name)
        return _converted(operator) if callable(operator) else _Operators(operator)

    tanh = staticmethod(np.tanh)
    sigmoid = staticmethod(_sigmoid)
    relu = staticmethod(_ACTIVATIONS["relu"])
    broadcast_add = staticmethod(np.add)
    broadcast_mul = staticmethod(np.multiply)
    ones_like = staticmethod(np.ones_like)
    zeros_like = staticmethod(np.zeros_like)
    swapaxes = staticmethod(np.swapaxes)
    tile = staticmethod(np.tile)
    expand_dims = staticmethod(np.expand_dims)
    squeeze = staticmethod(np.squeeze)
    transpose = staticmethod(np.transpose)
    reverse = staticmethod(np.flip)

    @staticmethod
    def Activation(data, act_type):
        return _ACTIVATIONS[act_type](data)

    @staticmethod
    def Dropout(data, p=0.5, **_):
        return data                                                       # no training runs here

    @staticmethod
    def dot(lhs, rhs, transpose_b=False):
        return lhs.dot(rhs.T if transpose_b else rhs)

    @staticmethod
    def FullyConnected(data, weight, bias=None, num_hidden=0, no_bias=False, flatten=True):
        # oneDNN's product of many steps would be faster by itself. But MXNet's threads wait actively for a while after
        # it, and the loop that follows has to share processors with them: networks took up to three times as long.
        rows = data if data.ndim == 2 else data.reshape(len(data) if flatten else -1, weight.shape[1])
        product = rows.dot(weight.T)
        product = product if bias is None else np.add(product, bias, product)
        return product if flatten or data.ndim == 2 else product.reshape(*data.shape[:-1], len(weight))

    @staticmethod
    def split(data, num_outputs, axis=1):
        if axis != 1:
            return np.split(data, num_outputs, axis)
        width, begin, parts = data.shape[1] // num_outputs, 0, []
        for end in range(width, data.shape[1] + 1, width):                # np.split takes ten times as long
            parts.append(data[:, begin:end])
            begin = end
        return parts

    @staticmethod
    def slice_axis(data, axis, begin, end):
        return data[:, begin:end] if axis == 1 else data[(*(slice(None),) * (axis % data.ndim), slice(begin, end))]

    @staticmethod
    def concat(*data, dim=1):
        return np.concatenate(data, dim)

    @staticmethod
    def stack(*data, axis=0):
        return np.stack(data, axis)

    @staticmethod
    def broadcast_like(lhs, rhs):
        return np.broadcast_to(lhs, rhs.shape)

    @staticmethod
    def where(condition, x, y):
        return np.where(condition != 0, x, y)

    @staticmethod
    def SequenceMask(data, sequence_length, use_sequence_length, value=0.0):
        steps = np.arange(len(data)).reshape(-1, *(1,) * (data.ndim - 1))
        inside = steps < sequence_length.reshape(1, -1, *(1,) * (data.ndim - 2))
        return np.where(inside, data, data.dtype.type(value))

    @staticmethod
    def LayerNorm(data, gamma, beta, axis=-1, eps=1e-5):
        centred = data - data.mean(axis=axis, keepdims=True)
        variance = np.square(centred).mean(axis=axis, keepdims=True)
        epsilon = data.dtype.type(np.float32(eps))                        # MXNet keeps it in float32 for float64 too
        return centred / np.sqrt(variance + epsilon) * gamma + beta

    def reshape(self, data, shape):
        """Return `data` in the shape that MXNet's codes 0, -1 and -3 mean; other codes are left to MXNet."""
        if min(shape) < -3 or -2 in shape:
            return _converted(self._namespace.reshape)(data, shape=shape)
        sizes, axis = [], 0
        for code in shape:
            if code == -3:
                sizes.append(data.shape[axis] * data.shape[axis + 1])
            else:
                sizes.append(data.shape[axis] if code == 0 else code)
            axis += 2 if code == -3 else 1
        return data.reshape(sizes)


F = _Operators(mx.nd)


def run_loop(step, sequences, states, parameters):
    """Do what `foreach` does: return outputs (T, ...) and the last states; arguments as `gluon_rnn.nn.unroll.loop`."""
    outputs = None
    with np.errstate(over="ignore"):                                      # exp of a large number, for a sigmoid of 0
        for t, slices in enumerate(zip(*sequences)):
            output, states = step(F, slices, states, parameters)
            if outputs is None:
                outputs = np.empty((len(sequences[0]), *output.shape), dtype=output.dtype)
            outputs[t] = output
    return outputs, states


def from_numpy(values, ctx):
    """Return an array of MXNet's on `ctx`, a CPU, with the values of a NumPy array, whose memory it may take over."""
    values = np.ascontiguousarray(values)
    if values.size > SMALL_COPY and ctx.device_id == 0:                   # the only CPU that MXNet shares memory on
        return mx.nd.from_numpy(values)
    array = mx.nd.empty(values.shape, ctx, values.dtype)                  # half of the overhead, where copying is cheap
    view(array)[...] = values
    return array


def values_of(block, inputs):
    """Return {name: array or symbol} of a block's parameters, as `inputs` is NumPy's, MXNet's or a symbol.

    The features of MXNet's `inputs` (..., C) fix an `input_size` that is open; views are kept in ``block._views``.
    """
    if isinstance(inputs, np.ndarray):
        block._views = block._views or Views(block._reg_params.values())
        return dict(zip(block._reg_params, block._views()))
    if not isinstance(inputs, mx.nd.NDArray):
        return {name: parameter.var() for name, parameter in block._reg_params.items()}
    if not block.input_size:
        block.set_input_size(inputs.shape[-1])
    return {name: parameter.data(inputs.context) for name, parameter in block._reg_params.items()}


def view(array, shape=None):
    """Return a NumPy array on the memory of `array`, one of MXNet's on a CPU, once nothing writes to it any more.

    It does not keep `array` alive, and whoever writes to it has to know that no operator reads it. `shape` is that of
    `array`, which takes a microsecond to find out, where it is known.

    Raises
    ------
    ValueError
        If `array` is on another device, whose memory NumPy cannot read.
    """
    return _at(_address(array), shape or array.shape, array.dtype)


def _address(array):
    if array.context.device_type == "gpu":
        raise ValueError(f"NumPy reads arrays of a CPU, got one on {array.context}; copy it with as_in_context, or "
                         "build the block with backend='reference'")
    address = ctypes.c_void_p()
    array.wait_to_read()
    check_call(_LIB.MXNDArrayGetData(array.handle, ctypes.byref(address)))
    return address.value


def _at(address, shape, dtype):
    dtype = np.dtype(dtype)
    memory = (ctypes.c_char * (math.prod(shape) * dtype.itemsize)).from_address(address)
    return np.ndarray(shape, dtype, buffer=memory)


class Views:
    """A `view` of each of the `parameters`, which are made anew only where their memory is another: a list, on call."""

    def __init__(self, parameters):
        self._parameters = list(parameters)
        self._kept = [(None, None, None)] * len(self._parameters)

    def __call__(self, ctx=None):
        kept = []
        for parameter, (array, address, values) in zip(self._parameters, self._kept):
            now = parameter.data(ctx)
            at = _address(now)
            is_same = array is now and address == at
            kept.append((array, address, values) if is_same else (now, at, _at(at, now.shape, now.dtype)))
        self._kept = kept
        return [values for _, _, values in kept]

    def __getstate__(self):
        """Return what a copy takes along: the parameters, no addresses."""
        return {"_parameters": self._parameters, "_kept": [(None, None, None)] * len(self._parameters)}


def _converted(operator):
    """Return an MXNet operator that takes and gives NumPy arrays."""
    def convert(value):
        return mx.nd.array(value, dtype=value.dtype) if isinstance(value, np.ndarray) else value

    def call(*args, **kwargs):
        result = operator(*map(convert, args), **{name: convert(value) for name, value in kwargs.items()})
        return [one.asnumpy() for one in result] if isinstance(result, (list, tuple)) else result.asnumpy()

    return call
