r"""One step of each recurrent network, written to be read; the equations stand in `gluon_rnn.nn.fused`.

The cells have the parameter names and the gate order of the fused layers, are the reference these are tested against,
and run inside `gluon_rnn.nn.unroll.Unrolled` where a loop over time is wanted.
"""
import mxnet as mx
from mxnet import gluon

from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.initializers import as_initializer

__all__ = ["RNNCell", "LSTMCell", "GRUCell"]


class _Cell(gluon.HybridBlock):
    """``output, states = cell(x, states)`` for x (N, C) and states of (N, H)."""

    num_gates = 1
    num_states = 1

    def __init__(self, hidden_size, input_size=0, *, i2h_weight_initializer="xavier",
                 h2h_weight_initializer="orthogonal", i2h_bias_initializer="zeros", h2h_bias_initializer="zeros",
                 **kwargs):
        super().__init__(**kwargs)
        check_sizes(hidden_size=hidden_size)
        self.hidden_size = hidden_size
        stacked = self.num_gates * hidden_size
        self._register("i2h_weight", (stacked, input_size), i2h_weight_initializer)
        self._register("h2h_weight", (stacked, hidden_size), h2h_weight_initializer)
        self._register("i2h_bias", (stacked,), i2h_bias_initializer)
        self._register("h2h_bias", (stacked,), h2h_bias_initializer)

    def _register(self, name, shape, initializer):
        setattr(self, name, self.params.get(name, shape=shape, init=as_initializer(initializer),
                                            allow_deferred_init=True))

    def state_info(self, batch_size=0):
        """Return (N, H) for each state."""
        return [{"shape": (batch_size, self.hidden_size), "__layout__": "NC"} for _ in range(self.num_states)]

    def set_parts(self, parts, prefix="l0"):
        """Take the parameters of one direction of one fused layer: ``cell.set_parts(layer.parts(), "r1")``."""
        for name, parameter in self._reg_params.items():
            value = parts[f"{prefix}_{name}"]
            parameter.shape = value.shape
            parameter.set_data(value)

    def _products(self, F, x, h, parameters):
        stacked = self.num_gates * self.hidden_size
        i2h = F.FullyConnected(x, parameters["i2h_weight"], parameters["i2h_bias"], num_hidden=stacked)
        h2h = F.FullyConnected(h, parameters["h2h_weight"], parameters["h2h_bias"], num_hidden=stacked)
        return i2h, h2h                                                   # each (N, G*H)


class RNNCell(_Cell):
    """One step of an Elman network: (N, C) and [h] of (N, H) to h and [h].

    Parameters
    ----------
    hidden_size, input_size : int
    activation : {"tanh", "relu"}, default "tanh"
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : str or Initializer
    """

    def __init__(self, hidden_size, input_size=0, *, activation="tanh", **kwargs):
        super().__init__(hidden_size, input_size, **kwargs)
        self._activation = activation

    def hybrid_forward(self, F, x, states, **parameters):
        """h = f(W_i x + b_i + R_h h + b_h)."""
        i2h, h2h = self._products(F, x, states[0], parameters)
        h = F.Activation(i2h + h2h, act_type=self._activation)
        return h, [h]


class LSTMCell(_Cell):
    """One step of an LSTM: (N, C) and [h, c] of (N, H) to h and [h, c]; parameters as in `RNNCell`, forget bias 1."""

    num_gates, num_states = 4, 2

    def __init__(self, hidden_size, input_size=0, *, i2h_bias_initializer=None, **kwargs):
        bias = mx.init.LSTMBias(1.0) if i2h_bias_initializer is None else i2h_bias_initializer
        super().__init__(hidden_size, input_size, i2h_bias_initializer=bias, **kwargs)

    def hybrid_forward(self, F, x, states, **parameters):
        """c = f c + i g, h = o tanh(c)."""
        h, c = states
        i2h, h2h = self._products(F, x, h, parameters)
        i, f, g, o = F.split(i2h + h2h, num_outputs=4, axis=1)
        c = F.sigmoid(f) * c + F.sigmoid(i) * F.tanh(g)
        h = F.sigmoid(o) * F.tanh(c)
        return h, [h, c]


class GRUCell(_Cell):
    """One step of a GRU, reset gate after the product: (N, C) and [h] of (N, H) to h and [h]; as `RNNCell`."""

    num_gates = 3

    def hybrid_forward(self, F, x, states, **parameters):
        """n = tanh(W x + b + r (R h + b)), h = (1 - z) n + z h."""
        h, = states
        i2h, h2h = self._products(F, x, h, parameters)
        i2h_r, i2h_z, i2h_n = F.split(i2h, num_outputs=3, axis=1)
        h2h_r, h2h_z, h2h_n = F.split(h2h, num_outputs=3, axis=1)
        r, z = F.sigmoid(i2h_r + h2h_r), F.sigmoid(i2h_z + h2h_z)
        h = (1 - z) * F.tanh(i2h_n + r * h2h_n) + z * h
        return h, [h]
