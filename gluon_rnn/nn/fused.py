r"""Elman RNN, LSTM and GRU on MXNet's fused operator, each layer owning its one flat parameter vector.

For step t, input x_t and state h (c), with :math:`\sigma` the logistic function and * elementwise:

RNN (Elman 1990, "Finding Structure in Time"):
    h_t = f(W_i x_t + b_i + R_h h_{t-1} + b_h), f = tanh or relu

LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; no peepholes), gates i, f, g, o:
    i, f, o = sigma(W x_t + b + R h_{t-1} + r),  g = tanh(W x_t + b + R h_{t-1} + r)
    c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)

GRU (Cho et al. 2014, with the reset gate *after* the matrix product), gates r, z, n:
    r, z = sigma(W x_t + b + R h_{t-1} + r),  n = tanh(W x_t + b_i + r * (R h_{t-1} + b_h))
    h_t = (1 - z) * n + z * h_{t-1}
"""
from collections import OrderedDict

import mxnet as mx
import numpy as np

from gluon_rnn.nn import flat, functional
from gluon_rnn.nn.checks import check_features, check_rates, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.flat import FlatInitializer, FlatLayout
from gluon_rnn.nn.fused_run import FusedRun
from gluon_rnn.registry import encoders

__all__ = ["RNN", "LSTM", "GRU", "FusedLayer"]


class FusedLayer(SequenceBlock):
    """What `RNN`, `LSTM` and `GRU` share: a stack of one-layer fused operators, (T, N, C) to (T, N, D * H).

    Each layer has one parameter, ``l<k>_parameters``, that holds both directions. `parts`, `set_part` and `gate` give
    its weights and biases by the names of `mxnet.gluon.rnn`.
    """

    #: what the fused operator calls this network
    mode = None

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0.0, bidirectional=False, input_size=0, *,
                 i2h_weight_initializer="xavier", h2h_weight_initializer="orthogonal", i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", drop_h=0.0, weight_drop=0.0, **kwargs):
        super().__init__(layout=layout, **_without_unsupported(kwargs))
        check_sizes(hidden_size=hidden_size, num_layers=num_layers)
        check_rates(dropout=dropout, drop_h=drop_h, weight_drop=weight_drop)
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.bidirectional, self.causal = bidirectional, not bidirectional
        self._dropout, self._drop_h, self._weight_drop = dropout, drop_h, weight_drop
        self._directions = 2 if bidirectional else 1
        self._layouts = [FlatLayout(self.mode, self.output_size if layer else input_size, hidden_size, bidirectional)
                         for layer in range(num_layers)]
        self._register_vectors({"i2h_weight": i2h_weight_initializer, "h2h_weight": h2h_weight_initializer,
                                "i2h_bias": i2h_bias_initializer, "h2h_bias": h2h_bias_initializer})

    def _register_vectors(self, initializers):
        for layer, layout in enumerate(self._layouts):
            name = f"l{layer}_parameters"
            setattr(self, name, self.params.get(name, shape=(layout.size,), dtype=self._dtype,
                                                init=FlatInitializer(layout, initializers), allow_deferred_init=True))

    @property
    def output_size(self):
        """Number of output features: H, or 2 H when bidirectional."""
        return self.hidden_size * self._directions

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        size = self.l0_parameters.shape[0]
        if size and not self._layouts[0].input_size:                      # learnt by a graph's inference or a file
            self._layouts[0] = self._layouts[0].for_size(size)
        return self._layouts[0].input_size

    def state_info(self, batch_size=0):
        """Return shape (L * D, N, H) for h, and for c of an LSTM."""
        shape = (self.num_layers * self._directions, batch_size, self.hidden_size)
        return [{"shape": shape, "__layout__": "LNC"} for _ in range(2 if self.mode == "lstm" else 1)]

    def set_input_size(self, input_size):
        """Fix the number of input features of a layer made with ``input_size=0``; ValueError if it is another one."""
        if self.input_size not in (0, input_size):
            raise ValueError(f"{type(self).__name__} expects {self.input_size} input features (input_size), "
                             f"got {input_size}")
        self._layouts[0].input_size = input_size
        self.l0_parameters.shape = (self._layouts[0].size,)

    def infer_shape(self, inputs, *_):
        """Called by Gluon at the first forward of a layer whose input size was deferred."""
        self.set_input_size(inputs.shape[-1])

    # ---- named access ------------------------------------------------------------------------------------------

    def parts(self, ctx=None):
        """Return {name: array}, views of the parameters by the names and shapes of `mxnet.gluon.rnn`.

        Names are ``l0_i2h_weight`` (G*H, C), ``l0_h2h_weight`` (G*H, H), ``l0_i2h_bias``, ``l0_h2h_bias`` (G*H,),
        ``r0_...`` for the backward direction; G gates stacked in the order i, f, g, o or r, z, n. Writing into a view
        (``view[:] = ...``) changes the layer.
        """
        views = OrderedDict()
        for layer, layout in enumerate(self._layouts):
            vector = self._vector(layer, ctx)
            for part in layout.parts():
                views[_part_name(part, layer)] = vector[part.begin:part.end].reshape(part.shape)
        return views

    def gate(self, name, gate, ctx=None):
        """Return the view of one gate of a part, (H, C), (H, H) or (H,): ``layer.gate("l0_h2h_weight", "f")``."""
        gates, parts = self._layouts[0].gates, self.parts(ctx)
        if name not in parts or gate not in gates:
            raise ValueError(f"{type(self).__name__} has parts {', '.join(parts)} with gates {', '.join(gates)}; "
                             f"got part {name!r}, gate {gate!r}")
        begin = gates.index(gate) * self.hidden_size
        return parts[name][begin:begin + self.hidden_size]

    def set_part(self, name, value):
        """Set one part on all devices, ``layer.set_part("l0_i2h_bias", array)``; ValueError if the shape differs."""
        for ctx in self.l0_parameters.list_ctx():
            parts = self.parts(ctx)
            if name not in parts:
                raise ValueError(f"{type(self).__name__} has no part {name!r}; its parts: {', '.join(parts)}")
            if parts[name].shape != tuple(value.shape):
                raise ValueError(f"{name} has shape {parts[name].shape}, got {tuple(value.shape)}")
            parts[name][:] = value

    @property
    def drops_weights(self):
        """Whether there is weight drop."""
        return self._weight_drop > 0

    def parts_of(self, F, like, layer):
        """Return {"i2h_weight": (G*H, C), ...} of a unidirectional layer in a graph; `like` is array or symbol as F."""
        self._require_input_size("its parts in a graph")
        parameter = self._reg_params[f"l{layer}_parameters"]
        vector = parameter.data(like.context) if isinstance(like, mx.nd.NDArray) else parameter.var()
        return {part.name[2:]: F.reshape(F.slice_axis(vector, axis=0, begin=part.begin, end=part.end), shape=part.shape)
                for part in self._layouts[layer].parts()}

    def decay_mask(self, layer):
        """Return 1 for the weights and 0 for the biases of ``l<layer>_parameters``, as one vector."""
        self._require_input_size("a decay mask")
        mask = mx.nd.ones((self._layouts[layer].size,), dtype=self._dtype)
        mask[self._layouts[layer].bias_begin():] = 0
        return mask

    def _vector(self, layer, ctx):
        if not self.input_size:
            raise ValueError(f"{type(self).__name__} does not know its input size yet; give input_size=..., or pass it "
                             "an input first")
        return self._reg_params[f"l{layer}_parameters"].data(ctx)

    # ---- computation -------------------------------------------------------------------------------------------

    def _check_inputs(self, inputs, shape, valid_length):
        super()._check_inputs(inputs, shape, valid_length)
        name, dtype = type(self).__name__, inputs.dtype
        if shape[-1] != self._layouts[0].input_size or dtype != self._numpy_dtype:    # two cheap looks on a hot path
            check_features(name, inputs, self.input_size, self._dtype)
            self.set_input_size(shape[-1])
        if dtype == np.float16 and inputs.context.device_type == "cpu":
            raise ValueError(f"{name} cannot compute in float16 on a CPU, where MXNet's fused operator knows float32 "
                             "and float64 only; cast to float32, or use a GPU")

    def accepts_empty_states(self, with_lengths):
        """Return whether a call without states leaves them out: the cell state at the end of each row has a price."""
        return with_lengths

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Run the stack: (T, N, C) and [h] or [h, c] of (L*D, N, H) to (T, N, D*H) and the last states."""
        if self.bidirectional and valid_length is not None:
            self._require_input_size("valid_length in a bidirectional layer")
        wanted = bool(states)
        run = FusedRun(F, self.mode, self.hidden_size, valid_length, wanted)
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        directions = self._directions if valid_length is None else 1
        begins, finals, outputs = self._begins(F, inputs, states, directions), [], inputs
        for layer, layout in enumerate(self._layouts):
            if layer:
                outputs = self._drop_between(F, outputs)
            vector = parameters[f"l{layer}_parameters"]
            if self._weight_drop:
                self._require_input_size("weight_drop")
                vector = flat.drop_h2h(F, vector, layout, self._weight_drop)
            outputs, final = run(outputs, vector, layout, begins[layer])
            finals.append(final)
        if valid_length is not None:                                      # between layers nothing reads the padding
            outputs = functional.mask(F, outputs, valid_length)
        if wanted and self.num_layers > 1:
            return outputs, [F.concat(*of_all, dim=0) for of_all in zip(*finals)]
        return outputs, finals[0] if wanted else []

    def _begins(self, F, inputs, states, directions):
        """Return the [h] or [h, c], each (D, N, H), that each layer begins with; without states D is `directions`."""
        if not states:
            zeros = F.zeros_like(F.slice(inputs, begin=(0, None, 0), end=(1, None, 1)))                  # (1, N, 1)
            zeros = F.broadcast_axis(zeros, axis=(0, 2), size=(directions, self.hidden_size))
            return [[zeros] * len(self.state_info())] * self.num_layers
        if self.num_layers == 1:
            return [states]
        return list(zip(*(F.split(state, num_outputs=self.num_layers, axis=0) for state in states)))

    def _drop_between(self, F, outputs):
        # The fused operator's own dropout has no effect on CPU in float32.
        if self._dropout:
            outputs = F.Dropout(outputs, p=self._dropout)
        if self._drop_h:
            outputs = F.Dropout(outputs, p=self._drop_h, axes=(0,))       # one mask for all steps
        return outputs

    def _require_input_size(self, what):
        if not self.input_size:
            raise ValueError(f"{type(self).__name__} needs its input size for {what}; give input_size=..., or pass the "
                             "layer an array before it becomes part of a graph")

    def __repr__(self):
        return (f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout}, "
                f"num_layers={self.num_layers}, bidirectional={self.bidirectional})")


def _part_name(part, layer):
    return f"{part.name[0]}{layer}{part.name[1:]}"


def _without_unsupported(options):
    """Take the options of `mxnet.gluon.rnn` that have no fused CPU training out of `options`; refuse them if set."""
    for name in ("projection_size", "h2r_weight_initializer", "state_clip_min", "state_clip_max", "state_clip_nan",
                 "use_sequence_length"):
        value = options.pop(name, None)
        if value is not None and value is not False:                      # a clipping bound of 0.0 is a bound
            hint = "pass valid_length to the call" if name == "use_sequence_length" else "leave it out"
            raise ValueError(f"{name} is not supported by the fused layers, which must train on CPU too; {hint}")
    return options


@encoders.register("rnn")
class RNN(FusedLayer):
    r"""Elman network: h_t = f(W_i x_t + b_i + R_h h_{t-1} + b_h); (T, N, C) to (T, N, D * H).

    Parameters
    ----------
    activation : {"tanh", "relu"}, default "tanh"
        f; `mxnet.gluon.rnn.RNN` defaults to relu, its RNNCell to tanh.
    hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers, drop_h, weight_drop, dtype
        As in `LSTM`.

    References
    ----------
    Elman (1990), Finding Structure in Time. With ``activation="relu"`` and ``h2h_weight_initializer="identity"``
    the IRNN of Le, Jaitly and Hinton (2015), A Simple Way to Initialize Recurrent Networks of Rectified Linear Units.
    """

    def __init__(self, hidden_size, num_layers=1, activation="tanh", *args, **kwargs):
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation must be 'tanh' or 'relu', got {activation!r}")
        self.mode = f"rnn_{activation}"
        super().__init__(hidden_size, num_layers, *args, **kwargs)


@encoders.register("lstm")
class LSTM(FusedLayer):
    r"""Long short-term memory with forget gate, without peepholes; (T, N, C) to (T, N, D * H).

    Parameters
    ----------
    hidden_size : int
        H, units a layer and direction.
    num_layers : int, default 1
        L, any number.
    layout : {"TNC", "NTC"}, default "TNC"
    dropout : float in [0, 1), default 0
        Rate on the outputs of every layer but the last, drawn anew at each step; nothing is dropped in prediction.
    bidirectional : bool, default False
        D = 2: a second network reads each sequence from its last valid step; features are concatenated.
    input_size : int, default 0
        C; 0 takes it from the first input.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, default "xavier", "orthogonal"
        Applied gate by gate, each gate being a matrix of its own.
    i2h_bias_initializer, h2h_bias_initializer : str or Initializer, default "zeros"
        Applied to a whole bias vector. For the LSTM, i2h_bias_initializer defaults to
        `mxnet.init.LSTMBias(1.0)`: a forget bias of 1.
    drop_h : float in [0, 1), default 0
        As `dropout`, with one mask for all steps (Gal and Ghahramani 2016).
    weight_drop : float in [0, 1), default 0
        Rate on the recurrent weights h2h, one mask a call (Merity, Keskar and Socher 2017, section 2).
    dtype : {"float32", "float64", "float16"}, default "float32"
        float16 computes on GPUs only.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [h, c] each (L * D, N, H), valid_length (N,) -> outputs (T, N, D * H), states.
    Outputs past `valid_length` are 0; returned states are those of each row's last valid step.

    Notes
    -----
    A weight decay that spares the biases, which live in the same vector, needs `gluon_rnn.nn.decay_masks`.

    References
    ----------
    Hochreiter and Schmidhuber (1997), Long Short-Term Memory; Gers, Schmidhuber and Cummins (2000), Learning to Forget.

    Example
    -------
    >>> layer = LSTM(8, num_layers=2); layer.initialize()
    >>> outputs, (h, c) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 8))
    """

    mode = "lstm"

    def __init__(self, hidden_size, *args, i2h_bias_initializer=None, **kwargs):
        bias = mx.init.LSTMBias(1.0) if i2h_bias_initializer is None else i2h_bias_initializer
        super().__init__(hidden_size, *args, i2h_bias_initializer=bias, **kwargs)


@encoders.register("gru")
class GRU(FusedLayer):
    r"""Gated recurrent unit, the reset gate after the matrix product; (T, N, C) to (T, N, D * H).

    Parameters
    ----------
    hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers, drop_h, weight_drop, dtype
        As in `LSTM`.

    References
    ----------
    Cho et al. (2014), Learning Phrase Representations using RNN Encoder-Decoder; the variant of cuDNN, with two biases.
    """

    mode = "gru"
