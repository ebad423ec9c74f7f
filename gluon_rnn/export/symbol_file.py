"""Symbols of a bundle as data: every node is checked before MXNet sees one. Needs no MXNet.

A symbol in MXNet's JSON may name any operator, among them some that take an address as an attribute, and MXNet follows
its numbers without a look. So the file is read here, compared with `gluon_rnn.export.operators`, and written anew from
what was checked; MXNet loads that text.
"""
import json

from gluon_rnn.export.operators import OPERATORS
from gluon_rnn.export.reading import BundleError, read_json

__all__ = ["as_text", "checked_symbol", "outputs_of", "read_symbol"]

_MOST_NODES, _DEEPEST = 100_000, 3
#: of variables; what else a variable says (how it began, how fast it learns) no answer needs
_OF_VARIABLES = {"__dtype__": frozenset("0123456").__contains__}
_SUBGRAPH = "__subgraph_name__"


def read_symbol(path):
    """Return what `checked_symbol` makes of the symbol in a file.

    Raises
    ------
    BundleError
        If it is no symbol, names an operator or attribute that no export has, or its nodes do not fit each other.
    """
    return checked_symbol(read_json(path, "a symbol"), repr(str(path)))


def as_text(symbol):
    """Return a checked symbol as MXNet loads it."""
    return json.dumps({**symbol, "attrs": {"mxnet_version": ["int", 10901]}})


def checked_symbol(stored, where, depth=0):
    """Return ``{"nodes", "arg_nodes", "heads"}`` of a symbol, or of the body of a loop, with nothing else in it."""
    if depth > _DEEPEST:
        raise BundleError(f"{where}: loops within loops, {depth} deep; export again")
    nodes = stored.get("nodes") if isinstance(stored, dict) else None
    if not isinstance(nodes, list) or not 0 < len(nodes) <= _MOST_NODES:
        raise BundleError(f"{where} has no list of 1 to {_MOST_NODES} nodes, and is no symbol of MXNet; export again")
    checked, outputs = [], []
    for number, node in enumerate(nodes):
        place = f"{where}: node {number}"
        if not isinstance(node, dict):
            raise BundleError(f"{place} is no mapping; export again")
        checked.append(_checked_node(node, place, outputs, depth))
        outputs.append(outputs_of(checked[-1]))
    heads = _checked_edges(stored.get("heads"), f"{where}: heads", outputs)
    if not heads:
        raise BundleError(f"{where} has no outputs; export again")
    names = [node["name"] for node in checked if node["op"] == "null"]
    if len(set(names)) < len(names):
        raise BundleError(f"{where} has two variables of one name; export again")
    return {"nodes": checked, "heads": heads,
            "arg_nodes": [number for number, node in enumerate(checked) if node["op"] == "null"]}


def outputs_of(node):
    """Return the number of outputs of a checked node."""
    return 1 if node["op"] == "null" else OPERATORS[node["op"]].outputs(node["attrs"])


def _checked_node(node, place, outputs, depth):
    """Return a node of what it needs; BundleError unless an export could have it."""
    op, name = node.get("op"), node.get("name")
    if not isinstance(op, str) or not isinstance(name, str) or not (0 < len(name) <= 1000 and name.isprintable()):
        raise BundleError(f"{place} has no name or no operator; export again")
    if op != "null" and op not in OPERATORS:
        raise BundleError(f"{place} {name!r} has the operator {op[:60]!r}, which no export writes; a bundle may only "
                          "have those in gluon_rnn.export.operators")
    attributes = node.get("attrs", {})
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise BundleError(f"{place} {name!r} has attributes that are no texts; export again")
    edges = _checked_edges(node.get("inputs"), f"{place} {name!r}", outputs)
    if op == "null":
        return _variable(name, attributes, edges, place)
    checked = {"op": op, "name": name, "attrs": _checked_attributes(op, attributes, f"{place} {name!r}"),
               "inputs": edges}
    _check_count(checked, f"{place} {name!r}")
    bodies = node.get("subgraphs", [])
    if op == "_foreach":
        checked["subgraphs"] = [_checked_body(checked, bodies, f"{place} {name!r}", depth)]
    elif bodies:
        raise BundleError(f"{place} {name!r} has a body and is no loop; export again")
    return checked


def _variable(name, attributes, edges, place):
    if edges:
        raise BundleError(f"{place} {name!r} is a variable and has inputs; export again")
    kept = {key: attributes[key] for key, allowed in _OF_VARIABLES.items() if key in attributes}
    if not all(_OF_VARIABLES[key](value) for key, value in kept.items()):
        raise BundleError(f"{place} {name!r} is a variable of an unknown type; export again")
    return {"op": "null", "name": name, "attrs": kept, "inputs": []}


def _checked_attributes(op, attributes, place):
    operator = OPERATORS[op]
    for key, value in attributes.items():
        if key.startswith("__"):
            continue
        if key not in operator.attributes or not operator.attributes[key](value):
            raise BundleError(f"{place} ({op}) has {key[:40]}={value[:60]!r}, which no export writes; export again")
    missing = [key for key in operator.needed if key not in attributes]
    if missing:
        raise BundleError(f"{place} ({op}) has no {missing[0]}; export again")
    return {key: value for key, value in attributes.items() if key == _SUBGRAPH or not key.startswith("__")}


def _check_count(node, place):
    """Raise BundleError unless a node has as many inputs as its operator takes."""
    least, most = OPERATORS[node["op"]].inputs
    found, attributes = len(node["inputs"]), node["attrs"]
    if "num_args" in attributes:                                          # of a loop: its body counts as one
        least = most = int(attributes["num_args"]) - (node["op"] == "_foreach")
    elif node["op"] == "FullyConnected":
        least = most = 2 if attributes.get("no_bias") in ("True", "1") else 3
    elif node["op"] == "RNN":
        least = most = 4 if attributes["mode"] == "lstm" else 3
    elif node["op"] == "softmax":
        least = most = 2 if attributes.get("use_length") in ("True", "1") else 1
        if most == 2 and attributes.get("axis", "-1") != "-1":
            raise BundleError(f"{place} (softmax) has lengths of another axis than the last; export again")
    if not least <= found <= most:
        raise BundleError(f"{place} ({node['op']}) has {found} inputs, expected {least}; export again")


def _checked_edges(edges, place, outputs):
    """Return the ends [node, output, 0]; BundleError where one is not of a node before, or no output of it."""
    if not isinstance(edges, list):
        raise BundleError(f"{place} has no list of inputs; export again")
    for edge in edges:
        whole = isinstance(edge, list) and 2 <= len(edge) <= 3 and all(type(part) is int for part in edge)
        if not whole or not 0 <= edge[0] < len(outputs) or not 0 <= edge[1] < outputs[edge[0]]:
            raise BundleError(f"{place} reads {str(edge)[:60]}, which is no output of a node before it; export again")
    return [[edge[0], edge[1], 0] for edge in edges]


def _checked_body(node, bodies, place, depth):
    """Return the body of a loop; BundleError unless its places are those of its variables, each once."""
    if not isinstance(bodies, list) or len(bodies) != 1:
        raise BundleError(f"{place} is a loop and has no body; export again")
    body, attributes = checked_symbol(bodies[0], f"{place}: body", depth + 1), node["attrs"]
    data, states, others = (json.loads(attributes[key]) for key in ("in_data_locs", "in_state_locs", "remain_locs"))
    variables, results = len(body["arg_nodes"]), len(body["heads"])
    count = int(attributes["num_out_data"])
    if sorted([*data, *states, *others]) != list(range(variables)) or variables != len(node["inputs"]) or not data:
        raise BundleError(f"{place} is a loop whose inputs are not the {variables} variables of its body; export again")
    if int(attributes["num_outputs"]) != results or count + len(states) != results:
        raise BundleError(f"{place} is a loop whose outputs are not the {results} of its body; export again")
    return body
