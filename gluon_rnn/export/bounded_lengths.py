"""Lengths in a symbol that no data can lead astray: bounded by their sequence, where the graph does not do it itself.

`SequenceMask`, `SequenceLast`, `SequenceReverse` and `softmax` with lengths of MXNet 1.9.1 believe a length, and read
or write past their data where it is wrong (a negative one of `SequenceMask` ends the process). What
`gluon_rnn.nn.functional.clamp` makes is safe for any sequence with as many steps as the one that it was given::

    m = broadcast_minimum(Cast(lengths), Cast(slice_axis(shape_array(sequence))));  where(m > 0, m, zeros_like(m))

Such lengths are left as they are where the steps of both are the same at drawn sizes of all free axes. Any others get
these nodes anew, which change no length that is right. Steps are polynomials in the free axes, but for `slice`, which
cuts where there is something to cut: a graph that has one with a bound of its own is trusted in nothing.
Needs no MXNet.
"""
import ast

from gluon_rnn.export.operators import LENGTHS

__all__ = ["with_bounds"]

#: what gives each row the number that it had
_MOVING = ("Cast", "expand_dims", "broadcast_like", "BlockGrad", "_copy")


def with_bounds(symbol, shapes=None):
    """Return a checked symbol (see `symbol_file`) in which every operator with lengths gets bounded ones.

    Parameters
    ----------
    symbol : dict
    shapes : list of dict, optional
        For each of several drawn sizes, (node, output) -> shape. Without them nothing is known of steps.
    """
    nodes, moved = [], []                                                 # moved: the new number of each node
    proof = _Proof(symbol["nodes"], shapes or [])
    for node in symbol["nodes"]:
        bounded = proof.holds(node)
        node = {**node, "inputs": [[moved[source], output, 0] for source, output, _ in node["inputs"]]}
        if "subgraphs" in node:
            node["subgraphs"] = [with_bounds(body) for body in node["subgraphs"]]
        if not bounded:
            node["inputs"][1] = _added(nodes, node)
        nodes.append(node)
        moved.append(len(nodes) - 1)
    return {"nodes": nodes, "heads": [[moved[source], output, 0] for source, output, _ in symbol["heads"]],
            "arg_nodes": [number for number, node in enumerate(nodes) if node["op"] == "null"]}


def _added(nodes, node):
    """Append what bounds the lengths of `node`; return the edge of them."""
    (axis, least), (data, lengths) = LENGTHS[node["op"]], node["inputs"]
    kept = {key: value for key, value in node["attrs"].items() if key.startswith("__")}

    def add(op, *inputs, **attributes):
        name = f"{node['name']}_bound{len(nodes)}"
        nodes.append({"op": op, "name": name, "attrs": {**attributes, **kept}, "inputs": list(inputs)})
        return [len(nodes) - 1, 0, 0]

    end = {"begin": str(axis), "end": "None" if axis == -1 else str(axis + 1)}
    steps = add("Cast", add("slice_axis", add("shape_array", data), axis="0", **end), dtype="float32")
    shortest = add("broadcast_minimum", add("Cast", lengths, dtype="float32"), steps)
    bounded = add("where", add("_greater_scalar", shortest, scalar="0"), shortest, add("zeros_like", shortest))
    if least:
        bounded = add("_maximum_scalar", bounded, scalar=str(least))
    return add("Cast", bounded, dtype="int32") if node["op"] == "softmax" else bounded


class _Proof:
    """Which lengths of a symbol are bounded already."""

    def __init__(self, nodes, shapes):
        self._nodes = nodes
        self._shapes = [] if any(node["op"] == "slice" and not _cuts_ones(node["attrs"]) for node in nodes) else shapes

    def holds(self, node):
        """Return whether a node takes no lengths, or lengths that its data have room for."""
        if node["op"] not in LENGTHS or len(node["inputs"]) != 2:
            return True
        (axis, least), (data, lengths) = LENGTHS[node["op"]], node["inputs"]
        found, more = self._nodes[lengths[0]], 0
        while found["op"] in _MOVING:
            found = self._source(found)
        if least:
            if found["op"] != "_maximum_scalar" or found["attrs"]["scalar"] != str(least):
                return False
            found = self._source(found)
        if found["op"] == "_plus_scalar" and found["attrs"]["scalar"].isdigit():
            found, more = self._source(found), int(found["attrs"]["scalar"])
        steps = self._clamped_to(found)
        room = [shapes[data[0], data[1]][axis] for shapes in self._shapes]
        return bool(steps) and [size + more for size in steps] == room

    def _source(self, node, place=0):
        return self._nodes[node["inputs"][place][0]]

    def _clamped_to(self, where):
        """Return the steps, at each of the sizes, to which `clamp` has bounded a `where`; None if it is no clamp."""
        if where["op"] != "where":
            return None
        truth, zeros, shortest = self._source(where), self._source(where, 2), where["inputs"][1]
        if (truth["op"], truth["attrs"].get("scalar"), zeros["op"]) != ("_greater_scalar", "0", "zeros_like"):
            return None
        if truth["inputs"] != [shortest] or zeros["inputs"] != [shortest]:
            return None
        shortest = self._nodes[shortest[0]]
        return self._steps(self._source(shortest, 1)) if shortest["op"] == "broadcast_minimum" else None

    def _steps(self, cast):
        """Return the length, at each of the sizes, of the axis that Cast(slice_axis(shape_array(sequence))) gives."""
        if cast["op"] != "Cast" or cast["attrs"]["dtype"] not in ("float32", "float64"):
            return None
        part = self._source(cast)
        begin = part["attrs"].get("begin", "")
        if part["op"] != "slice_axis" or not begin.isdigit() or part["attrs"]["end"] != str(int(begin) + 1):
            return None
        shape = self._source(part)
        if shape["op"] != "shape_array":
            return None
        source, output, _ = shape["inputs"][0]
        return [shapes[source, output][int(begin)] for shapes in self._shapes]


def _cuts_ones(attributes):
    """Return whether a `slice` takes whole axes and first entries alone."""
    begin, end = (ast.literal_eval(attributes[key]) for key in ("begin", "end"))
    begin, end = (value if isinstance(value, (tuple, list)) else (value,) for value in (begin, end))
    return len(begin) == len(end) and all(pair in ((None, None), (0, None), (0, 1)) for pair in zip(begin, end))
