r"""Gated networks whose recurrence is linear in the state: all matrix products are made for all T at once.

With sigma the logistic function, * elementwise and the recurrence of `gluon_rnn.nn.linear_recurrence`:

QRNN (Bradbury et al. 2017), products with the last k inputs X_t = [x_{t-k+1}; ...; x_t]:
    z = tanh(W_z X + b_z),  f = sigma(W_f X + b_f),  o = sigma(W_o X + b_o)
    c_t = f_t * c_{t-1} + (1 - f_t) * z_t,  h_t = o_t * c_t
SRU (Lei et al. 2018, without the products v * c_{t-1} in the gates of its last version, which are not linear in c):
    f = sigma(W_f x + b_f),  r = sigma(W_r x + b_r)
    c_t = f_t * c_{t-1} + (1 - f_t) * (W x_t),  h_t = r_t * c_t + (1 - r_t) * alpha x_t
MinGRU (Feng et al. 2024):
    z = sigma(W_z x + b_z),  h_t = (1 - z_t) * h_{t-1} + z_t * (W_h x_t + b_h)
MinLSTM (Feng et al. 2024):
    f = sigma(W_f x + b_f),  i = sigma(W_i x + b_i),  f' = f / (f + i)
    h_t = f'_t * h_{t-1} + (1 - f'_t) * (W_h x_t + b_h)

Each product is an operator of its own: a stacked one had to be cut afterwards, which takes MXNet as long as half of it.
"""
import math
from typing import Any

import mxnet as mx
import numpy as np

from gluon_rnn.nn import functional, numpy_ops
from gluon_rnn.nn.chunks import Vectorised, unrolling
from gluon_rnn.nn.checks import check_counts, check_input_size, check_rates, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.delay import concat_features, last_values, require_input_size, shifts
from gluon_rnn.nn.initializers import GateBias, default_or, or_global
from gluon_rnn.nn.linear_recurrence import linear_recurrence
from gluon_rnn.nn.shared import extends
from gluon_rnn.registry import encoders

__all__ = ["LinearLayers", "GatedLinearLayers", "QRNN", "SRU", "MinGRU", "MinLSTM"]


class LinearLayers(SequenceBlock):
    """A stack of layers around linear recurrences: (T, N, C) to (T, N, H); what all of them share.

    A subclass says which parameters a layer has, in `layer_parameters`, and what it computes, in `run_layer`.

    Parameters
    ----------
    hidden_size : int
        H, units a layer.
    num_layers : int, default 1
        L.
    layout : {"TNC", "NTC"}, default "TNC"
    dropout : float in [0, 1), default 0
        Rate on the outputs of every layer but the last, drawn anew at each step.
    input_size : int, default 0
        C; 0 takes it from the first input.
    drop_h : float in [0, 1), default 0
        As `dropout`, with one mask for all steps (Gal and Ghahramani 2016).
    weight_initializer : str or Initializer, optional
        Of all matrices. Default: what ``initialize(init)`` is given; where that is nothing, or
        `gluon_rnn.nn.OwnDefaults`, "xavier".
    bias_initializer : str or Initializer, default "zeros"
        Of all biases but those of gates that keep the state.
    dtype : {"float32", "float64"}, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states (L, N, H), valid_length (N,) -> outputs (T, N, H), states.

    Notes
    -----
    Parameters of layer k are called ``l<k>_...``.
    """

    checks_features = True
    #: inside of graphs that other blocks make, and in exported ones, it is a loop of MXNet's
    loops = True
    #: numbers of a state for each unit
    numbers_a_unit = 1
    _views = None

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0.0, input_size=0, *, drop_h=0.0,
                 weight_initializer=None, bias_initializer="zeros", dtype="float32", backend=None, prefix=None,
                 params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(hidden_size=hidden_size, num_layers=num_layers)
        check_rates(dropout=dropout, drop_h=drop_h)
        check_counts(input_size=input_size)
        self.hidden_size = self.output_size = hidden_size
        self.num_layers, self.input_size, self._dropout, self._drop_h = num_layers, input_size, dropout, drop_h
        self._weight = default_or(weight_initializer, "xavier")
        self._bias = or_global(bias_initializer)
        for layer in range(num_layers):
            for name, (shape, init) in self.layer_parameters(hidden_size if layer else input_size, layer).items():
                self._register(f"l{layer}_{name}", shape, init)

    def _register(self, name, shape, init):
        setattr(self, name, self.params.get(name, shape=shape, dtype=self._dtype, init=init, allow_deferred_init=True))

    def set_input_size(self, input_size):
        """Fix the number of input features of a network made with ``input_size=0``; ValueError if it is another one."""
        check_input_size(self, input_size)
        self.input_size = input_size
        for name, (shape, _) in self.layer_parameters(input_size).items():
            parameter = self._reg_params[f"l0_{name}"]
            parameter.shape = shape
            if parameter._deferred_init:
                parameter._finish_deferred_init()

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        if not self.input_size:
            self.set_input_size(shape[-1])

    def state_info(self, batch_size=0):
        """Return (L, N, H), twice as many numbers for complex ones."""
        shape = (self.num_layers, batch_size, self.numbers_a_unit * self.hidden_size)
        return [{"shape": shape, "__layout__": "LNC"}]

    def layer_parameters(self, input_size, layer=0):
        """Return {name: (shape, initializer)} of the parameters of a layer, which reads (T, N, `input_size`)."""
        raise NotImplementedError(f"{type(self).__name__} must say in layer_parameters() what a layer learns")

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Compute one layer; F has the faster of MXNet's operators.

        Parameters
        ----------
        inputs : (T, N, C)
        begin : (N, H)
            The state.
        own : dict
            The parameters of the layer, by the names of `layer_parameters`.
        recurrence : callable
            ``states (T, N, H), last = recurrence(a, b, begin, form)``.

        Returns
        -------
        outputs : (T, N, H)
        states : (T, N, H)
            After each step.
        last : (N, H)
        """
        raise NotImplementedError(f"{type(self).__name__} must define run_layer()")

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Run the stack: (T, N, C) and [(L, N, H)] to (T, N, H) and the states."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)             # first of all, so that NaN stays out
        outputs, finals = inputs, []
        begins = F.split(states[0], num_outputs=self.num_layers, axis=0) if self.num_layers > 1 else states
        for layer in range(self.num_layers):
            if layer:
                outputs = functional.drop_between(F, outputs, self._dropout, self._drop_h)
            own = {name: parameters[f"l{layer}_{name}"] for name in self.layer_parameters(1, layer)}
            outputs, final = self._one_layer(F, layer, outputs, F.reshape(begins[layer], shape=(-3, 0)), own,
                                             states[1:], valid_length)
            finals.append([F.expand_dims(final[0], axis=0), *final[1:]])
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        firsts = [final[0] for final in finals]
        firsts = firsts[0] if self.num_layers == 1 else F.concat(*firsts, dim=0)
        return outputs, [firsts, *(state for final in finals for state in final[1:])]

    def _one_layer(self, F, layer, inputs, begin, own, others, valid_length):
        """Return the outputs of one layer and a list of its last states, that of the recurrence (N, H) first."""
        def recurrence(a, b, state, form):
            return linear_recurrence(F, a, b, state, form, reference=self.backend == "reference")

        fast = F if F is numpy_ops.F else Vectorised(F)
        outputs, states, last = self.run_layer(fast, inputs, begin, own, recurrence)
        if valid_length is not None:
            last = functional.last_valid(F, states, valid_length, begin)
        return outputs, [last]

    def one_step(self, F, inputs, states):
        """Compute a single step without a loop: (1, N, C) to (1, N, H) and the states."""
        with unrolling(1):
            return self.forward_sequence(F, inputs, list(states), None, **self.values(inputs))

    def layer_step(self, F, layer, inputs, begin, parameters):
        """Return the output (N, H) and [state (N, H)] of one step of one layer, whose only state that is.

        Parameters
        ----------
        inputs : (N, C)
        begin : (N, H)
            The state before.
        parameters : dict
            As `values` has them.
        """
        own = {name: parameters[f"l{layer}_{name}"] for name in self.layer_parameters(1, layer)}
        with unrolling(1):
            outputs, finals = self._one_layer(F, layer, F.expand_dims(inputs, axis=0), begin, own, [], None)
        return F.reshape(outputs, shape=(-3, 0)), finals

    def values(self, inputs):
        """Return {name: array or symbol} of the parameters, as `inputs` (T, N, C) is one or the other."""
        if isinstance(inputs, np.ndarray):
            self._views = self._views or numpy_ops.Views(self._reg_params.values())
            return dict(zip(self._reg_params, self._views()))
        if not isinstance(inputs, mx.nd.NDArray):
            return {name: parameter.var() for name, parameter in self._reg_params.items()}
        if not self.input_size:
            self.set_input_size(inputs.shape[-1])
        return {name: parameter.data(inputs.context) for name, parameter in self._reg_params.items()}

    def __repr__(self):
        return (f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout}, "
                f"num_layers={self.num_layers})")


class GatedLinearLayers(LinearLayers):
    """Layers whose gates say how much of the state is kept: what QRNN, SRU, MinGRU and MinLSTM share.

    Parameters
    ----------
    forget_bias : float or {"name": "chrono", "max_time": float}, default 1.0
        Where the gate that keeps the state begins: sigma of it is what is kept at each step. With "chrono" (Tallec and
        Ollivier 2018) it is log U, U uniform in [1, `max_time` - 1]: units that remember for 1 to `max_time` steps.
    hidden_size, num_layers, layout, dropout, input_size, drop_h, weight_initializer, bias_initializer, dtype, backend
        As in `LinearLayers`.
    """

    #: names of products, each with the sign of `forget_bias` in its bias; 0 where that has nothing to do with it
    products = {}

    @extends(LinearLayers)
    def __init__(self, *args, forget_bias: Any = 1.0, **options):
        self._forget = {sign: GateBias(forget_bias, sign) for sign in (1, -1)}
        super().__init__(*args, **options)

    def layer_parameters(self, input_size, layer=0):
        """Return a weight (H, `input_size`) and a bias (H,) for each product."""
        found = {}
        for name, sign in self.products.items():
            found[f"{name}_weight"] = (self.hidden_size, input_size), self._weight
            found[f"{name}_bias"] = (self.hidden_size,), self._forget[sign] if sign else self._bias
        return found

    def _product(self, F, inputs, own, name, sign=1):
        """Return W x + b (T, N, H) of the product called `name`, or its negative: a sign of weights costs less."""
        weight, bias = own[f"{name}_weight"], own[f"{name}_bias"]
        if sign < 0:
            weight, bias = -weight, -bias
        return F.FullyConnected(inputs, weight, bias, num_hidden=self.hidden_size, flatten=False)


@encoders.register("qrnn")
class QRNN(GatedLinearLayers):
    """Quasi-recurrent network with fo-pooling; (T, N, C) to (T, N, H).

    Parameters
    ----------
    window : int, default 1
        k: each gate sees the last k inputs. The states are then c (L, N, H) and, above 1, the last k - 1 inputs of each
        layer, (k - 1, N, C or H), oldest first.
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `GatedLinearLayers`.

    References
    ----------
    Bradbury, Merity, Xiong and Socher (2017), Quasi-Recurrent Neural Networks, equations 1-4.

    Examples
    --------
    >>> layer = QRNN(8, window=2, input_size=4); layer.initialize()
    >>> outputs, states = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, [state.shape for state in states]
    ((5, 3, 8), [(1, 3, 8), (1, 3, 4)])
    """

    products = {"z": 0, "f": 1, "o": 0}

    @extends(GatedLinearLayers)
    def __init__(self, *args, window=1, **options):
        check_sizes(window=window)
        self.window = window
        super().__init__(*args, **options)

    def layer_parameters(self, input_size, layer=0):
        """Return weights (H, k * `input_size`) and biases (H,); columns are those of the newest input first."""
        return super().layer_parameters(self.window * input_size, layer)

    def state_info(self, batch_size=0):
        """Return (L, N, H) for c and, for a window above 1, (k - 1, N, C or H) for the last inputs of each layer."""
        found = super().state_info(batch_size)
        if self.window == 1:
            return found
        require_input_size(self)
        sizes = [self.input_size, *[self.hidden_size] * (self.num_layers - 1)]
        return [*found, *({"shape": (self.window - 1, batch_size, size), "__layout__": "TNC"} for size in sizes)]

    def _one_layer(self, F, layer, inputs, begin, own, states, valid_length):
        if self.window == 1:
            return super()._one_layer(F, layer, inputs, begin, own, states, valid_length)
        if layer and valid_length is not None:                            # windows of the next steps begin in them
            inputs = functional.mask(F, inputs, valid_length)
        past, size = self.window - 1, self.hidden_size if layer else self.input_size
        extended = F.concat(states[layer], inputs, dim=0)                 # (k - 1 + T, N, C)
        seen = concat_features(F, shifts(F, extended, range(0, -self.window, -1), past), size)
        outputs, finals = super()._one_layer(F, layer, seen, begin, own, states, valid_length)
        return outputs, [*finals, last_values(F, extended, past, valid_length)]

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run fo-pooling."""
        candidate = F.tanh(self._product(F, inputs, own, "z"))
        keep, output = (F.sigmoid(self._product(F, inputs, own, name)) for name in "fo")
        states, last = recurrence(keep, candidate, begin, "mean")
        return F.broadcast_mul(output, states), states, last


@encoders.register("sru")
class SRU(GatedLinearLayers):
    """Simple recurrent unit; (T, N, C) to (T, N, H).

    The gates see the input alone: the products v * c_{t-1} of the last version are left out, with which the recurrence
    would not be linear. In the first layer W_x x, H numbers, takes the place of x beside the state. alpha is the square
    root of 3, which keeps the variance of x through gates that begin at 1/2 (section 3.2 there).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `GatedLinearLayers`.

    References
    ----------
    Lei, Zhang, Wang, Dai and Artzi (2018), Simple Recurrent Units for Highly Parallelizable Recurrence.
    """

    products = {"c": 0, "f": 1, "r": 0}

    def layer_parameters(self, input_size, layer=0):
        """Return weights and biases of three products, and of x beside the state in the first layer."""
        found = super().layer_parameters(input_size)
        if layer == 0:
            found["x_weight"] = (self.hidden_size, input_size), self._weight
        return found

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence, and mix its states with the inputs."""
        beside = inputs
        if "x_weight" in own:
            beside = F.FullyConnected(inputs, own["x_weight"], no_bias=True, num_hidden=self.hidden_size, flatten=False)
        keep, reset = (F.sigmoid(self._product(F, inputs, own, name)) for name in "fr")
        states, last = recurrence(keep, self._product(F, inputs, own, "c"), begin, "mean")
        beside = beside * math.sqrt(3)
        return F.broadcast_add(beside, F.broadcast_mul(reset, F.broadcast_sub(states, beside))), states, last


@encoders.register("min_gru")
class MinGRU(GatedLinearLayers):
    """GRU without reset gate whose gate and candidate see the input alone; (T, N, C) to (T, N, H).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `GatedLinearLayers`.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs All We Needed?, section 3.1.

    Examples
    --------
    >>> layer = MinGRU(8, num_layers=2); layer.initialize()
    >>> outputs, (h,) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 8))
    """

    products = {"z": -1, "h": 0}

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence; its states are the outputs."""
        keep = F.sigmoid(self._product(F, inputs, own, "z", -1))          # 1 - z
        states, last = recurrence(keep, self._product(F, inputs, own, "h"), begin, "mean")
        return states, states, last


@encoders.register("min_lstm")
class MinLSTM(GatedLinearLayers):
    """LSTM without output gate, its gates normalised, that see the input alone; (T, N, C) to (T, N, H).

    Parameters
    ----------
    forget_bias, hidden_size, num_layers, layout, dropout, input_size, drop_h, initializers, dtype, backend
        As in `GatedLinearLayers`.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), Were RNNs All We Needed?, section 3.2.
    """

    products = {"f": 1, "i": -1, "h": 0}

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence; its states are the outputs."""
        # f / (f + i) = sigma(log f - log i), without a division of zeros: log sigma(x) = -softrelu(-x).
        of_f, of_i = (F.Activation(self._product(F, inputs, own, name, -1), act_type="softrelu") for name in "fi")
        keep = F.sigmoid(F.broadcast_sub(of_i, of_f))
        states, last = recurrence(keep, self._product(F, inputs, own, "h"), begin, "mean")
        return states, states, last
