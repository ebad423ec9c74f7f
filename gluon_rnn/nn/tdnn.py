r"""Time-delay neural network: memory by delays of every layer's input.

Layer l sees its input at a set D_l of offsets from the present step, negative ones being the past:

    h_t(l) = f(sum over d in D_l of W_d(l) h_{t+d}(l-1) + b(l)),    h(0) = inputs,  h_t = 0 before the first step

With D_l = {-K, ..., 0} this is the network of Waibel et al. (1989). It is a convolution over time, computed as one
matrix product over gathered steps rather than with ``F.Convolution``: offsets need not be evenly
spaced (a dilated kernel's are), the layout stays time-major, where Convolution needs (N, C, T), and all sizes of kernel
become one product of (T * N, n * C) and (n * C, H). It is no slower than MXNet's convolution at any size measured.

References
----------
Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme Recognition Using Time-Delay Neural Networks.
Peddinti, Povey and Khudanpur (2015), A time delay neural network architecture for efficient modeling of long temporal
contexts: the notation of contexts, and sub-sampling.
"""
from collections.abc import Mapping

from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import (
    check_activation,
    check_counts,
    check_input_size,
    check_rates,
    check_sizes,
)
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.delay import (
    gathered,
    last_values,
    require_input_size,
    row_indices,
    row_numbers,
    shifted,
    shifts,
    time_zeros,
)
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.initializers import default_or, or_global
from gluon_rnn.nn.interchange import is_interchange_form
from gluon_rnn.registry import encoders

__all__ = ["TDNN", "offsets_of", "apply_activation"]

DEFAULT_CONTEXT = (-2, 0)


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
    weight_initializer : str or Initializer, optional
        Default: what ``initialize(init)`` is given; where that is nothing, or `gluon_rnn.nn.OwnDefaults`, "xavier".
    bias_initializer : str or Initializer, default "zeros"
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states, valid_length (N,) -> outputs (T, N, H), states.
    States: for each layer that reads the past its last inputs, oldest first, (-min(offsets), N, C or H). Without a
    positive offset the network is `causal` and streams. With one it looks ahead: every layer reads zeros after a
    sequence's last valid step, as before its first, and carried states are refused. It has one more state, the last:
    (1, N, 1), 0 before the first step and 1 after it, so that it has a state where no layer reads the past.

    Raises
    ------
    ValueError
        If numbers of layers disagree, a context is malformed, or inputs do not fit.

    Notes
    -----
    Parameters: ``l<k>_weight`` (H, n * C), with W_d of the i-th smallest of n offsets in columns i * C to
    (i + 1) * C - 1, and ``l<k>_bias`` (H,).

    Examples
    --------
    >>> import mxnet as mx
    >>> network = TDNN(8, contexts=[[-4, 0], {-3, 0}], input_size=4); network.initialize()
    >>> outputs, states = network(mx.nd.ones((5, 3, 4)), network.begin_state(3))
    >>> outputs.shape, [state.shape for state in states]
    ((5, 3, 8), [(4, 3, 4), (3, 3, 8)])
    """

    checks_features = True

    def __init__(self, hidden_size, num_layers=None, contexts=None, *, activation="tanh", dropout=0.0, input_size=0,
                 dilation=1, weight_initializer=None, bias_initializer="zeros", layout="TNC", dtype="float32",
                 backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_activation(activation)
        check_rates(dropout=dropout)
        check_counts(input_size=input_size)
        per_layer = {"hidden_size": hidden_size, "dilation": dilation}
        self.num_layers = _count_layers(num_layers, contexts=contexts, **per_layer)
        self.hidden_sizes, dilations = (_for_layers(name, value, self.num_layers) for name, value in per_layer.items())
        contexts = [DEFAULT_CONTEXT] * self.num_layers if contexts is None else contexts
        self.offsets = [offsets_of(context, factor) for context, factor in zip(contexts, dilations)]
        self.hidden_size = self.output_size = self.hidden_sizes[-1]
        self._activation, self._dropout = activation, dropout
        self.causal = all(offsets[-1] <= 0 for offsets in self.offsets)
        self._register(input_size, default_or(weight_initializer, "xavier"), or_global(bias_initializer))

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
        check_input_size(self, input_size)
        self.l0_weight.shape = (self.hidden_sizes[0], len(self.offsets[0]) * input_size)

    def infer_shape(self, inputs, *_):
        """Called by Gluon at the first forward of a network whose input size was deferred."""
        self.set_input_size(inputs.shape[-1])

    def accepts_empty_states(self, with_lengths):
        """Return True: the zeros before a sequence need not be states."""
        return True

    def state_info(self, batch_size=0):
        """Return (delays, N, C or H) for each layer that reads the past; ValueError while C is not known.

        A network that looks ahead has one more, (1, N, 1), 1 after the first step.
        """
        require_input_size(self)
        sizes = [self.input_size, *self.hidden_sizes]
        shapes = [(-offsets[0], batch_size, size) for offsets, size in zip(self.offsets, sizes) if offsets[0] < 0]
        if not self.causal:
            shapes.append((1, batch_size, 1))
        return [{"shape": shape, "__layout__": "TNC"} for shape in shapes]

    def _why_not_carried(self):
        return (f"{type(self).__name__} is not causal: it reads steps ahead too, so the states that it returned for "
                "one chunk cannot be carried into the next; pass whole sequences, or use contexts without positive "
                "offsets")

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Run all steps at once: (T, N, C) to (T, N, H) and, if there are states, the last inputs of each layer."""
        outputs = inputs if valid_length is None else functional.mask(F, inputs, valid_length)
        begins, finals, numbers = iter(states), [], row_numbers(F, inputs)
        for layer, offsets in enumerate(self.offsets):
            if layer and self._dropout:
                outputs = F.Dropout(outputs, p=self._dropout)
            extended = _extended(F, outputs, offsets, states and begins)
            if states and offsets[0] < 0:
                finals.append(last_values(F, extended, -offsets[0], valid_length, max(offsets[-1], 0)))
            weight, bias = (parameters[f"l{layer}_{kind}"] for kind in ("weight", "bias"))
            window = _window(F, extended, offsets, numbers)
            outputs = F.FullyConnected(window, weight, bias, num_hidden=self.hidden_sizes[layer], flatten=False)
            outputs = apply_activation(F, outputs, self._activation)      # (T, N, H)
            if valid_length is not None:                                  # f(b) there would leak into a look-ahead
                outputs = functional.mask(F, outputs, valid_length)
        if states and not self.causal:
            finals.append(begun(F, states[-1], valid_length))
        return outputs, finals

    def __repr__(self):
        return (f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout}, "
                f"offsets={self.offsets}, {self._activation})")


def _extended(F, sequence, offsets, begins):
    """Return (past + T + future, N, C): a `sequence` (T, N, C) between the steps before and after it.

    `begins` are the states of layers that read the past, none for zeros.
    """
    past, future, parts = max(-offsets[0], 0), max(offsets[-1], 0), [sequence]
    if past:
        parts.insert(0, next(begins) if begins else time_zeros(F, sequence, past))
    if future:
        parts.append(time_zeros(F, sequence, future))
    return concat(F, *parts, dim=0) if len(parts) > 1 else sequence


def _window(F, extended, offsets, numbers):
    """Return x_{t+o} of all offsets o side by side, (T, N, n * C); `numbers` are those of `row_numbers`."""
    past, future = max(-offsets[0], 0), max(offsets[-1], 0)
    if len(offsets) > 1 and is_interchange_form(F):
        return shifted(F, extended, offsets, past, future)
    if len(offsets) > 1:
        return gathered(F, extended, row_indices(F, numbers, offsets, past))
    return shifts(F, extended, offsets, past, future)[0] if offsets[0] else extended


def begun(F, state, valid_length):
    """Return 1 in place of a `state` (1, N, 1) of rows that have any step."""
    ones = F.ones_like(state)
    return ones if valid_length is None else F.where(functional.mask(F, ones, valid_length), ones, state)


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
