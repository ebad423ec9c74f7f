"""What operators of MXNet's that are written in NumPy share: arrays in and out of them.

For graphs that stay in this process (`gluon_rnn.nn.numpy_ops.as_operators`): what MXNet keeps of an operator is a name.
"""
import mxnet as mx

from gluon_rnn.nn.numpy_ops import view

__all__ = ["NumpyOperator"]


class NumpyOperator(mx.operator.CustomOp):
    """What MXNet calls, on a thread of its own, with arrays that are ready; for CPUs."""

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
        _put(req, out_data, self.compute([view(array) for array in in_data]))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        """Called by MXNet."""
        found = self.gradients([view(array) for array in in_data], [view(array) for array in out_grad])
        _put(req, in_grad, found)


def _put(requests, arrays, found):
    """Write what was `found` to arrays of MXNet's, or add it to them, as each asks for."""
    for request, array, values in zip(requests, arrays, found):
        if request == "add":
            view(array)[...] += values
        elif request != "null":
            view(array)[...] = values
