r"""One step of each recurrent network; the equations are in `gluon_rnn.nn.fused`.

The cells have the parameter names and the gate order of the fused layers, are the reference these are tested against,
and run inside `gluon_rnn.nn.unroll.unroll` where a loop over time is wanted. `gluon_rnn.nn.extended_cells` has the
networks that the fused operator lacks; each says only in what it differs from a cell here.

They are cells of Gluon's too, an `mxnet.gluon.rnn.HybridRecurrentCell` each, with its `begin_state`, `reset` and
`unroll`: its Sequential, Residual, Dropout, Zoneout and Bidirectional cells take them.

A step has two parts, since only one of them depends on the step before: `project` is the product with the inputs and
can be computed for all T at once, as one large matrix product outside the loop; `step` is the rest.
"""
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from gluon_rnn.nn import numpy_ops
from gluon_rnn.nn.checks import check_activation, check_counts, check_input_size, check_sizes
from gluon_rnn.nn.initializers import default_or, for_gates, or_global
from gluon_rnn.nn.shared import extends

__all__ = ["GluonCell", "RecurrentCell", "RNNCell", "LSTMCell", "GRUCell", "activate"]


def activate(F, values, activation):
    """Return f(values) for one of `gluon_rnn.nn.checks.ACTIVATIONS`."""
    if activation == "identity":
        return values
    if activation in ("softrelu", "softsign"):
        return F.Activation(values, act_type=activation)
    return getattr(F, activation)(values)


class GluonCell(gluon.rnn.HybridRecurrentCell):
    """What cells of this package add to Gluon's: the dtype of the first states, and shapes that are inferred backward.

    `unroll` and `reset` are Gluon's own. A subclass has `hidden_size`, `output_size`, `input_size`, `num_states`,
    `state_info` and the parts of a step: `values`, `prepare`, `project`, `step`.
    """

    #: whether a graph infers the batch size of zeros (0, H), as Gluon's cells begin with, from the operators of a step
    infers_batch = True

    def begin_state(self, batch_size=0, func=mx.nd.zeros, **kwargs):
        """Return the states before the first step, ``func(name=..., shape=..., **kwargs)`` for each: zeros.

        Parameters
        ----------
        batch_size : int
            0 for symbols whose batch size the graph infers.
        func : callable, default mx.nd.zeros
            ``mx.sym.zeros``, ``mx.sym.var``, ``mx.nd.ones``, ...
        **kwargs
            Of `func`, such as ``ctx``; ``dtype`` is that of the parameters unless it is given.
        """
        if self._dtype != "float32":
            kwargs.setdefault("dtype", self._dtype)
        return super().begin_state(batch_size=batch_size, func=func, **kwargs)

    @property
    def _dtype(self):
        return np.dtype(next(iter(self.collect_params().values())).dtype).name

    def _one_step(self, F, x, states, parameters):
        """Return ``(output, states)`` of a step by itself."""
        if F is mx.sym and not self.infers_batch:
            states = [_with_batch_of(F, x, state, info["shape"][1])
                      for state, info in zip(states, self.state_info())]
        parameters = self.prepare(F, parameters, states)
        F = _InferringBatch(F)
        return self.step(F, self.project(F, x, parameters), states, parameters)


class _InferringBatch:
    """mx.nd or mx.sym whose additions are elementwise, so that a graph infers the batch size of zeros (0, H)."""

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        return getattr(self._namespace, name)

    def broadcast_add(self, lhs, rhs):
        """Return lhs + rhs of one shape."""
        return self._namespace.elemwise_add(lhs, rhs)


def _with_batch_of(F, x, state, size):
    """Return `state` (N, size), its N being inferred from x (N, C)."""
    zeros = F.BlockGrad(F.zeros_like(F.slice_axis(x, axis=1, begin=0, end=1)))           # (N, 1), of NaN too
    return F.elemwise_add(state, F.broadcast_axis(zeros, axis=1, size=size))


class RecurrentCell(GluonCell):
    """``output, states = cell(x, states)`` for x (N, C) and states of (N, H); what all cells share.

    Parameters
    ----------
    hidden_size : int
        H.
    input_size : int, default 0
        C; 0 takes it from the first input.
    recurrent_size : int, optional
        Number of features that ``h2h_weight`` reads back, which are the cell's output too; default H.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        Applied gate by gate. Default: what ``initialize(init)`` is given; where that is nothing, or
        `gluon_rnn.nn.OwnDefaults`, "xavier" and "orthogonal".
    i2h_bias_initializer, h2h_bias_initializer : str or Initializer, default "zeros"
    prefix, params
        Of `mxnet.gluon.Block`.
    """

    num_gates = 1
    num_states = 1
    #: the order of the gates in stacked weights and biases
    gates = "h"
    #: how recurrent weights begin
    h2h_default = "orthogonal"
    #: whether W x + b and R h + r are just added, so that one bias can replace both
    sums_biases = True
    _views = None

    def __init__(self, hidden_size, input_size=0, *, recurrent_size=None, i2h_weight_initializer=None,
                 h2h_weight_initializer=None, i2h_bias_initializer: Any = "zeros", h2h_bias_initializer="zeros",
                 prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.output_size = hidden_size if recurrent_size is None else recurrent_size
        check_sizes(hidden_size=hidden_size, recurrent_size=self.output_size)
        check_counts(input_size=input_size)
        self.hidden_size = hidden_size
        self._stacked = self.num_gates * hidden_size
        self._register("i2h_weight", (self._stacked, input_size),
                       default_or(i2h_weight_initializer, "xavier", self.num_gates))
        self._register("h2h_weight", (self._stacked, self.output_size),
                       default_or(h2h_weight_initializer, self.h2h_default, self.num_gates))
        self._register("i2h_bias", (self._stacked,),
                       None if i2h_bias_initializer is None else for_gates(i2h_bias_initializer, self.gates))
        self._register("h2h_bias", (self._stacked,), h2h_bias_initializer)

    def _register(self, name, shape, initializer):
        setattr(self, name, self.params.get(name, shape=shape, init=or_global(initializer),
                                            allow_deferred_init=True))

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        return max(self.i2h_weight.shape[1], 0)

    def set_input_size(self, input_size):
        """Fix the number of input features of a cell made with ``input_size=0``; ValueError if it is another one."""
        check_input_size(self, input_size)
        self.i2h_weight.shape = (self._stacked, input_size)
        if self.i2h_weight._deferred_init:
            self.i2h_weight._finish_deferred_init()

    def state_info(self, batch_size=0):
        """Return (N, H) for each state."""
        return [{"shape": (batch_size, self.hidden_size), "__layout__": "NC"} for _ in range(self.num_states)]

    def set_parts(self, parts, prefix="l0"):
        """Take the parameters of one direction of one fused layer: ``cell.set_parts(layer.parts(), "r1")``.

        Parameters that only this cell has (peepholes, gains) stay as they are.
        """
        for name, parameter in self._reg_params.items():
            value = parts.get(f"{prefix}_{name}")
            if value is not None:
                parameter.shape = value.shape
                parameter.set_data(value)

    # ---- the parts of a step, for a loop -------------------------------------------------------------------------

    def values(self, inputs):
        """Return {name: array or symbol} of the parameters, as `inputs` (..., C) is one or the other."""
        return numpy_ops.values_of(self, inputs)

    def prepare(self, F, parameters, states):
        """Return what `project` and `step` read: the parameters, and what a cell derives from them once a sequence."""
        if not self.sums_biases:
            return dict(parameters)
        # Not +: both of its gradients are one array, which MXNet 1.9.1 adds up twice where this is in a loop's body.
        return dict(parameters, i2h_bias=F.broadcast_add(parameters["i2h_bias"], parameters["h2h_bias"]))

    def project(self, F, inputs, parameters):
        """Return a list of what `step` needs of `inputs` (..., N, C): here W x + b, (..., N, G*H)."""
        return [F.FullyConnected(inputs, parameters["i2h_weight"], parameters["i2h_bias"], num_hidden=self._stacked,
                                 flatten=False)]

    def step(self, F, projected, states, parameters):
        """Return ``(output, states)`` of one step from its entries of `project` and the states before.

        It may use F and Python's operators, but no methods of arrays: F may be NumPy's (`gluon_rnn.nn.numpy_ops`).
        In a loop an operator's overhead counts: F.broadcast_add has less of it than +.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def hybrid_forward(self, F, x, states, **parameters):
        """One step: (N, C) and states of (N, H) to the output and the states."""
        return self._one_step(F, x, states, parameters)

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size or None} -> {self.output_size})"

    def _recurrent(self, F, h, parameters):
        if self.sums_biases:                                             # R h, (N, G*H); r is in b
            return F.FullyConnected(h, parameters["h2h_weight"], no_bias=True, num_hidden=self._stacked, flatten=False)
        return F.FullyConnected(h, parameters["h2h_weight"], parameters["h2h_bias"], num_hidden=self._stacked,
                                flatten=False)                            # R h + r


class RNNCell(RecurrentCell):
    """One step of an Elman network: (N, C) and [h] of (N, H) to h and [h].

    Parameters
    ----------
    activation : {"tanh", "relu", "sigmoid", "softrelu", "softsign", "identity"}, default "tanh"
    hidden_size, input_size, initializers, prefix, params
        As in `RecurrentCell`.
    """

    @extends(RecurrentCell, without=("recurrent_size",))
    def __init__(self, *args, activation="tanh", **options):
        check_activation(activation)
        super().__init__(*args, **options)
        self._activation = activation

    def step(self, F, projected, states, parameters):
        """h = f(W_i x + b_i + R_h h + b_h)."""
        a = F.broadcast_add(projected[0], self._recurrent(F, states[0], parameters))
        h = activate(F, a, self._activation)
        return h, [h]


class LSTMCell(RecurrentCell):
    """One step of an LSTM: (N, C) and [h, c] of (N, H) to h and [h, c].

    Parameters
    ----------
    i2h_bias_initializer : str or Initializer, default "lstmbias"
        `mxnet.init.LSTMBias`: a forget bias of 1.
    hidden_size, input_size, other initializers, prefix, params
        As in `RecurrentCell`.
    """

    num_gates, num_states, gates = 4, 2, "ifgo"

    @extends(RecurrentCell, without=("recurrent_size",), i2h_bias_initializer="lstmbias")
    def __init__(self, *args, **options):
        super().__init__(*args, **options)

    def step(self, F, projected, states, parameters):
        """c = f c + i g, h = o tanh(c); the methods called here are where other LSTMs differ."""
        h, c = states
        a = F.broadcast_add(projected[0], self._recurrent(F, h, parameters))
        i, f, g, o = F.split(a, num_outputs=4, axis=1)
        i, f = self._peep(F, "i", i, c, parameters), self._peep(F, "f", f, c, parameters)
        c = F.broadcast_add(F.sigmoid(f) * c, F.sigmoid(i) * F.tanh(g))
        o = self._peep(F, "o", o, c, parameters)
        h = self._emit(F, F.sigmoid(o) * F.tanh(self._normalise_cell(F, c, parameters)), parameters)
        return h, [h, c]

    def _peep(self, F, gate, product, c, parameters):
        return product

    def _normalise_cell(self, F, c, parameters):
        return c

    def _emit(self, F, h, parameters):
        return h


class GRUCell(RecurrentCell):
    """One step of a GRU, reset gate after the product: (N, C) and [h] of (N, H) to h and [h]; as `RNNCell`."""

    num_gates, sums_biases, gates = 3, False, "rzn"

    def step(self, F, projected, states, parameters):
        """n = tanh(W x + b + r (R h + b)), h = (1 - z) n + z h."""
        h, = states
        i2h_r, i2h_z, i2h_n = F.split(projected[0], num_outputs=3, axis=1)
        h2h_r, h2h_z, *h2h_n = self._split_recurrent(F, h, parameters)
        r, z = F.sigmoid(F.broadcast_add(i2h_r, h2h_r)), F.sigmoid(F.broadcast_add(i2h_z, h2h_z))
        n = F.tanh(F.broadcast_add(i2h_n, self._reset(F, r, h, h2h_n, parameters)))
        h = F.broadcast_add((1 - z) * n, z * h)
        return h, [h]

    def _split_recurrent(self, F, h, parameters):
        return F.split(self._recurrent(F, h, parameters), num_outputs=3, axis=1)

    def _reset(self, F, r, h, h2h_n, parameters):
        return r * h2h_n[0]
