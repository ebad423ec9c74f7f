"""An ONNX file as its recurrent nodes: their constants, and which of them follow each other directly."""
import itertools
import math
import pathlib

import numpy as np

from gluon_rnn.convert.sources import existing, refuse_pickle

__all__ = ["Graph", "RECURRENT", "attributes", "name_of", "read_graph"]

RECURRENT = ("RNN", "LSTM", "GRU")
#: What may stand between two nodes of a stack, and what constants may be computed with: operators that move values,
#: and arithmetic of shapes. Whether they leave a sequence as it is, a probe finds out.
MOVING = {"Identity", "Dropout", "Cast", "Constant", "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten",
          "Concat", "Slice", "Gather", "Split", "Shape", "Expand", "Mul", "Add"}
#: numbers that computing one constant may take: so many times those of the file, and these
_TIMES, _NUMBERS = 16, 2**22
_NO_SEQUENCE = (ValueError, TypeError, IndexError, RuntimeError)          # what the evaluator says to a wrong shape


def read_graph(source):
    """Return a `Graph` and how messages call it.

    Parameters
    ----------
    source : str, path, bytes or onnx.ModelProto

    Raises
    ------
    ValueError
        If it is no valid ONNX model, or a pickle.
    ModuleNotFoundError
        Where onnx is not installed.
    """
    onnx = _onnx()
    from google.protobuf.message import DecodeError
    name = "the model"
    try:
        if isinstance(source, (str, pathlib.Path)):
            path = existing(source)
            refuse_pickle(path)
            name = path.name
            model = onnx.load(str(path))
        elif isinstance(source, bytes):
            model = onnx.load_model_from_string(source)
        elif isinstance(source, onnx.ModelProto):
            model = source
        else:
            raise TypeError(f"expected the path, bytes or ModelProto of an ONNX model, got {type(source).__name__}")
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise ValueError(f"{name} is no valid ONNX model: {str(error).strip().splitlines()[0]}") from None
    try:
        return Graph(model, name), name
    except (ValueError, TypeError) as error:                              # numbers that do not fill their shape
        raise ValueError(f"{name} is no valid ONNX model: {' '.join(str(error).split())}") from None


def _onnx():
    try:
        import onnx
    except ModuleNotFoundError:
        raise ModuleNotFoundError("reading ONNX models takes the library onnx; install gluon_rnn[onnx]",
                                  name="onnx") from None
    return onnx


def attributes(node):
    """Return {name: value} of a node's attributes, with text instead of bytes."""
    from onnx import helper
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else
            [item.decode() if isinstance(item, bytes) else item for item in value] if isinstance(value, list) else value
            for name, value in found.items()}


def name_of(node):
    """Return the name of a node, or that of its first output where it has none."""
    return node.name or next(output for output in node.output if output)


class Graph:
    """The main graph of a model.

    Attributes
    ----------
    nodes : dict of {str: NodeProto}
        The recurrent nodes by name, in the order of the graph.
    """

    def __init__(self, model, name="the model"):
        from onnx import numpy_helper
        self._name = name
        self._opsets = list(model.opset_import)
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._most = _TIMES * sum(array.size for array in self._values.values()) + _NUMBERS
        self._makers = {output: (place, node) for place, node in enumerate(model.graph.node) for output in node.output
                        if output}
        self.nodes = {name_of(node): node for node in model.graph.node if node.op_type in RECURRENT
                      and node.domain in ("", "ai.onnx")}

    def constant(self, name):
        """Return the array of a tensor that rests on constants alone, else None."""
        if name not in self._values:
            nodes, ends = self._behind([name])
            self._values[name] = None if ends else self._run(nodes, {}, name)
        return self._values[name]

    def _behind(self, names):
        """Return the nodes that tensors are computed with, in order, and the names of the tensors where this ends.

        It ends at inputs, and at what is made by an operator that is not in `MOVING`.
        """
        places, ends, left = {}, set(), list(names)
        while left:
            name = left.pop()
            if self._values.get(name) is not None:
                continue
            place, node = self._makers.get(name, (None, None))
            if node is None or node.op_type not in MOVING:
                ends.add(name)
            elif place not in places:
                places[place] = node
                left += filter(None, node.input)
        return [places[place] for place in sorted(places)], ends

    def _run(self, nodes, given, output):
        """Return the array of the tensor `output`, which `nodes` compute from constants and `given` arrays.

        ValueError where that takes many times the numbers of the file: a few nodes can make any number of them.
        """
        known, made = {**self._values, **given}, 0
        for node in nodes:
            inputs = {name: np.asarray(known[name]) for name in filter(None, node.input)}
            made += _most_numbers(node, list(inputs.values()))
            if made > self._most:
                raise ValueError(f"{self._name}: node {name_of(node)!r} makes a constant of {made:,} numbers or more, "
                                 "many times those of the file, as no exporter does; fold the constants of the model "
                                 "first")
            known.update(self._one(node, inputs))
        return known[output]

    def _one(self, node, inputs):
        """Return {name: array} of the outputs of one node."""
        from onnx import TensorProto, helper, numpy_helper
        from onnx.reference import ReferenceEvaluator
        names = [name for name in node.output if name]
        graph = helper.make_graph(
            [node], "part", [], [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in names],
            [numpy_helper.from_array(array, name) for name, array in inputs.items()])
        found = ReferenceEvaluator(helper.make_model(graph, opset_imports=self._opsets)).run(names, {})
        return dict(zip(names, found))

    # ---- stacks ----------------------------------------------------------------------------------------------------

    def stacks(self):
        """Return lists of names of nodes each of which reads nothing but the outputs of the one before."""
        before = {name: self._source_of(node) for name, node in self.nodes.items()}
        followers = {name: [after for after, source in before.items() if source == name] for name in self.nodes}
        found = []
        for name in self.nodes:
            source = before[name]
            if source is None or len(followers[source]) > 1:
                found.append([name])
            else:
                next(stack for stack in found if stack[-1] == source).append(name)
        return found

    def _source_of(self, node):
        """Return the name of the recurrent node whose outputs are the inputs of `node`, else None."""
        nodes, ends = self._behind([node.input[0]])
        _, first = self._makers.get(next(iter(ends), None), (None, None))
        if len(ends) != 1 or first is None or first.op_type not in RECURRENT or first.output[0] not in ends:
            return None
        return name_of(first) if self._arrives(first, nodes, node) else None

    def _arrives(self, first, nodes, last):
        """Return whether outputs of `first` reach `last` as a sequence of its features, forward first: by a probe.

        All numbers of the probe differ, and so do its sizes, so that any other order shows.
        """
        recurrent = self.constant(first.input[2])
        if recurrent is None or recurrent.ndim != 3:
            return False
        steps, rows, directions, units = 3, 5, recurrent.shape[0], recurrent.shape[2]
        probe = np.arange(steps * rows * directions * units, dtype=recurrent.dtype)
        probe = probe.reshape((steps, directions, rows, units))           # (T, D, N, H)
        expected = probe.swapaxes(1, 2).reshape((steps, rows, -1))        # (T, N, D*H)
        if attributes(first).get("layout", 0):
            probe = probe.transpose((2, 0, 1, 3))                         # (N, T, D, H)
        if attributes(last).get("layout", 0):
            expected = expected.swapaxes(0, 1)
        try:
            found = self._run(nodes, {first.output[0]: probe}, last.input[0]) if nodes else probe
        except _NO_SEQUENCE:
            return False
        return found.shape == expected.shape and np.array_equal(found, expected)


def _most_numbers(node, inputs):
    """Return a bound on the numbers that a node of `MOVING` makes of its inputs, arrays, without computing them."""
    if node.op_type in ("Expand", "Mul", "Add") and len(inputs) == 2:
        shapes = [inputs[0].shape, inputs[1].ravel().tolist() if node.op_type == "Expand" else inputs[1].shape]
        return math.prod(max(1, *map(int, sizes)) for sizes in itertools.zip_longest(
            *(reversed(shape) for shape in shapes), fillvalue=1))
    if node.op_type == "Gather" and len(inputs) == 2 and inputs[0].ndim:
        axis = attributes(node).get("axis", 0)
        return inputs[0].size // max(1, inputs[0].shape[axis]) * inputs[1].size
    return sum(array.size for array in inputs)
