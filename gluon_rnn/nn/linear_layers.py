"""What all networks around linear recurrences share: parameters, states, lengths, single steps."""
from typing import Any

from gluon_rnn.nn import functional, numpy_ops
from gluon_rnn.nn.checks import check_counts, check_input_size, check_rates, check_sizes
from gluon_rnn.nn.chunks import Vectorised, unrolling
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.initializers import GateBias, default_or, or_global
from gluon_rnn.nn.linear_recurrence import linear_recurrence
from gluon_rnn.nn.shared import extends

__all__ = ["GatedLinearLayers", "LinearLayers"]


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
        return numpy_ops.values_of(self, inputs)

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
