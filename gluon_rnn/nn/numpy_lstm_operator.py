"""The peephole LSTM in NumPy as an operator of MXNet's on CPUs, with gradients: in place of a loop in a graph.

For graphs that stay in this process (`gluon_rnn.nn.numpy_ops.as_operators`): what MXNet keeps of it is a name.
"""
import mxnet as mx

from gluon_rnn.nn import numpy_lstm_gradients
from gluon_rnn.nn.numpy_ops import view

__all__ = ["peephole_lstm"]

_OPERATOR = "gluon_rnn_peephole_lstm"
_PARAMETERS = [f"{source}_{kind}" for kind in ("weight", "bias") for source in ("i2h", "h2h")]
_PARAMETERS += [f"peephole_{gate}" for gate in "ifo"]


def peephole_lstm(F, inputs, states, parameters, *valid):
    """Return outputs (T, N, H) and [h, c] of all steps, by an operator on CPUs that has gradients.

    Parameters
    ----------
    F : mx.nd or mx.sym
    inputs : (T, N, C)
    states : [h, c], (N, H) each
    parameters : dict
        Those of `gluon_rnn.nn.PeepholeLSTMCell` by their names.
    valid : (T, N, 1), optional
        0 where the states of a row stand still; no gradient of its own.
    """
    arrays = [*(parameters[name] for name in _PARAMETERS), *valid]
    outputs, *states = F.Custom(inputs, *states, *arrays, op_type=_OPERATOR, lengths=len(valid))
    return outputs, states


class _Operator(mx.operator.CustomOp):
    """What MXNet calls, on a thread of its own, with arrays that are ready."""

    def __init__(self):
        super().__init__()
        self._trace = None

    def forward(self, is_train, req, in_data, out_data, aux):
        inputs, *states = map(view, in_data[:3])
        valid = [view(array)[:, :, 0] for array in in_data[3 + len(_PARAMETERS):]]
        outputs, finals, self._trace = numpy_lstm_gradients.forward(inputs, states, _named(in_data[3:]), *valid)
        for request, array, values in zip(req, out_data, (outputs, *finals)):
            _put(request, array, values)

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        # The arrays of the way forward may be others by now, though with the same numbers.
        self._trace.inputs, *self._trace.begin = map(view, in_data[:3])
        outputs, *states = map(view, out_grad)
        *gradients, of_parameters = numpy_lstm_gradients.backward(self._trace, _named(in_data[3:]), outputs, states)
        gradients += [*(of_parameters[name] for name in _PARAMETERS), 0]                 # the last of lengths
        for request, array, values in zip(req, in_grad, gradients):
            _put(request, array, values)


@mx.operator.register(_OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    def __init__(self, lengths="0"):
        super().__init__()
        self._lengths = lengths == "1"

    def list_arguments(self):
        return ["inputs", "h", "c", *_PARAMETERS, *(["valid"] if self._lengths else [])]

    def list_outputs(self):
        return ["outputs", "last_h", "last_c"]

    def infer_shape(self, in_shape):
        (steps, rows, _), state = in_shape[0], in_shape[1]
        return in_shape, [(steps, rows, state[1]), state, state], []

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _Operator()


def _named(arrays):
    return dict(zip(_PARAMETERS, map(view, arrays)))


def _put(request, array, values):
    """Write `values` to an array of MXNet's, or add them to it, as it asks for."""
    if request == "add":
        view(array)[...] += values
    elif request != "null":
        view(array)[...] = values
