r"""Elman RNN, LSTM and GRU on MXNet's fused operator, each layer's parameters in one vector.

For step t, input x_t and state h (c), with :math:`\sigma` the logistic function and * elementwise:

RNN (Elman 1990, "Finding Structure in Time"):
    h_t = f(W_i x_t + b_i + R_h h_{t-1} + b_h), f = tanh, relu or sigma

LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; no peepholes), gates i, f, g, o:
    i, f, o = sigma(W x_t + b + R h_{t-1} + r),  g = tanh(W x_t + b + R h_{t-1} + r)
    c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)

GRU (Cho et al. 2014, with the reset gate *after* the matrix product), gates r, z, n:
    r, z = sigma(W x_t + b + R h_{t-1} + r),  n = tanh(W x_t + b_i + r * (R h_{t-1} + b_h))
    h_t = (1 - z) * n + z * h_{t-1}
"""
import mxnet as mx
import numpy as np

from gluon_rnn.nn import flat, functional
from gluon_rnn.nn.checks import check_counts, check_flags, check_input_size, check_rates, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.flat import FlatLayout
from gluon_rnn.nn.flat_parameters import FlatPart, FlatVector, vectors_are_read
from gluon_rnn.nn.fused_run import FusedRun, operator_mode
from gluon_rnn.nn.gluon_cells import unfused
from gluon_rnn.nn.initializers import as_initializer, default_or, for_gates
from gluon_rnn.nn.interchange import is_interchange_form, keep_empty_rows
from gluon_rnn.nn.shared import extends
from gluon_rnn.nn.sigmoid_network import as_tanh_vector, from_tanh, to_tanh
from gluon_rnn.registry import encoders

__all__ = ["RNN", "LSTM", "GRU", "FusedLayer"]


class FusedLayer(SequenceBlock):
    """What `RNN`, `LSTM` and `GRU` share: a stack of one-layer fused operators, (T, N, C) to (T, N, D * H).

    Parameters bear the names and shapes of `mxnet.gluon.rnn`: ``l0_i2h_weight`` (G*H, C), ``l0_h2h_weight`` (G*H, H),
    ``l0_i2h_bias``, ``l0_h2h_bias`` (G*H,), ``r0_...`` for the backward direction; G gates stacked in the order i, f,
    g, o or r, z, n. Files of its layers load here, and ours there. Their arrays are views into one vector a layer,
    which is what the operator reads: see `gluon_rnn.nn.flat_parameters`.
    """

    checks_features = True
    #: what the fused operator calls this network
    mode = None

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0.0, bidirectional=False, input_size=0,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer=None,
                 h2h_bias_initializer="zeros", *, drop_h=0.0, weight_drop=0.0, dtype="float32", backend=None,
                 prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(hidden_size=hidden_size, num_layers=num_layers)
        check_rates(dropout=dropout, drop_h=drop_h, weight_drop=weight_drop)
        check_counts(input_size=input_size)
        check_flags(bidirectional=bidirectional)
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.bidirectional, self.causal = bool(bidirectional), not bidirectional
        self._dropout, self._drop_h, self._weight_drop = dropout, drop_h, weight_drop
        self._directions = 2 if bidirectional else 1
        self._layouts = [FlatLayout(self.mode, self.output_size if layer else input_size, hidden_size,
                                    self.bidirectional) for layer in range(num_layers)]
        num_gates = len(self._layouts[0].gates)
        if i2h_bias_initializer is None:
            i2h_bias_initializer = mx.init.LSTMBias(1.0) if self.mode == "lstm" else "zeros"
        initializers = {"i2h_weight": default_or(i2h_weight_initializer, "xavier", num_gates),
                        "h2h_weight": default_or(h2h_weight_initializer, "orthogonal", num_gates),
                        "i2h_bias": for_gates(i2h_bias_initializer, self._layouts[0].gates),
                        "h2h_bias": as_initializer(h2h_bias_initializer)}
        self._vectors = [self._register(layer, layout, initializers) for layer, layout in enumerate(self._layouts)]

    def _register(self, layer, layout, initializers):
        """Register the parameters of a layer in Gluon's order, and return their vector."""
        shared = self.params._get_impl(f"{self.params.prefix}l{layer}_i2h_weight")
        if shared is not None:
            return self._share(layer, layout, shared)
        local_name = f"l{layer}_parameters"
        vector = FlatVector(self.params.prefix + local_name, local_name, layout, self._dtype)
        for part in layout.parts():
            name = _part_name(part, layer)
            FlatPart(self.params.prefix + name, vector, (self._reg_params, name), part.shape,
                     initializers[part.name[2:]])
        for part in sorted(vector.parts, key=lambda part: part.name[len(self.params.prefix)]):     # l before r
            name = part.name[len(self.params.prefix):]
            self.params._params[part.name] = part
            setattr(self, name, part)
        return vector

    def _share(self, layer, layout, shared):
        """Take the parameters that ``params=`` of the constructor brings, and return their vector."""
        vector = getattr(shared, "vector", None)
        if vector is None or [part.shape for part in layout.parts()] != [part.shape for part in vector.parts]:
            raise ValueError(f"params must come from a {type(self).__name__} of ours with the same sizes, got "
                             f"{shared!r} for l{layer}_i2h_weight")
        for part in layout.parts():
            name = _part_name(part, layer)
            setattr(self, name, self.params._get_impl(self.params.prefix + name))
        return vector

    @property
    def output_size(self):
        """Number of output features: H, or 2 H when bidirectional."""
        return self.hidden_size * self._directions

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        return self._vectors[0].layout.input_size

    def state_info(self, batch_size=0):
        """Return shape (L * D, N, H) for h, and for c of an LSTM."""
        shape = (self.num_layers * self._directions, batch_size, self.hidden_size)
        return [{"shape": shape, "__layout__": "LNC"} for _ in range(2 if self.mode == "lstm" else 1)]

    def set_input_size(self, input_size):
        """Fix the number of input features of a layer made with ``input_size=0``; ValueError if it is another one."""
        check_input_size(self, input_size)
        self._vectors[0].learn_input_size(input_size)

    def infer_shape(self, inputs, *_):
        """Called by Gluon at the first forward of a layer whose input size was deferred."""
        self.set_input_size(inputs.shape[-1])

    # ---- parameters --------------------------------------------------------------------------------------------

    def parts(self, ctx=None):
        """Return {name: array} of all parameters on a device; writing into an array changes the layer."""
        if not self.input_size:
            raise ValueError(f"{type(self).__name__} does not know its input size yet; give input_size=..., or pass it "
                             "an input first")
        return {_part_name(place, layer): part.data(ctx) for layer, vector in enumerate(self._vectors)
                for place, part in zip(vector.layout.parts(), vector.parts)}

    def gate(self, name, gate, ctx=None):
        """Return the view of one gate of a parameter, (H, C), (H, H) or (H,): ``layer.gate("l0_h2h_weight", "f")``."""
        gates, parts = self._layouts[0].gates, self.parts(ctx)
        if name not in parts or gate not in gates:
            raise ValueError(f"{type(self).__name__} has parameters {', '.join(parts)} with gates {', '.join(gates)}; "
                             f"got parameter {name!r}, gate {gate!r}")
        begin = gates.index(gate) * self.hidden_size
        return parts[name][begin:begin + self.hidden_size]

    @property
    def drops_weights(self):
        """Whether there is weight drop."""
        return self._weight_drop > 0

    def parts_of(self, F, like, layer):
        """Return {"i2h_weight": (G*H, C), ...} of a unidirectional layer in a graph; `like` is array or symbol as F."""
        return flat.parts_in_graph(F, self._vector(F, like, layer), self._layouts[layer])

    def _unfuse(self):
        """Return a stack of Gluon's cells on the same parameters, as layers of `mxnet.gluon.rnn` do."""
        return unfused(self)

    def collect_params(self, select=None):
        """Return the parameters as Gluon does; to Gluon's graph builder, the vectors that graphs read."""
        found = super().collect_params(select)
        if select is None and vectors_are_read():
            for vector in filter(lambda vector: vector.is_whole, self._vectors):
                for part in vector.parts:
                    del found._params[part.name]
                found._params[vector.name] = vector
        return found

    def _collect_params_with_prefix(self, prefix=""):
        """Name parameters in files as `mxnet.gluon.rnn` does, so that either reads those of the other."""
        prefix, cell = prefix + "." if prefix else "", "{}_cell." if self.bidirectional else ""
        return {f"{prefix}_unfused.{name[1:name.index('_')]}.{cell.format(name[0])}{name[name.index('_') + 1:]}": part
                for name, part in self._reg_params.items()}

    def _vector(self, F, like, layer):
        """Return the flat vector of a layer, as array or symbol like `like`."""
        vector, is_array = self._vectors[layer], isinstance(like, mx.nd.NDArray)
        if vector.is_whole and (is_array or vectors_are_read()):
            return vector.data(like.context) if is_array else vector.var()
        parts = [self._reg_params[_part_name(place, layer)] for place in vector.layout.parts()]
        values = [part.data(like.context) if is_array else part.var() for part in parts]
        return F._internal._rnn_param_concat(*(F.reshape(value, shape=(-1,)) for value in values), dim=0)

    # ---- computation -------------------------------------------------------------------------------------------

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        if self._numpy_dtype is np.float16 and inputs.context.device_type == "cpu":
            raise ValueError(f"{type(self).__name__} cannot compute in float16 on a CPU, where MXNet's fused "
                             "operator knows float32 and float64 only; cast to float32, or use a GPU")

    def accepts_empty_states(self, with_lengths):
        """Return whether a call without states leaves them out: the cell state at the end of each row has a price."""
        return with_lengths

    def forward(self, inputs, *args):
        """Run eagerly without asking for each parameter, whose slices would be recorded for nothing; else as Gluon."""
        if self._active or not self._has_run or not isinstance(inputs, mx.nd.NDArray):
            return super().forward(inputs, *args)
        with inputs.context:
            return self.hybrid_forward(mx.nd, inputs, *args)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run the stack: (T, N, C) and [h] or [h, c] of (L*D, N, H) to (T, N, D*H) and the last states."""
        wanted, has_length = bool(states), valid_length is not None
        in_operator = has_length and is_interchange_form(F)               # nothing to do around the operator
        run = FusedRun(F, self.mode, self.hidden_size, valid_length, wanted, adds=self._dtype == "float32")
        if has_length and not in_operator:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        directions = 1 if has_length and not in_operator else self._directions
        begins, finals, outputs = self._begins(F, inputs, states, directions), [], inputs
        for layer, layout in enumerate(self._layouts):
            if layer:
                outputs = self._drop_between(F, outputs)
            vector = self._vector(F, inputs, layer)
            if self._weight_drop:
                vector = flat.drop_h2h(F, vector, layout, self._weight_drop)
            outputs, final = self._run_layer(F, run, outputs, vector, layout, begins[layer])
            finals.append(final)
        if has_length and (not in_operator or self.mode == "rnn_sigmoid"):  # between layers nothing reads the padding
            outputs = functional.mask(F, outputs, valid_length)
        if not self.input_size and (has_length or self._weight_drop):
            outputs = F.broadcast_add(outputs, self._size_hint(F, inputs))
        if not wanted:
            return outputs, []
        finals = [F.concat(*of_all, dim=0) for of_all in zip(*finals)] if self.num_layers > 1 else finals[0]
        return outputs, keep_empty_rows(F, finals, states, valid_length) if in_operator else finals

    def _run_layer(self, F, run, inputs, vector, layout, begin):
        if self.mode != "rnn_sigmoid":
            return run(inputs, vector, layout, begin)
        vector, begin = as_tanh_vector(F, vector, layout), [to_tanh(state) for state in begin]
        outputs, final = run(inputs, vector, layout, begin)
        return from_tanh(outputs), final and [from_tanh(state) for state in final]

    def _size_hint(self, F, inputs):
        """Return zero (1, 1, 1), from which a graph infers the number of input features while it is not known.

        The operator alone can, from a vector that it reads as it is; here it reads one that was made from the vector.
        """
        step = F.zeros_like(F.slice_axis(inputs, axis=0, begin=0, end=1))
        begins = self._begins(F, step, [], self._directions)[0]
        outputs = F.RNN(step, self._vector(F, inputs, 0), *begins, state_size=self.hidden_size, num_layers=1,
                        mode=operator_mode(self.mode), bidirectional=self.bidirectional)
        return F.reshape(0 * F.sum(F.BlockGrad(outputs)), shape=(1, 1, 1))

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
        return functional.drop_between(F, outputs, self._dropout, self._drop_h)

    def __repr__(self):
        return (f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout}, "
                f"num_layers={self.num_layers}, bidirectional={self.bidirectional})")


def _part_name(part, layer):
    return f"{part.name[0]}{layer}{part.name[1:]}"


@encoders.register("rnn")
class RNN(FusedLayer):
    r"""Elman network: h_t = f(W_i x_t + b_i + R_h h_{t-1} + b_h); (T, N, C) to (T, N, D * H).

    Parameters
    ----------
    activation : {"tanh", "relu", "sigmoid"}, default "tanh"
        f; `mxnet.gluon.rnn.RNN` defaults to relu, its RNNCell to tanh.
    hidden_size, num_layers, layout, dropout, bidirectional, input_size, initializers, drop_h, weight_drop, dtype
        As in `LSTM`.

    References
    ----------
    Elman (1990), Finding Structure in Time. With ``activation="relu"`` and ``h2h_weight_initializer="identity"``
    the IRNN of Le, Jaitly and Hinton (2015), A Simple Way to Initialize Recurrent Networks of Rectified Linear Units.
    """

    @extends(FusedLayer)
    def __init__(self, hidden_size, num_layers=1, activation="tanh", layout="TNC", dropout=0.0, bidirectional=False,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", input_size=0, **options):
        if activation not in ("tanh", "relu", "sigmoid"):
            raise ValueError(f"activation must be 'tanh', 'relu' or 'sigmoid', got {activation!r}")
        self.mode = f"rnn_{activation}"
        super().__init__(hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
                         h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, **options)


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
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        Applied gate by gate, each gate being a matrix of its own. Default: what ``initialize(init)`` is given; where it
        is given nothing, or `gluon_rnn.nn.OwnDefaults`, "xavier" and "orthogonal".
    i2h_bias_initializer : str or Initializer, optional
        Applied to a whole bias vector. Default: "zeros"; for an LSTM `mxnet.init.LSTMBias(1.0)`, a forget bias of 1.
        ``{name: chrono, max_time: 100}`` for long memory, see `gluon_rnn.nn.initializers.Chrono`.
    h2h_bias_initializer : str or Initializer, default "zeros"
    drop_h : float in [0, 1), default 0
        As `dropout`, with one mask for all steps (Gal and Ghahramani 2016).
    weight_drop : float in [0, 1), default 0
        Rate on the recurrent weights h2h, one mask a call (Merity, Keskar and Socher 2017, section 2).
    dtype : {"float32", "float64", "float16"}, default "float32"
        float16 computes on GPUs only.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [h, c] each (L * D, N, H), valid_length (N,) -> outputs (T, N, D * H), states.

    References
    ----------
    Hochreiter and Schmidhuber (1997), Long Short-Term Memory; Gers, Schmidhuber and Cummins (2000), Learning to Forget.

    Examples
    --------
    >>> layer = LSTM(8, num_layers=2); layer.initialize()
    >>> outputs, (h, c) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 8))
    """

    mode = "lstm"


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
