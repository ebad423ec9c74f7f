"""An ONNX file as its recurrent nodes: their constants, and which of them follow each other directly."""
import pathlib

import numpy as np

from gluon_rnn.convert.sources import existing, refuse_pickle

__all__ = ["Graph", "RECURRENT", "attributes", "name_of", "read_graph"]

RECURRENT = ("RNN", "LSTM", "GRU")
# Through these a value goes as it is, in prediction and in another precision.
_IDENTITIES = ("Identity", "Dropout", "Cast")
#: what a constant may be computed with, beside constants; exporters turn and cut weights so
_FOLDED = (*_IDENTITIES, "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Concat", "Slice", "Gather", "Split")


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
            name, model = path.name, onnx.load(str(path))
        elif isinstance(source, bytes):
            model = onnx.load_from_string(source)
        elif isinstance(source, onnx.ModelProto):
            model = source
        else:
            raise TypeError(f"expected the path, bytes or ModelProto of an ONNX model, got {type(source).__name__}")
        onnx.checker.check_model(model)                                   # nodes in order, so that walks back end
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise ValueError(f"{name} is no valid ONNX model: {str(error).strip().splitlines()[0]}") from None
    return Graph(model), name


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

    def __init__(self, model):
        from onnx import numpy_helper
        self._opsets = list(model.opset_import)
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._makers = {output: node for node in model.graph.node for output in node.output if output}
        self.nodes = {name_of(node): node for node in model.graph.node if node.op_type in RECURRENT
                      and node.domain in ("", "ai.onnx")}

    def constant(self, name):
        """Return the array of a tensor that rests on constants alone, else None."""
        if not name:
            return None
        if name not in self._values:
            self._values[name] = self._folded(name)
        return self._values[name]

    def _folded(self, name):
        node = self._makers.get(name)
        if node is None:
            return None
        if node.op_type == "Constant":
            return self._computed(node, {})[list(node.output).index(name)]
        if node.op_type not in _FOLDED:
            return None
        inputs = {one: self.constant(one) for one in node.input if one}
        if any(value is None for value in inputs.values()):
            return None
        return self._computed(node, inputs)[list(node.output).index(name)]

    def _computed(self, node, inputs):
        from onnx import TensorProto, helper, numpy_helper
        from onnx.reference import ReferenceEvaluator
        graph = helper.make_graph(
            [node], "constant", [], [helper.make_tensor_value_info(one, TensorProto.UNDEFINED, None)
                                     for one in node.output],
            initializer=[numpy_helper.from_array(np.asarray(value), one) for one, value in inputs.items()])
        return ReferenceEvaluator(helper.make_model(graph, opset_imports=self._opsets)).run(None, {})

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
        path, name = [], node.input[0]
        while name in self._makers:
            maker = self._makers[name]
            if maker.op_type in RECURRENT:
                return name_of(maker) if maker.output[0] == name and self._fits(maker, path[::-1], node) else None
            if maker.op_type not in (*_IDENTITIES, "Squeeze", "Transpose", "Reshape") or maker.output[0] != name:
                return None
            path.append(maker)
            name = maker.input[0]
        return None

    def _fits(self, first, path, last):
        """Return whether the outputs of `first` arrive at `last` as a sequence of its features, forward first."""
        batch_first = {node.output[0]: attributes(node).get("layout", 0) for node in (first, last)}
        axes, recurrent = "NTDH" if batch_first[first.output[0]] else "TDNH", self.constant(first.input[2])
        for node in path if recurrent is not None and recurrent.ndim == 3 else [None]:
            axes = axes and node and self._axes_after(node, axes, recurrent.shape[0], recurrent.shape[2])
        return axes == ("NTH" if batch_first[last.output[0]] else "TNH")

    def _axes_after(self, node, axes, directions, units):
        """Return what the axes of a value are behind `node`: letters, H being all features; None where unknown."""
        said = attributes(node)
        if node.op_type in _IDENTITIES:
            return axes
        if node.op_type == "Transpose":
            return "".join(axes[axis] for axis in said.get("perm", range(len(axes))[::-1]))
        given = said.get("axes")
        if given is None and len(node.input) > 1:
            given = self.constant(node.input[1])
        given = [] if given is None else [int(one) for one in np.ravel(given)]
        if node.op_type == "Squeeze":
            return axes.replace("D", "") if [axes[one] for one in given] == ["D"] and directions == 1 else None
        kept, width = given[:2], given[2:]                                # a Reshape that joins D and H, and no others
        joins = kept == [0, 0] and width in ([-1], [directions * units])
        joins = joins or kept in ([-1, 0], [0, -1]) and width == [directions * units]
        return axes[:2] + "H" if axes[2:] == "DH" and joins else None
