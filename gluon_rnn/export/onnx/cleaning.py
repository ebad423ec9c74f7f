"""What a list of ONNX nodes needs before it is a graph: nothing unused in it, and the outputs under their names."""
import onnx

__all__ = ["without_unused", "renamed", "attributes_with_graphs", "names_read"]

_OPTIONAL_OUTPUTS = {"LSTM", "GRU", "RNN"}                                # an empty name: not asked for, not computed


def attributes_with_graphs(node):
    """Return those attributes of an ONNX node that hold a body."""
    return [attribute for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]


def names_read(nodes):
    """Return all names that nodes read, those in bodies and those that bodies hand out included."""
    names = set()
    for node in nodes:
        names.update(node.input)
        for attribute in attributes_with_graphs(node):
            names |= names_read(attribute.g.node) | {info.name for info in attribute.g.output}
    return names


def without_unused(nodes, outputs):
    """Return the nodes that `outputs` (names) depend on, in their order; unused optional outputs lose their names."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.isdisjoint(node.output):
            continue
        if node.op_type in _OPTIONAL_OUTPUTS:
            names = [name if name in needed else "" for name in node.output]
            while not names[-1]:
                names.pop()
            del node.output[:]
            node.output.extend(names)
        needed |= names_read([node])
        kept.append(node)
    return kept[::-1]


def renamed(nodes, names):
    """Return the nodes with all that is called by a key of `names` called by its value, in bodies too."""
    for node in nodes:
        for field in (node.input, node.output):
            changed = [names.get(name, name) for name in field]
            del field[:]
            field.extend(changed)
        for attribute in attributes_with_graphs(node):
            renamed(attribute.g.node, names)
    return nodes
