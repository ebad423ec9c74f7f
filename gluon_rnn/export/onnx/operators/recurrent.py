"""MXNet's fused recurrent operator, stacks and both directions included, as ONNX's RNN, LSTM and GRU: one a layer.

ONNX's operators take lengths. Rows of length 0 have no defined last states there; ONNX Runtime gives zeros.
"""
from collections import namedtuple

import numpy as np

from gluon_rnn.export.onnx.operators.recurrent_steps import Steps
from gluon_rnn.export.onnx.shaping import cast, reshape, squeeze, transpose
from gluon_rnn.export.onnx.translators import refused, translates

__all__ = ["Layer", "Stack", "read_layers"]

#: mode: ONNX operator, number of gates, their order in ONNX (LSTM i o f c from i f g o, GRU z r h from r z n)
MODES = {"rnn_tanh": ("RNN", (0,)), "rnn_relu": ("RNN", (0,)), "lstm": ("LSTM", (0, 3, 1, 2)),
         "gru": ("GRU", (1, 0, 2))}

#: Recurrent weights above make an error of 1e-7 in a state one of 1e-3 in a sum. No trained network has such.
LARGE_WEIGHT = 1e4

#: what one direction of one layer reads: (G*H, C), (G*H, P), (G*H,), (G*H,), and (P, H) of a projection or None
Layer = namedtuple("Layer", "i2h_weight h2h_weight i2h_bias h2h_bias h2r_weight")


class Stack:
    """Sizes and inputs of a node ``RNN``.

    Attributes
    ----------
    mode : str
    hidden_size, state_size : int
        H, and the size of h: H, or P with a projection.
    num_layers, directions : int
        L and D.
    data : Tensor (T, N, C)
    begins : list of Tensor (L * D, N, H)
        h, and c of an LSTM.
    lengths : Tensor (N,) or None
    """

    def __init__(self, node):
        attrs = node.attrs
        self.mode, self.hidden_size = attrs["mode"], int(attrs["state_size"])
        self.projection_size = attrs.get("projection_size")
        self.state_size = self.projection_size or self.hidden_size
        self.num_layers, self.directions = int(attrs["num_layers"]), 2 if attrs.get("bidirectional") else 1
        self.data, self.vector, *others = node.inputs
        count = 2 if self.mode == "lstm" else 1
        self.begins = others[:count]
        self.lengths = others[count] if attrs.get("use_sequence_length") else None


def read_layers(vector, stack):
    """Return [[Layer of each direction] of each layer] from the flat `vector` (P,) of an operator.

    All weights come first, then all biases: layer by layer, forward before backward direction, i2h before h2h.
    """
    stacked = len(MODES[stack.mode][1]) * stack.hidden_size
    found, begin = [[[] for _ in range(stack.directions)] for _ in range(stack.num_layers)], 0
    for kind in ("weight", "bias"):
        for number, layer in enumerate(found):
            size = stack.directions * stack.state_size if number else stack.data.shape[-1]
            for parts in layer:
                for shape in _shapes(kind, stacked, size, stack):
                    end = begin + int(np.prod(shape))
                    parts.append(vector[begin:end].reshape(shape))
                    begin = end
    assert begin == len(vector), f"the vector has {len(vector)} numbers, the layers need {begin}"
    return [[_layer(*parts) for parts in layer] for layer in found]


def _shapes(kind, stacked, size, stack):
    if kind == "bias":
        return [(stacked,)] * 2
    shapes = [(stacked, size), (stacked, stack.state_size)]
    return [*shapes, (stack.projection_size, stack.hidden_size)] if stack.projection_size else shapes


def _layer(i2h_weight, h2h_weight, *rest):
    *projection, i2h_bias, h2h_bias = rest
    return Layer(i2h_weight, h2h_weight, i2h_bias, h2h_bias, projection[0] if projection else None)


@translates("RNN")
def recurrent(builder, node):
    """One ONNX operator a layer, or steps of plain operators: see `must_step`."""
    _refuse(node)
    stack = Stack(node)
    layers, outputs, finals = read_layers(stack.vector.value, stack), stack.data, []
    run = (Steps if must_step(stack, layers) else Fused)(builder, stack)
    for layer, begins in zip(layers, zip(*(split(builder, state, stack) for state in stack.begins))):
        outputs, final = run(outputs, layer, begins)
        finals.append(final)
    if not node.attrs.get("state_outputs"):
        return outputs
    return [outputs, *(joined(builder, states) for states in zip(*finals))]


def must_step(stack, layers):
    """Return whether ONNX lacks the operator (projection), or its runtime does (float64, very large weights).

    The operators of ONNX Runtime approximate tanh to 1e-7 of 1; `gluon_rnn.nn.feedback` relies on that of tiny numbers.
    """
    largest = max(np.abs(one.h2h_weight).max() for layer in layers for one in layer)
    return bool(stack.projection_size) or stack.data.dtype == np.float64 or largest > LARGE_WEIGHT


def _refuse(node):
    attrs = node.attrs
    for key in ("lstm_state_clip_min", "lstm_state_clip_max"):
        if attrs.get(key) is not None:
            raise refused(node, f"has {key}={attrs[key]}, which ONNX's LSTM cannot do; leave the clipping of the state "
                                "out if it never acts")
    if node.inputs[1].value is None:
        raise refused(node, "reads parameters that the graph computes from its inputs; only constant ones can be put "
                            "into the order of ONNX")
    if node.output_dtypes[0] not in (np.float32, np.float64):
        raise refused(node, f"computes in {node.output_dtypes[0]}, which ONNX Runtime's recurrent operators do not; "
                            "cast the network to float32")


def split(builder, state, stack):
    """Return the state (L * D, N, H) as one (D, N, H) for each layer."""
    if stack.num_layers == 1:
        return [state]
    if state.fill is not None:                                            # zeros of any layer are those of the first
        axes = {"axes": [0], "begins": [0], "ends": [stack.directions]}
        return [builder.describe(_first(builder, state, **axes), fill=state.fill)] * stack.num_layers
    return builder.add("Split", state, np.array([stack.directions] * stack.num_layers, "int64"), axis=0,
                       outputs=stack.num_layers)


def _first(builder, state, axes, begins, ends):
    return builder.add("Slice", state, np.array(begins, "int64"), np.array(ends, "int64"), np.array(axes, "int64"))


def joined(builder, states):
    """Return the states (D, N, H) of all layers as one (L * D, N, H)."""
    return states[0] if len(states) == 1 else builder.add("Concat", *states, axis=0)


class Fused:
    """``outputs, finals = run(inputs, layer, begins)`` by one ONNX operator for both directions."""

    def __init__(self, builder, stack):
        self._builder, self._stack = builder, stack
        self._lengths = None if stack.lengths is None else cast(builder, stack.lengths, "int32")

    def __call__(self, inputs, layer, begins):
        """Run (T, N, C) and [h] or [h, c], (D, N, H) each: return (T, N, D * H) and the last states."""
        operator, order = MODES[self._stack.mode]
        weights = [np.stack([_ordered(getattr(one, name), order) for one in layer])
                   for name in ("i2h_weight", "h2h_weight")]
        biases = np.stack([np.concatenate([_ordered(one.i2h_bias, order), _ordered(one.h2h_bias, order)])
                           for one in layer])
        begins = [None if begin.fill == 0 or _is_zero(begin.value) else begin for begin in begins]
        outputs, *finals = self._builder.add(
            operator, inputs, *weights, biases, self._lengths, *begins, outputs=1 + len(begins),
            hidden_size=self._stack.hidden_size, **self._attributes())
        return self._features(outputs), finals

    def _attributes(self):
        found = {"direction": "bidirectional"} if self._stack.directions == 2 else {}
        if self._stack.mode == "gru":
            found["linear_before_reset"] = 1
        if self._stack.mode == "rnn_relu":
            found["activations"] = ["Relu"] * self._stack.directions
        return found

    def _features(self, outputs):
        """Return ONNX's outputs (T, D, N, H) as (T, N, D * H)."""
        if self._stack.directions == 1:
            return squeeze(self._builder, outputs, [1])
        outputs = transpose(self._builder, outputs, (0, 2, 1, 3))
        return reshape(self._builder, outputs, (*outputs.shape[:2], 2 * self._stack.hidden_size), copied=(0, 1))


def _ordered(part, order):
    """Return a weight (G*H, C) or bias (G*H,) with its gates in another order."""
    return np.concatenate([np.split(part, len(order))[gate] for gate in order])


def _is_zero(value):
    return value is not None and not value.any()
