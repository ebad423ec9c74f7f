"""Inputs x and measured outputs y of a recording side by side: the call that all models of time series share."""
import mxnet as mx

from gluon_rnn.nn.arguments import take
from gluon_rnn.nn.checks import check_features

__all__ = ["RecordingInputs"]


class RecordingInputs:
    """Mixin for blocks that take (T, N, Cx + Ky), the inputs x and the measured outputs y concatenated.

    The block has `input_size` (Cx, 0 without inputs) and `output_size` (Ky).
    """

    def open_loop(self, x, y, states=None, valid_length=None):
        """Predict each y_t from measured values: x (T, N, Cx), None without inputs, and y (T, N, Ky) to (T, N, Ky).

        The same as the call with x and y concatenated: with `states`, ``(predictions, states)``.
        """
        return self(self.series(x, y), states, valid_length)

    def series(self, x, y):
        """Return x (T, N, Cx) and y (T, N, Ky) concatenated, (T, N, Cx + Ky); y alone where x is None.

        Lists and NumPy arrays are taken too, as in a call.
        """
        if (x is None) == bool(self.input_size):
            raise ValueError(f"{type(self).__name__} has {self.input_size} inputs; "
                             + ("pass them as x" if x is None else "pass None as x"))
        y = take(self, "y", y, self._dtype)
        if x is None:
            return y
        x = take(self, "x", x, self._dtype)
        if isinstance(x, mx.nd.NDArray):
            if x.shape[:-1] != y.shape[:-1]:
                raise ValueError(f"x and y must have the same steps and rows, got shapes {x.shape} and {y.shape}")
            check_features(type(self).__name__, x, self.input_size, self._dtype)
            return mx.nd.concat(x, y, dim=2)
        return mx.sym.concat(x, y, dim=2)

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        x, y = self.input_size, self.output_size
        check_features(type(self).__name__, inputs, x + y, self._dtype,
                       note=f" ({x} inputs and {y} measured outputs)")

    def _apart(self, F, inputs):
        """Return x (T, N, Cx) and y (T, N, Ky) of `inputs`; x is `inputs` itself where there are none."""
        if not self.input_size:
            return inputs, inputs
        return (F.slice_axis(inputs, axis=2, begin=0, end=self.input_size),
                F.slice_axis(inputs, axis=2, begin=self.input_size, end=None))
