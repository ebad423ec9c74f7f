"""The operators that a loop over time needs, on NumPy arrays: the F of a `step` whose loop runs in NumPy.

A loop over time is many small operators, each waiting for the one before. There an operator's overhead is all that
counts, and NumPy's is half a microsecond where MXNet's is two or more. `gluon_rnn.nn.unroll.loop` therefore runs a
`step` with this F where nobody asks for gradients: one text of the equations, two sets of operators.

Operators that are not here are MXNet's, with their arguments converted: right for any step, and slow.
"""
import mxnet as mx
import numpy as np
from scipy.special import expit

__all__ = ["F", "run_loop"]

# Below this many numbers, one call of SciPy's costs less than NumPy's four that are faster for each number.
_FEW = 256


def _sigmoid(data):
    if data.size < _FEW:
        return expit(data)
    values = np.exp(-data)
    values += 1
    return np.reciprocal(values, out=values)


_ACTIVATIONS = {"tanh": np.tanh, "sigmoid": _sigmoid, "relu": lambda data: np.maximum(data, 0),
                "softrelu": lambda data: np.logaddexp(data, 0, dtype=data.dtype),
                "softsign": lambda data: data / (1 + np.abs(data))}


class _Operators:
    """Stands for mx.nd or mx.sym in a step: the same names and arguments, on NumPy arrays."""

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        operator = getattr(self._namespace, name)
        return _converted(operator) if callable(operator) else _Operators(operator)

    tanh = staticmethod(np.tanh)
    broadcast_add = staticmethod(np.add)
    broadcast_mul = staticmethod(np.multiply)

    sigmoid = staticmethod(_sigmoid)

    @staticmethod
    def Activation(data, act_type):
        return _ACTIVATIONS[act_type](data)

    @staticmethod
    def dot(lhs, rhs, transpose_b=False):
        return lhs.dot(rhs.T if transpose_b else rhs)

    @staticmethod
    def FullyConnected(data, weight, bias=None, *, num_hidden, no_bias=False, flatten=True):
        if flatten and data.ndim > 2:
            data = data.reshape(len(data), -1)
        product = data.dot(weight.T)
        return product if bias is None else product + bias

    @staticmethod
    def split(data, num_outputs, axis=1):
        width = data.shape[axis] // num_outputs
        if axis == 1:
            return [data[:, begin:begin + width] for begin in range(0, num_outputs * width, width)]
        before = (slice(None),) * (axis % data.ndim)
        return [data[(*before, slice(i * width, (i + 1) * width))] for i in range(num_outputs)]

    @staticmethod
    def slice_axis(data, axis, begin, end):
        return data[(*(slice(None),) * (axis % data.ndim), slice(begin, end))]

    @staticmethod
    def concat(*data, dim=1):
        return np.concatenate(data, axis=dim)

    @staticmethod
    def broadcast_like(lhs, rhs):
        return np.broadcast_to(lhs, rhs.shape)

    @staticmethod
    def where(condition, x, y):
        return np.where(condition != 0, x, y)

    @staticmethod
    def LayerNorm(data, gamma, beta, axis=-1, eps=1e-5):
        centred = data - data.mean(axis=axis, keepdims=True)
        variance = np.square(centred).mean(axis=axis, keepdims=True)
        return centred / np.sqrt(variance + eps) * gamma + beta


F = _Operators(mx.nd)


def run_loop(step, sequences, states, parameters):
    """Run `step` over NDArrays as `foreach` does: return the outputs (T, ...) and the last states, on the CPU.

    Parameters
    ----------
    step : callable
        ``output, states = step(F, slices, states, parameters)``; may use F and Python's operators on arrays, no methods.
    sequences : list of NDArray (T, ...)
    states : list of NDArray
    parameters : dict of NDArray
    """
    parameters = {name: value.asnumpy() for name, value in parameters.items()}
    states, outputs = [state.asnumpy() for state in states], None
    with np.errstate(over="ignore"):                                      # exp of a large number, for a sigmoid of 0
        for t, slices in enumerate(zip(*(sequence.asnumpy() for sequence in sequences))):
            output, states = step(F, slices, states, parameters)
            if outputs is None:
                outputs = np.empty((sequences[0].shape[0], *output.shape), dtype=output.dtype)
            outputs[t] = output
    return _array(outputs), [_array(state) for state in states]


def _converted(operator):
    """Return an MXNet operator that takes and gives NumPy arrays."""
    def call(*args, **kwargs):
        result = operator(*(_array(arg) if isinstance(arg, np.ndarray) else arg for arg in args),
                          **{name: _array(arg) if isinstance(arg, np.ndarray) else arg for name, arg in kwargs.items()})
        return [one.asnumpy() for one in result] if isinstance(result, (list, tuple)) else result.asnumpy()

    return call


def _array(values):
    return mx.nd.array(values, dtype=values.dtype)
