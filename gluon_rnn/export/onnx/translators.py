"""From one MXNet node to ONNX nodes: the registry of translators, and the driver that calls them.

A node whose inputs are all constants is computed here, by MXNet, so that what a network makes of its parameters
(concatenated vectors, slices of them, identity matrices) arrives as a constant.
"""
import importlib
import json
import pkgutil

import mxnet as mx
import numpy as np

__all__ = ["UnsupportedOperator", "translates", "supported", "translate"]

_TRANSLATORS = {}
# Operators without inputs whose shapes may be unknown until MXNet has inferred them; their translators look.
_NEVER_COMPUTED = {"_zeros", "_ones", "_full"}
_RANDOM = ("_random_", "_sample_", "_npi_", "_shuffle")


class UnsupportedOperator(ValueError):
    """A node that has no counterpart in standard ONNX, or none here."""


def translates(*operators):
    """Return a decorator that registers ``function(builder, node)`` as the translator of MXNet `operators`.

    The function returns a Tensor, or a list of them: one for each output of the node. It raises `UnsupportedOperator`,
    by `refused`, for attributes that it has no translation for.
    """
    def register(function):
        for operator in operators:
            if operator in _TRANSLATORS:
                raise ValueError(f"operator {operator!r} has two translators")
            _TRANSLATORS[operator] = function
        return function
    return register


def supported():
    """Return the sorted names of all MXNet operators that have a translator."""
    _load()
    return sorted(_TRANSLATORS)


def refused(node, reason):
    """Return the error that names operator and node and says `reason`."""
    return UnsupportedOperator(f"operator {node.op!r} of node {node.name!r} {reason}")


def translate(builder, graph, given):
    """Return the Tensors that come out of a `Graph`.

    Parameters
    ----------
    builder : Builder
    graph : Graph
        Of a symbol, or one of a node's `subgraphs`: then call this within ``builder.body(...)``.
    given : list of Tensor
        For each of ``graph.variables``, in their order. A variable that nothing reads may be None.

    Raises
    ------
    UnsupportedOperator
        For a node without a translation; it is named.
    """
    _load()
    variables, results = dict(zip(graph.variables, given)), []
    for index, node in enumerate(graph.nodes):
        if node.op == "null":
            results.append([variables[index]])
            continue
        node.inputs = [results[source][output] for source, output in node.sources]
        results.append(_translated(builder, node))
    return [results[index][output] for index, output in graph.heads]


def _translated(builder, node):
    """Return one Tensor for each output of `node`, with the shapes and types that MXNet says."""
    if _can_be_computed(node):
        return [builder.constant(array, f"{node.name}/value") for array in compute(node)]
    if node.op not in _TRANSLATORS:
        raise refused(node, "has no translation to ONNX; write one with gluon_rnn.export.onnx.translates, or take "
                            "the operator out of the network")
    if any(known is None for known in (*node.output_sizes, *node.output_dtypes)):     # NumPy: None == float64
        raise ValueError(f"MXNet cannot tell the shape and type of what node {node.name!r} ({node.op}) gives; "
                         "say the shape and type of every input")
    with builder.named(node.name):
        results = _TRANSLATORS[node.op](builder, node)
    results = results if isinstance(results, (list, tuple)) else [results]
    return [_described(builder, node, *entry)
            for entry in zip(results, node.output_shapes, node.output_dtypes, node.output_sizes)]


def _described(builder, node, tensor, shape, dtype, sizes):
    if (tensor.dtype is not None and tensor.dtype != dtype) or (tensor.shape is not None and len(tensor.shape) != len(shape)):
        raise AssertionError(f"the translator of {node.op} ({node.name}) gives {tensor.dtype} {tensor.shape}, "
                             f"MXNet {dtype} {shape}")
    return tensor if tensor.value is not None else builder.describe(tensor, shape, dtype, sizes=sizes)


def _can_be_computed(node):
    return (all(tensor is not None and tensor.value is not None for tensor in node.inputs) and not node.subgraphs
            and node.op not in _NEVER_COMPUTED and not node.op.startswith(_RANDOM))


def compute(node):
    """Return what MXNet computes for a node whose inputs are constants, as NumPy arrays."""
    symbol = _alone(node)
    arrays = [mx.nd.array(tensor.value, dtype=tensor.dtype) for tensor in node.inputs]
    if not arrays:                                                        # a cached operator has at least one input
        return [output.asnumpy() for output in symbol.bind(mx.cpu(), {}).forward()]
    results = mx.nd.CachedOp(symbol)(*arrays)
    return [output.asnumpy() for output in (results if isinstance(results, list) else [results])]


def _alone(node):
    """Return the symbol of one node, all its outputs, on variables x0, x1, ..."""
    count = len(node.inputs)
    nodes = [dict(op="null", name=f"x{i}", inputs=[]) for i in range(count)]
    nodes.append(dict(op=node.op, name="node", attrs={key: str(value) for key, value in node.attrs.items()},
                      inputs=[[i, 0, 0] for i in range(count)]))
    internals = mx.sym.load_json(json.dumps(dict(
        nodes=nodes, arg_nodes=list(range(count)), heads=[[count, 0, 0]], node_row_ptr=list(range(count + 2)),
        attrs={"mxnet_version": ["int", 10901]}))).get_internals()
    return mx.sym.Group([internals[i] for i in range(count, len(internals.list_outputs()))])


def _load():
    """Import every module of `operators`, which registers the translators."""
    from gluon_rnn.export.onnx import operators
    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")
