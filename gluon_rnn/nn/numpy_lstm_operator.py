"""The peephole LSTM in NumPy as an operator of MXNet's on CPUs, with gradients: in place of a loop in a graph."""
import mxnet as mx

from gluon_rnn.nn import numpy_lstm_gradients
from gluon_rnn.nn.numpy_operator import NumpyOperator

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


class _Operator(NumpyOperator):
    def compute(self, arrays):
        inputs, *states = arrays[:3]
        valid = [array[:, :, 0] for array in arrays[3 + len(_PARAMETERS):]]
        outputs, finals, self._trace = numpy_lstm_gradients.forward(inputs, states, _named(arrays[3:]), *valid)
        return [outputs, *finals]

    def gradients(self, arrays, heads):
        self._trace.inputs, *self._trace.begin = arrays[:3]
        outputs, *states = heads
        *found, of_parameters = numpy_lstm_gradients.backward(self._trace, _named(arrays[3:]), outputs, states)
        return [*found, *(of_parameters[name] for name in _PARAMETERS), 0]               # the last of lengths


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
    return dict(zip(_PARAMETERS, arrays))
