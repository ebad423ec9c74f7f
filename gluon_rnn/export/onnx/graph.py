"""What a symbol says, taken apart: nodes, attributes, and the shape and type of each output.

MXNet infers shapes for sizes only, never for names of axes. So it is asked twice, with two sizes for every free axis:
where both answers agree, an axis is fixed, else it is free. A free axis whose two sizes are those of a named one bears
its name.
"""
import ast
import itertools
import json
import re

import mxnet as mx
import numpy as np

__all__ = ["Graph", "Node", "read", "example_sizes"]

# Primes show that twice the half of an odd axis is another axis. Where a network divides an axis, only multiples do.
_EXAMPLES = [([1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069],
              [2003, 2011, 2017, 2027, 2029, 2039, 2053, 2063, 2069, 2081, 2083, 2087]),
             (list(range(960, 3840, 240)), list(range(3840, 6720, 240)))]


class Graph:
    """A symbol, or the body of a loop in one.

    Attributes
    ----------
    nodes : list of Node
        In an order in which each comes after what it reads.
    variables : list of int
        Places in `nodes` of what goes in (inputs, parameters, auxiliary states), in the order of ``list_inputs``.
    heads : list of (int, int)
        Node and number of its output, for all that comes out.
    output_names : list of str
    """

    def __init__(self, nodes, variables, heads, output_names):
        self.nodes, self.variables, self.heads, self.output_names = nodes, variables, heads, output_names


class Node:
    """One operator or variable of a symbol.

    Attributes
    ----------
    op, name : str
        ``op`` is "null" for a variable.
    attrs : dict
        Attributes as Python values: numbers, bools, None, tuples, and strings for the rest.
    sources : list of (int, int)
        Node and number of its output, for each input.
    inputs : list of Tensor
        Set by the driver before the node is translated.
    output_sizes : list of (tuple, tuple)
        Shapes of each output at the two example sizes; None where MXNet does not know.
    output_dtypes : list of numpy.dtype
    subgraphs : list of Graph
    """

    def __init__(self, op, name, attrs, sources):
        self.op, self.name, self.attrs, self.sources = op, name, attrs, sources
        self.inputs, self.output_sizes, self.output_dtypes, self.subgraphs = [], [], [], []

    @property
    def output_shapes(self):
        """Shapes of the outputs, a tuple each, with None for a free axis."""
        return [shape_of(sizes) for sizes in self.output_sizes]


def shape_of(sizes):
    """Return the shape that two examples of it have in common, None for an axis in which they differ."""
    return tuple(a if a == b else None for a, b in zip(*sizes))


def example_sizes(shapes):
    """Yield {name of an axis: its two example sizes} for all names in `shapes`, the best guess first."""
    names = list(dict.fromkeys(axis for shape in shapes for axis in shape if isinstance(axis, str)))
    for first, second in _EXAMPLES:
        if len(names) > len(first):
            raise ValueError(f"inputs have {len(names)} free axes ({', '.join(names)}), at most {len(first)} are "
                             "possible; give fixed sizes to some")
        yield {name: pair for name, *pair in zip(names, first, second)}


def read(symbol, given):
    """Return the `Graph` of an ``mx.sym.Symbol``.

    Parameters
    ----------
    given : dict of str to (pair of tuples, dtype)
        Shapes, at both example sizes, and type of inputs, parameters and auxiliary states.

    Raises
    ------
    ValueError
        Where MXNet finds that shapes or types do not fit.
    """
    document = json.loads(symbol.tojson())
    by_index = {index: given[node["name"]] for index, node in enumerate(document["nodes"])
                if node["op"] == "null" and node["name"] in given}
    return _read(document, by_index, symbol.list_outputs())


def _read(document, given, output_names):
    nodes = [Node(node["op"], node["name"], _parsed(node.get("attrs") or {}), [tuple(e[:2]) for e in node["inputs"]])
             for node in document["nodes"]]
    _infer(document, nodes, given)
    for node, stored in zip(nodes, document["nodes"]):
        if node.op == "_foreach":
            node.subgraphs = [_read_body(stored["subgraphs"][0], document["attrs"], node, nodes)]
    return Graph(nodes, document["arg_nodes"], [tuple(entry[:2]) for entry in document["heads"]], output_names)


def _read_body(stored, attributes, node, nodes):
    """Return the `Graph` of the body of a ``_foreach``: it sees one step of the data, states, and the rest as it is."""
    symbol = mx.sym.load_json(json.dumps(dict(stored, attrs=attributes)))
    document = json.loads(symbol.tojson())
    places = itertools.chain(*(node.attrs[key] for key in ("in_data_locs", "in_state_locs", "remain_locs")))
    given = {}
    for number, (place, (source, output)) in enumerate(zip(places, node.sources)):
        sizes, dtype = nodes[source].output_sizes[output], nodes[source].output_dtypes[output]
        if number < len(node.attrs["in_data_locs"]):
            sizes = tuple(shape[1:] for shape in sizes)
        given[document["arg_nodes"][place]] = sizes, dtype
    return _read(document, given, symbol.list_outputs())


def _parsed(attributes):
    """Return attributes as Python values, without those that MXNet keeps for itself (``__shape__`` and the like)."""
    return {key: _value(text) for key, text in attributes.items() if not key.startswith("__")}


def _value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text                                                       # a word, such as "tanh" or "float32"


def _infer(document, nodes, given):
    """Set `output_sizes` and `output_dtypes` of all nodes."""
    internals = _renamed(document).get_internals()
    owners = [int(re.match(r"n(\d+)", name)[1]) for name in internals.list_outputs()]
    arguments = set(internals.list_arguments())
    known = {f"n{index}": value for index, value in given.items() if f"n{index}" in arguments}
    try:
        shapes = [internals.infer_shape_partial(**{name: sizes[example] for name, (sizes, _) in known.items()})[1]
                  for example in (0, 1)]
        types = internals.infer_type_partial(**{name: np.dtype(dtype).name for name, (_, dtype) in known.items()})[1]
    except mx.base.MXNetError as error:
        raise ValueError(f"MXNet cannot infer the shapes of this graph from the given inputs: {_reason(error, nodes)}; "
                         "correct the inputs' shapes and types") from None
    for owner, first, second, dtype in zip(owners, *shapes, types):
        known = first and second and 0 not in first and 0 not in second
        nodes[owner].output_sizes.append((tuple(first), tuple(second)) if known else None)
        nodes[owner].output_dtypes.append(None if dtype is None else np.dtype(dtype))


def _renamed(document):
    """Return the symbol with node i called "n<i>", since MXNet lets names repeat; variables forget stored shapes."""
    nodes = []
    for index, node in enumerate(document["nodes"]):
        attributes = {} if node["op"] == "null" else node.get("attrs") or {}
        nodes.append(dict(node, name=f"n{index}", attrs=attributes))
    return mx.sym.load_json(json.dumps(dict(document, nodes=nodes)))


def _reason(error, nodes):
    """Return the line of an MXNet error that says what is wrong, with the nodes' own names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Stack")]
    found = next((line for line in lines if "Error in operator" in line or "Check failed" in line), lines[-1])
    found = re.sub(r"\[\d\d:\d\d:\d\d\] \S+: (Check failed: )?", "", found.split("MXNetError: ")[-1]).rstrip(". ")
    return re.sub(r"\bn(\d+)\b", lambda match: nodes[int(match[1])].name, found)
