"""ONNX nodes, constants and bodies of loops, gathered into a model.

The builder keeps a model small by itself: equal nodes and equal constants exist once, a node in a body that reads
nothing of that body goes in front of the loop, and what nothing reads is left out.
"""
import contextlib
import dataclasses

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from gluon_rnn.export.onnx.cleaning import attributes_with_graphs, names_read, renamed, without_unused

__all__ = ["Tensor", "Builder"]

_LARGEST_DATUM = 64                                                      # numbers that shape inference may have to read


@dataclasses.dataclass(eq=False)
class Tensor:
    """A value in the ONNX graph.

    Attributes
    ----------
    name : str
    shape : tuple or None
        None for a free axis; None as a whole only until `Builder.describe` says it.
    dtype : numpy.dtype
    value : numpy.ndarray or None
        What a constant holds.
    sizes : pair of tuples or None
        The shape at MXNet's two example sizes; None for what a translator made on the way.
    fill : number or None
        All elements are this number, although the shape may be free (begin states).
    base : Tensor or None
        A tensor with the same elements in the same order, of another shape.
    truth : Tensor or None
        The bool tensor that this one holds as 0 and 1.
    narrow : Tensor or None
        A tensor that this one is a broadcast of.
    turned : (Tensor, list of int) or None
        A tensor that this one is a transpose of, and the order of its axes.
    pieces : tuple of Tensor or None
        The tensors (1,) that this one, a shape, consists of.
    """

    name: str
    shape: tuple
    dtype: np.dtype
    value: np.ndarray = None
    sizes: tuple = None
    fill: float = None
    base: "Tensor" = None
    truth: "Tensor" = None
    narrow: "Tensor" = None
    turned: tuple = None
    pieces: tuple = None

    @property
    def ndim(self):
        return len(self.shape)


class Body:
    """The body of a Loop or Scan: read `inputs`, set `outputs` (Tensors); `graph` is there when the block has ended."""

    def __init__(self, inputs):
        self.inputs, self.outputs, self.graph = inputs, None, None


class _Scope:
    """Nodes of one level: the model's own, or those of a body."""

    def __init__(self):
        self.nodes, self.made = [], {}


class Builder:
    """Writes one ONNX model.

    Attributes
    ----------
    opset : int
    prefix : str
        Name of the MXNet node that is being translated: ONNX nodes and tensors are called after it.
    axes : dict of (int, int) to (Tensor, int)
        Where the size of a named free axis can be read, by its two example sizes: an input of the model and its axis.
    """

    def __init__(self, opset=17):
        self.opset, self.prefix, self.axes = opset, "graph", {}
        self._scopes, self._depths, self._constants, self._used = [_Scope()], {}, {}, set()
        self._arrays, self._inputs = {}, []

    def input(self, name, shape, dtype, sizes):
        """Return the Tensor of a model's input; `shape` may name its free axes."""
        self._used.add(name)
        tensor = Tensor(name, tuple(None if isinstance(axis, str) else axis for axis in shape), np.dtype(dtype),
                        sizes=sizes)
        self._inputs.append(_value_info(tensor, shape))
        self._depths[name] = 0
        for axis, pair in enumerate(zip(*sizes)):
            if pair[0] != pair[1]:
                self.axes.setdefault(pair, (tensor, axis))
        return tensor

    def is_input(self, tensor):
        """Return whether `tensor` is an input of the model, as it comes."""
        return any(info.name == tensor.name for info in self._inputs)

    def constant(self, array, name=None):
        """Return the Tensor of a constant; equal ones are one initializer, and none is stored that nothing reads."""
        array = np.asarray(array, order="C")
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            unique = self._unique(name or f"{self.prefix}/constant")
            self._constants[key] = Tensor(unique, array.shape, array.dtype, array, sizes=(array.shape, array.shape))
            self._arrays[unique], self._depths[unique] = array, 0
        return self._constants[key]

    def add(self, op_type, *inputs, outputs=1, **attributes):
        """Add a node and return its output, or a list of `outputs` of them.

        Parameters
        ----------
        inputs : Tensor, numpy.ndarray or None
            An array becomes an initializer; None is an optional input that is left out.
        outputs : int
        attributes
            Of the ONNX operator; None is left out.
        """
        tensors = [self.constant(entry) if isinstance(entry, np.ndarray) else entry for entry in inputs]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        nested = any(isinstance(value, onnx.GraphProto) for value in attributes.values())
        names = [tensor.name if tensor is not None else "" for tensor in tensors]
        depth = len(self._scopes) - 1 if nested else max((self._depths[name] for name in names if name), default=0)
        key = None if nested else (op_type, *names, outputs, repr(sorted(attributes.items())))
        made = self._scopes[depth].made.get(key)
        if made is None:
            made = self._add_new(op_type, tensors, outputs, attributes, depth)
            if key:
                self._scopes[depth].made[key] = made
        return made[0] if outputs == 1 else list(made)

    def describe(self, tensor, shape=None, dtype=None, **notes):
        """Return `tensor` with a shape, type or note (`fill`, `base` and the like) said about it."""
        return dataclasses.replace(tensor, shape=tensor.shape if shape is None else tuple(shape),
                                   dtype=tensor.dtype if dtype is None else np.dtype(dtype), **notes)

    @contextlib.contextmanager
    def named(self, prefix):
        """Call nodes and tensors that are added within the block after `prefix`."""
        before, self.prefix = self.prefix, prefix
        try:
            yield
        finally:
            self.prefix = before

    @contextlib.contextmanager
    def body(self, inputs):
        """Gather the nodes of a Loop's or Scan's body: nodes added within the block go there if they read from it.

        Parameters
        ----------
        inputs : list of (shape, dtype)
            None in a shape for a free axis; in the order of the ONNX operator's body.

        Yields
        ------
        Body
            ``body.inputs`` are Tensors; set ``body.outputs`` within the block, pass ``body.graph`` to `add` after it.
        """
        scope, depth, begun = _Scope(), len(self._scopes), self._unique(f"{self.prefix}/body")
        tensors = [Tensor(self._unique(f"{begun}/input"), tuple(shape), np.dtype(dtype)) for shape, dtype in inputs]
        self._depths.update({tensor.name: depth for tensor in tensors})
        self._scopes.append(scope)
        body = Body(tensors)
        try:
            yield body
            outputs = self._distinct(body.outputs, {tensor.name for tensor in tensors}, depth)
        finally:
            self._scopes.pop()
        names = [tensor.name for tensor in outputs]
        body.graph = helper.make_graph(without_unused(scope.nodes, names), begun,
                                       [_value_info(tensor, tensor.shape) for tensor in tensors],
                                       [_value_info(tensor, tensor.shape) for tensor in outputs])

    def model(self, name, outputs, producer_version=""):
        """Return the ``onnx.ModelProto``; `outputs` is a dict of name to (Tensor, shape with names of free axes)."""
        tensors = self._distinct([tensor for tensor, _ in outputs.values()], {info.name for info in self._inputs}, 0)
        nodes = without_unused(self._scopes[0].nodes, [tensor.name for tensor in tensors])
        nodes = renamed(nodes, {tensor.name: new for tensor, new in zip(tensors, outputs)})
        infos = [_value_info(dataclasses.replace(tensor, name=new), shape)
                 for (new, (_, shape)), tensor in zip(outputs.items(), tensors)]
        read = names_read(nodes)
        arrays = [numpy_helper.from_array(array, key) for key, array in self._arrays.items() if key in read]
        graph = helper.make_graph(nodes, name, self._inputs, infos, arrays)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8,
                                 producer_name="gluon_rnn", producer_version=producer_version)

    def reserve(self, names):
        """Keep `names` for the model's outputs."""
        self._used.update(names)

    def _unique(self, stem):
        name, number = stem, 0
        while name in self._used:
            number += 1
            name = f"{stem}_{number}"
        self._used.add(name)
        return name

    def _add_new(self, op_type, tensors, outputs, attributes, depth):
        names = [self._unique(f"{self.prefix}/{op_type}") for _ in range(outputs)]
        while tensors and tensors[-1] is None:
            tensors.pop()
        node = helper.make_node(op_type, ["" if tensor is None else tensor.name for tensor in tensors], names,
                                name=names[0], **attributes)
        self._scopes[depth].nodes.append(node)
        self._depths.update(dict.fromkeys(names, depth))
        return [Tensor(name, *kind) for name, kind in zip(names, self._kinds(node, tensors))]

    def _kinds(self, node, tensors):
        """Return (shape, dtype) of each output of a node by ONNX's own inference; (None, None) for loops."""
        if attributes_with_graphs(node):
            return [(None, None)] * len(node.output)
        present = {tensor.name: tensor for tensor in tensors if tensor is not None}
        types = {name: helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(tensor.dtype), tensor.shape)
                 for name, tensor in present.items()}
        data = {name: numpy_helper.from_array(tensor.value, name) for name, tensor in present.items()
                if tensor.value is not None and tensor.value.size <= _LARGEST_DATUM}
        found = shape_inference.infer_node_outputs(
            onnx.defs.get_schema(node.op_type, self.opset), node, types, data,
            opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        return [_kind(found.get(name)) for name in node.output]

    def _distinct(self, tensors, taken, depth):
        """Return tensors that can be a graph's outputs: made in this graph, none an input, each once."""
        made, result = {name for node in self._scopes[depth].nodes for name in node.output}, []
        for tensor in tensors:
            if tensor.name in taken or tensor.name not in made:
                name = self._unique(f"{tensor.name}/output")
                self._scopes[depth].nodes.append(helper.make_node("Identity", [tensor.name], [name], name=name))
                self._depths[name] = depth
                tensor = dataclasses.replace(tensor, name=name, value=None)
            taken = taken | {tensor.name}
            result.append(tensor)
        return result


def _kind(found):
    """Return (shape, dtype) of a TypeProto."""
    if found is None:
        return None, None
    tensor = found.tensor_type
    shape = tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim)
    return shape if tensor.HasField("shape") else None, np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))


def _value_info(tensor, shape):
    return helper.make_tensor_value_info(tensor.name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype)), shape)
