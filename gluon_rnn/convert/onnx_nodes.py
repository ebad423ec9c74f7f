"""Nodes RNN, LSTM and GRU of ONNX models: the layers that they are.

    W (D, G*H, C), R (D, G*H, H), B (D, 2*G*H), the biases of the inputs first; P (D, 3*H), peepholes i, o, f

Gates are i, o, f, c and z, r, h; ours i, f, g, o and r, z, n. The state is h = (1 - z) hh + z h, as ours is. A GRU with
``linear_before_reset=0``, the default, is our `ResetBeforeGRU`; an LSTM with peepholes is our `PeepholeLSTM`.
"""
import numpy as np

from gluon_rnn.convert.blocks import take
from gluon_rnn.convert.onnx_graph import attributes, name_of, read_graph
from gluon_rnn.convert.sources import as_prefixes
from gluon_rnn.convert.weights import LayerWeights, Origin

__all__ = ["from_onnx", "read_onnx"]

# Gates of the operator in the order of ours, and activations of each direction.
_ORDER = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
_RNN = {"Tanh": "rnn_tanh", "Relu": "rnn_relu", "Sigmoid": "rnn_sigmoid"}


def from_onnx(source, layer=None, *, prefix=None, layout="TNC"):
    """Return a block with the parameters of the recurrent nodes of an ONNX model.

    Parameters
    ----------
    source : str, path, bytes or onnx.ModelProto
    layer : block, optional
        Ours, to load into; default: a new one whose architecture follows from the nodes.
    prefix : str or list of str, optional
        Name of a node (that of its first output where it has none), or of the nodes of a stack in their order.
        Default: all recurrent nodes of the main graph, where each reads the outputs of the one before.
    layout : {"TNC", "NTC"}, default "TNC"
        Of a new block.

    Returns
    -------
    block
        ``outputs, states = block(inputs, states)``: `RNN`, `LSTM`, `GRU`, `ResetBeforeGRU`, `PeepholeLSTM`, of both
        directions a `BidirectionalStack` of the last two; a `Chain` of unequal layers.

    Raises
    ------
    ValueError
        If it is no valid model or has no such nodes, or several stacks and no `prefix`; if weights are no constants;
        if a node computes what ours does not (``direction="reverse"``, ``clip``, ``input_forget``, other
        activations); if a tensor does not fit, the first of which is named with both shapes. Nothing is written into
        `layer` then.
    TypeError
        If the source or the layer are of no known kind.
    ModuleNotFoundError
        Where onnx is not installed.

    Notes
    -----
    The operators are those of ONNX's documentation. Initial states of the model are not taken over: states are an
    argument here. ``sequence_lens`` is `valid_length`.
    """
    layers, name = read_onnx(source, prefix=prefix)
    return take(layers, layer, name, layout)


def read_onnx(source, mode=None, prefix=None):
    """Return the layers in a source of `from_onnx` as a list of `LayerWeights`, and how messages call the source.

    `mode` is not needed, since nodes say what they are, and must be None.
    """
    if mode is not None:
        raise ValueError(f"a node of ONNX says what it is; leave mode out, got {mode!r}")
    graph, name = read_graph(source)
    names = _chosen(as_prefixes(prefix), graph, name)
    return [_layer(graph, graph.nodes[one], name) for one in names], name


def _chosen(prefixes, graph, source):
    if prefixes is not None:
        for prefix in prefixes:
            if prefix not in graph.nodes:
                raise ValueError(f"{source} has no recurrent node {prefix!r}; nodes found: "
                                 f"{list(graph.nodes) or 'none'}")
        return prefixes
    stacks = graph.stacks()
    if len(stacks) != 1:
        what = "of which one stack is meant" if stacks else "(RNN, LSTM, GRU) in its main graph"
        raise ValueError(f"{source} has no recurrent nodes {what}; stacks found: {stacks or 'none'}"
                         + ("; pass prefix=" if stacks else ""))
    return stacks[0]


def _layer(graph, node, source):
    """Return the `LayerWeights` of a node."""
    said, kind = attributes(node), node.op_type
    direction = said.get("direction", "forward")
    _refuse(node, said, source)
    inputs = dict(zip(("X", "W", "R", "B", "lengths", "h", "c", "P"), node.input))
    values = {key: _constant(graph, node, key, inputs, source) for key in ("W", "R", "B", "P")}
    peepholes = values["P"] is not None and np.any(values["P"])
    parts, origins = {}, {}
    for index, side in enumerate("lr" if direction == "bidirectional" else "l"):
        for part, key, array in _converted(kind, values, index, peepholes):
            parts[f"{side}_{part}"] = array
            origins[f"{side}_{part}"] = Origin(inputs[key], values[key].shape)
    return LayerWeights(_mode(node, said, peepholes), parts, origins)


def _constant(graph, node, key, inputs, source):
    """Return the array of an input of a node, None where it has none; its first axis are the directions."""
    if not inputs.get(key):
        return None
    value = graph.constant(inputs[key])
    if value is None:
        raise ValueError(f"{key} of node {name_of(node)!r} of {source}, {inputs[key]!r}, is computed when the model "
                         "runs; only constants can be converted")
    directions = 2 if attributes(node).get("direction") == "bidirectional" else 1
    axes = 3 if key in "WR" else 2
    if value.ndim != axes or value.shape[0] != directions:
        raise ValueError(f"{inputs[key]} of {source} has shape {value.shape}, but {key} of node {name_of(node)!r} "
                         f"needs {axes} axes, the first of {directions}")
    return value


def _converted(kind, values, index, peepholes):
    """Yield (part, input, array) of one direction in our order of gates."""
    order = _ORDER[kind]
    yield "i2h_weight", "W", _sorted_gates(values["W"][index], order)
    yield "h2h_weight", "R", _sorted_gates(values["R"][index], order)
    if values["B"] is not None:
        both = values["B"][index]
        for part, half in zip(("i2h_bias", "h2h_bias"), (both[:len(both) // 2], both[len(both) // 2:])):
            yield part, "B", _sorted_gates(half, order)
    if peepholes:
        third = len(values["P"][index]) // 3
        for place, gate in enumerate("iof"):
            yield f"peephole_{gate}", "P", values["P"][index][place * third:(place + 1) * third]


def _sorted_gates(array, order):
    """Return `array` (G*H, ...) with its gates in our order; as it is where there are no G gates of one size."""
    if len(array) % len(order):
        return array                                                      # its shape is refused later, in one sentence
    gates = np.split(array, len(order))
    return np.concatenate([gates[index] for index in order])


def _mode(node, said, peepholes):
    if node.op_type == "RNN":
        return _RNN[said.get("activations", ["Tanh"])[0]]
    if node.op_type == "GRU":
        return "gru" if said.get("linear_before_reset", 0) else "reset_before_gru"
    return "peephole_lstm" if peepholes else "lstm"


def _refuse(node, said, source):
    """Raise ValueError if a node computes what none of our layers does."""
    name, direction = f"node {name_of(node)!r} of {source}", said.get("direction", "forward")
    count = 2 if direction == "bidirectional" else 1
    if direction == "reverse":
        raise ValueError(f"{name} reads in reverse only, which our layers do together with the forward direction; "
                         "reverse the inputs, and set its direction to forward")
    for attribute in ("clip", "input_forget"):
        if said.get(attribute):
            raise ValueError(f"{name} has {attribute}={said[attribute]}, which our layers do not know")
    expected = _ACTIVATIONS.get(node.op_type) or said.get("activations", ["Tanh"])[:1]
    found = said.get("activations", expected * count)
    if found != expected * count or node.op_type == "RNN" and found[0] not in _RNN:
        ours = " or ".join(_RNN) if node.op_type == "RNN" else ", ".join(expected)
        raise ValueError(f"{name} has activations {found}; ours are {ours}, the same in both directions")
