r"""Time-delay neural network: memory by delays of every layer's input.

Layer l sees its input at a set D_l of offsets from the present step, negative ones being the past:

    h_t(l) = f(sum over d in D_l of W_d(l) h_{t+d}(l-1) + b(l)),    h(0) = inputs,  h_t = 0 before the first step

With D_l = {-K, ..., 0} this is the network of Waibel et al. (1989). It is a convolution over time, computed as one
matrix product over steps gathered beside each other rather than with ``F.Convolution``: offsets need not be evenly
spaced (a dilated kernel's are), the layout stays time-major, where Convolution needs (N, C, T), and all sizes of kernel
become one product of (T * N, n * C) and (n * C, H). It is no slower than MXNet's convolution at any size measured.

References
----------
Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme Recognition Using Time-Delay Neural Networks.
Peddinti, Povey and Khudanpur (2015), A time delay neural network architecture for efficient modeling of long temporal
contexts: the notation of contexts, and sub-sampling.
"""
from collections.abc import Mapping

import mxnet as mx
from mxnet import autograd

from gluon_rnn.nn import lengths
from gluon_rnn.nn.checks import check_features, check_rates, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.delay import gathered, last_values, require_input_size, row_indices, row_numbers, shifts, time_zeros
from gluon_rnn.nn.initializers import as_initializer
from gluon_rnn.nn.joined import join
from gluon_rnn.nn.numpy_tdnn import NumpyTDNN
from gluon_rnn.nn.placed import Place, PlacedGraph
from gluon_rnn.nn.small_tdnn import SmallTDNN
from gluon_rnn.registry import encoders
from gluon_rnn.runtime import openmp_threads

__all__ = ["TDNN", "offsets_of", "apply_activation", "check_activation"]

ACTIVATIONS = ("tanh", "relu", "sigmoid", "softrelu", "softsign", "identity")
DEFAULT_CONTEXT = (-2, 0)
# From so many features on, a layer may get some more of zeros, which keep rows of its product from being a multiple of
# 4 KiB apart.
_WIDE, _MORE = 128, 8


def check_activation(activation):
    """Raise ValueError unless `activation` is one that feed-forward layers know."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")


def apply_activation(F, values, activation):
    """Return f(values), any shape."""
    return values if activation == "identity" else F.Activation(values, act_type=activation)


def offsets_of(context, dilation=1):
    """Return the sorted offsets that one layer's `context` means, each multiplied by `dilation`.

    As in Peddinti et al. (2015), square brackets are an interval and braces a set, in Python and in YAML alike (a YAML
    flow mapping without values, ``{-3, 3}``, arrives as a mapping to None).

    >>> offsets_of([-2, 2]), offsets_of({-3, 3}), offsets_of([-2, 0], dilation=4)
    ((-2, -1, 0, 1, 2), (-3, 3), (-8, -4, 0))
    """
    is_interval = isinstance(context, (list, tuple)) and len(context) == 2
    is_set = isinstance(context, (set, frozenset, Mapping)) and len(context) > 0
    if isinstance(context, Mapping):
        is_set = is_set and all(value is None for value in context.values())
    whole = (is_interval or is_set) and all(isinstance(o, int) and not isinstance(o, bool) for o in context)
    if not whole or (is_interval and context[0] > context[1]):
        raise ValueError("a context is an interval [first, last] of whole offsets, or in braces a set of them such as "
                         f"{{-3, 0, 3}}, negative ones being the past; got {context!r}")
    offsets = range(context[0], context[1] + 1) if is_interval else sorted(context)
    return tuple(offset * dilation for offset in offsets)


@encoders.register("tdnn")
class TDNN(SequenceBlock):
    """Stack of layers that each see their input at a set of delays; (T, N, C) to (T, N, H).

    Parameters
    ----------
    hidden_size : int or list of int
        H, units of every layer, or one number a layer.
    num_layers : int, optional
        L; default as many as `contexts` or `hidden_size` lists, else 1.
    contexts : list, optional
        One context a layer. ``[a, b]`` is always the interval: all offsets from a to b. Braces are a set, just these
        offsets, which is how a layer is sub-sampled: ``{-3, 3}``, ``{0}``. Offsets are relative to t, negative ones are
        the past. The network of Peddinti et al.: ``[[-2, 2], {-1, 2}, {-3, 3}, {-7, 2}, {0}]``; the same in YAML.
        Default: ``[-2, 0]`` for every layer, causal.
    activation : {"tanh", "relu", "sigmoid", "softrelu", "softsign", "identity"}, default "tanh"
        f.
    dropout : float in [0, 1), default 0
        Rate on the outputs of every layer but the last, drawn anew at each step.
    input_size : int, default 0
        C; 0 takes it from the first input. `begin_state` and a symbolic call need to know it.
    dilation : int or list of int, default 1
        Factor of all offsets of a layer: ``[1, 2, 4]`` with the default contexts sees 14 steps back.
    weight_initializer, bias_initializer : str or Initializer, default "xavier", "zeros"
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    inputs (T, N, C), states, valid_length (N,) -> outputs (T, N, H), states.
    States: for each layer that reads the past its last inputs, oldest first, (-min(offsets), N, C or H). Without a
    positive offset the network is `causal` and streams. With one it looks ahead: zeros stand behind a sequence's last
    valid step in every layer, as they stand before its first, and carried states are refused. To notice them it has a
    state more, the last: (1, N, 1), 0 before the first step and 1 after it.

    Raises
    ------
    ValueError
        If numbers of layers disagree, a context is malformed, or inputs do not fit.

    Notes
    -----
    Parameters: ``l<k>_weight`` (H, n * C), with W_d of the i-th smallest of n offsets in columns i * C to
    (i + 1) * C - 1, and ``l<k>_bias`` (H,).

    Example
    -------
    >>> network = TDNN(8, contexts=[[-4, 0], {-3, 0}], input_size=4); network.initialize()
    >>> outputs, states = network(mx.nd.ones((5, 3, 4)), network.begin_state(3))
    >>> outputs.shape, [state.shape for state in states]
    ((5, 3, 8), [(4, 3, 4), (3, 3, 8)])
    """

    #: whether `forward_sequence` takes `places`
    takes_places = True
    _placed = _numpy = _small = None

    def __init__(self, hidden_size, num_layers=None, contexts=None, *, activation="tanh", dropout=0.0, input_size=0,
                 dilation=1, weight_initializer="xavier", bias_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        check_activation(activation)
        check_rates(dropout=dropout)
        per_layer = {"hidden_size": hidden_size, "dilation": dilation}
        self.num_layers = _count_layers(num_layers, contexts=contexts, **per_layer)
        self.hidden_sizes, dilations = (_for_layers(name, value, self.num_layers) for name, value in per_layer.items())
        contexts = [DEFAULT_CONTEXT] * self.num_layers if contexts is None else contexts
        self.offsets = [offsets_of(context, factor) for context, factor in zip(contexts, dilations)]
        self.hidden_size = self.output_size = self.hidden_sizes[-1]
        self._activation, self._dropout = activation, dropout
        self.causal = all(offsets[-1] <= 0 for offsets in self.offsets)
        self._register(input_size, as_initializer(weight_initializer), as_initializer(bias_initializer))

    def _register(self, input_size, weight_initializer, bias_initializer):
        sizes = [input_size, *self.hidden_sizes]
        for layer, offsets in enumerate(self.offsets):
            shapes = {"weight": (sizes[layer + 1], len(offsets) * sizes[layer]), "bias": (sizes[layer + 1],)}
            for kind, init in (("weight", weight_initializer), ("bias", bias_initializer)):
                name = f"l{layer}_{kind}"
                setattr(self, name, self.params.get(name, shape=shapes[kind], dtype=self._dtype, init=init,
                                                    allow_deferred_init=True))

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        return self.l0_weight.shape[1] // len(self.offsets[0])

    @property
    def receptive_field(self):
        """First and last offset of the inputs that an output depends on, such as (-13, 9)."""
        return sum(offsets[0] for offsets in self.offsets), sum(offsets[-1] for offsets in self.offsets)

    def set_input_size(self, input_size):
        """Fix the number of input features of a network made with ``input_size=0``; ValueError if it is another one."""
        if self.input_size not in (0, input_size):
            raise ValueError(f"{type(self).__name__} expects {self.input_size} input features (input_size), "
                             f"got {input_size}")
        self.l0_weight.shape = (self.hidden_sizes[0], len(self.offsets[0]) * input_size)

    def infer_shape(self, inputs, *_):
        """Called by Gluon at the first forward of a network whose input size was deferred."""
        self.set_input_size(inputs.shape[-1])

    def begins_alone(self, with_lengths):
        """Return True: the zeros before a sequence need not be states."""
        return True

    def state_info(self, batch_size=0):
        """Return (delays, N, C or H) for each layer that reads the past; ValueError while C is not known.

        A network that looks ahead has one more, (1, N, 1), which says whether anything came before.
        """
        require_input_size(self)
        sizes = [self.input_size, *self.hidden_sizes]
        shapes = [(-offsets[0], batch_size, size) for offsets, size in zip(self.offsets, sizes) if offsets[0] < 0]
        if not self.causal:
            shapes.append((1, batch_size, 1))
        return [{"shape": shape, "__layout__": "TNC"} for shape in shapes]

    def _check_inputs(self, inputs, shape, valid_length):
        super()._check_inputs(inputs, shape, valid_length)
        if shape[-1] != self.input_size or inputs.dtype != self._numpy_dtype:            # two cheap looks on a hot path
            check_features(type(self).__name__, inputs, self.input_size, self._dtype)
            self.set_input_size(shape[-1])

    def _check_states(self, states, batch_size):
        if not self.causal and any(state.asnumpy().any() for state in states):
            raise ValueError(f"{type(self).__name__} is not causal: it reads steps ahead too, so states carried over "
                             "from an earlier chunk cannot give what the whole sequence gives; pass whole sequences, "
                             "or use contexts without positive offsets")
        super()._check_states(states, batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, *, places=None, **parameters):
        """Run all steps at once: (T, N, C) to (T, N, H) and, if there are states, the last inputs of each layer.

        `places` is what depends on the shape alone, where it is known: `gluon_rnn.nn.placed`.
        """
        outputs = inputs if valid_length is None else lengths.mask(F, inputs, valid_length)
        begins, finals, numbers = iter(states), [], None if places else row_numbers(F, inputs)
        for layer, offsets in enumerate(self.offsets):
            if layer and self._dropout:
                outputs = F.Dropout(outputs, p=self._dropout)
            place = places[layer] if places else _place(F, outputs, offsets, numbers, states and begins)
            extended = _extended(F, outputs, place)
            if states and offsets[0] < 0:
                finals.append(last_values(F, extended, -offsets[0], valid_length, max(offsets[-1], 0)))
            weight, bias = (parameters[f"l{layer}_{kind}"] for kind in ("weight", "bias"))
            if len(offsets) > 1 and _is_slow(self.size_below(layer), len(offsets)):
                extended, weight = _widened(F, extended, weight, len(offsets))
            window = _window(F, extended, offsets, place)
            outputs = F.FullyConnected(window, weight, bias, num_hidden=self.hidden_sizes[layer], flatten=False)
            outputs = apply_activation(F, outputs, self._activation)      # (T, N, H)
            if valid_length is not None:                                  # f(b) there would leak into a look-ahead
                outputs = lengths.mask(F, outputs, valid_length)
        if states and not self.causal:
            finals.append(begun(F, states[-1], valid_length))
        return outputs, finals

    def size_below(self, layer):
        """Return how many features a layer sees at each step."""
        return self.hidden_sizes[layer - 1] if layer else self.input_size

    def _fast_call(self, inputs, states, *others):
        """Run in NumPy or the graph for sequences of known shape, once there is one for any, which can be exported."""
        if (states or others or not self.takes_places or not self._active or self._form != (2, 0)
                or self._callback or self._forward_hooks or self._forward_pre_hooks
                or not isinstance(inputs, mx.nd.NDArray)):
            return super()._fast_call(inputs, states, *others)
        if self._numpy is None:
            self._numpy, self._small, self._placed = NumpyTDNN(self), SmallTDNN(self), PlacedGraph(self)
        shape, ctx = inputs.shape, inputs.context
        return self._fastest(inputs, shape, ctx)(inputs, shape, ctx), []

    def _fastest(self, inputs, shape, ctx):
        """Return the way to run `inputs` without states, of those that can."""
        if not autograd.is_recording() and not autograd.is_training():
            return self._numpy if self._numpy.is_fast(shape, ctx) else self._placed
        drops = self._dropout and autograd.is_training()
        is_small = autograd.is_recording() and not drops and self._numpy.is_small(shape, ctx)
        return self._small if is_small and self._small.is_fast(inputs) else self._placed

    def _clear_cached_op(self):
        self._placed = self._numpy = self._small = None
        super()._clear_cached_op()

    def __repr__(self):
        return (f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout}, "
                f"offsets={self.offsets}, {self._activation})")


def _place(F, sequence, offsets, numbers, begins):
    """Return the `Place` of a layer that sees a `sequence` (T, N, C) at `offsets`; the `begins` of layers, if any."""
    past, future = max(-offsets[0], 0), max(offsets[-1], 0)
    before = (next(begins) if begins else time_zeros(F, sequence, past)) if past else None
    after = time_zeros(F, sequence, future) if future else None
    return Place(row_indices(F, numbers, offsets, past) if len(offsets) > 1 else None, before, after)


def _extended(F, sequence, place):
    """Return (past + T + future, N, C): a `sequence` (T, N, C), and what stands before and behind it."""
    parts = [part for part in (place.before, sequence, place.after) if part is not None]
    return join(F, *parts, dim=0) if len(parts) > 1 else sequence


def _window(F, extended, offsets, place):
    """Return x_{t+o} of all offsets o side by side, (T, N, n * C)."""
    if len(offsets) > 1:
        return gathered(F, extended, place.indices)
    past, future = max(-offsets[0], 0), max(offsets[-1], 0)
    return shifts(F, extended, offsets, past, future)[0] if offsets[0] else extended


def _is_slow(size, num_offsets):
    """Return whether a matrix product over rows of `num_offsets` times `size` numbers is slow on several threads.

    Rows that are a multiple of 4 KiB apart fall on the same lines of the cache: with two threads oneDNN reaches 160
    GFLOP/s at 1024 numbers and 200 at 1008 or 1040, with one thread the same at all of them (docs/performance.md).
    """
    return size >= _WIDE and size * num_offsets % 1024 == 0 and openmp_threads() > 1


def _widened(F, extended, weight, num_offsets):
    """Return `extended` (.., N, C) and `weight` (H, n * C) with a few features of zeros more, C + 8."""
    zeros = F.zeros_like(F.slice_axis(extended, axis=2, begin=0, end=_MORE))
    parts = F.reshape(F.expand_dims(weight, axis=0), shape=(0, 0, num_offsets, -1))      # (1, H, n, C)
    nothing = F.zeros_like(F.slice_axis(parts, axis=3, begin=0, end=_MORE))
    return join(F, extended, zeros), F.reshape(F.concat(parts, nothing, dim=3), shape=(-3, -3))


def begun(F, state, valid_length):
    """Return 1 in place of a `state` (1, N, 1) of rows that have any step."""
    ones = F.ones_like(state)
    return ones if valid_length is None else F.maximum(state, lengths.mask(F, ones, valid_length))


def _count_layers(num_layers, **per_layer):
    """Return the number of layers, on which `num_layers` and every list must agree."""
    counts = {name: len(value) for name, value in per_layer.items() if isinstance(value, (list, tuple))}
    if num_layers is not None:
        check_sizes(num_layers=num_layers)
        counts["num_layers"] = num_layers
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError("these disagree on the number of layers: "
                         + ", ".join(f"{name} says {count}" for name, count in counts.items()))
    return next(iter(counts.values()), 1)


def _for_layers(name, value, num_layers):
    values = list(value) if isinstance(value, (list, tuple)) else [value] * num_layers
    for one in values:
        check_sizes(**{name: one})
    return values
