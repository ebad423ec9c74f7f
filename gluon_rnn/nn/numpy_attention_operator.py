"""A GRU with Bahdanau's attention in NumPy as an operator of MXNet's on CPUs: in place of a loop in a graph."""
import mxnet as mx

from gluon_rnn.nn.numpy_attention import PARAMETERS, AttentiveGRU
from gluon_rnn.nn.numpy_operator import NumpyOperator

__all__ = ["attentive_gru"]

_OPERATOR = "gluon_rnn_attentive_gru"
_INPUTS = ["projected", "h", "keys", "products", "valid_length"]


def attentive_gru(F, arrays, parameters):
    """Return outputs (T, N, H) and the attention's weights (T, N, S), by an operator on CPUs that has gradients.

    Parameters
    ----------
    F : mx.nd or mx.sym
    arrays : list
        The inputs of `AttentiveGRU`.
    parameters : dict
        By the names of `numpy_attention.PARAMETERS`.
    """
    return F.Custom(*arrays, *(parameters[name] for name in PARAMETERS), op_type=_OPERATOR)


class _Operator(NumpyOperator):
    def compute(self, arrays):
        self._run = AttentiveGRU(*_parts(arrays))
        return [self._run.outputs, self._run.weights]

    def gradients(self, arrays, heads):
        run, self._run = self._run or AttentiveGRU(*_parts(arrays)), None                # again, after retain_graph
        *found, query, score, weight, bias = run.backward(*_parts(arrays), *heads)
        return [*found, 0, query, score, weight, bias]                    # 0 for lengths


@mx.operator.register(_OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    def list_arguments(self):
        return [*_INPUTS, *PARAMETERS]

    def list_outputs(self):
        return ["outputs", "weights"]

    def infer_shape(self, in_shape):
        (steps, rows, _), (_, size), (_, source_steps, _) = in_shape[:3]
        return in_shape, [(steps, rows, size), (steps, rows, source_steps)], []

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _Operator()


def _parts(arrays):
    return arrays[:len(_INPUTS)], dict(zip(PARAMETERS, arrays[len(_INPUTS):]))
