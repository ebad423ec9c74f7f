"""What operators of MXNet's that are written in NumPy share: arrays in and out of them.

For graphs that stay in this process (`gluon_rnn.nn.backend.allow_numpy_operators`): what MXNet keeps of such an
operator is a name.
"""
import mxnet as mx

from gluon_rnn.nn.numpy_ops import view

__all__ = ["NumpyOperator"]


class NumpyOperator(mx.operator.CustomOp):
    """What MXNet calls, on a thread of its own, with arrays that are ready.

    The graph may have been traced on a CPU and moved to a GPU: arrays there are copied."""

    def compute(self, arrays):
        """Return the outputs, a list of NumPy arrays, from the inputs, and keep what `gradients` needs."""
        raise NotImplementedError(f"{type(self).__name__} must define compute()")

    def gradients(self, arrays, heads):
        """Return the gradients of the inputs, 0 for one that has none, from the inputs and those of the outputs.

        The inputs may be other arrays than those of `compute`, though with the same numbers.
        """
        raise NotImplementedError(f"{type(self).__name__} must define gradients()")

    def forward(self, is_train, req, in_data, out_data, aux):
        """Called by MXNet."""
        _put(req, out_data, self.compute(_read(in_data)))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        """Called by MXNet."""
        found = self.gradients(_read(in_data), _read(out_grad))
        _put(req, in_grad, found)


def _put(requests, arrays, found):
    """Write what was `found` to arrays of MXNet's, or add it to them, as each asks for."""
    for request, array, values in zip(requests, arrays, found):
        if request == "null":
            continue
        if not _on_cpu(array):
            array[:] = array + mx.nd.array(values, ctx=array.context) if request == "add" else values
        elif request == "add":
            view(array)[...] += values
        else:
            view(array)[...] = values


def _read(arrays):
    return [view(array) if _on_cpu(array) else array.asnumpy() for array in arrays]


def _on_cpu(array):
    return array.context.device_type.startswith("cpu")
