"""``convert``: from a symbol and its parameters to an ONNX model."""
import json
import os

import mxnet as mx
import numpy as np

from gluon_rnn.export.onnx.builder import Builder
from gluon_rnn.export.onnx.check import check_structure
from gluon_rnn.export.onnx.graph import example_sizes, read
from gluon_rnn.export.onnx.translators import translate

__all__ = ["convert"]

# Outputs of a loss pass their first input on; what they compare it with need not be there.
_LOSSES = {"SoftmaxOutput", "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "SVMOutput",
           "MakeLoss"}


def convert(symbol, parameters, inputs, *, outputs=None, name="model", opset=17):
    """Return an MXNet symbol as an ONNX model of standard operators.

    The model computes what the symbol computes in inference: dropout is left out, batch normalisation uses its running
    averages. Whatever depends on parameters alone is computed now.

    Parameters
    ----------
    symbol : mx.sym.Symbol, path or str
        The symbol, the path of a ``-symbol.json``, or its text.
    parameters : dict of str to NDArray or array, or path
        All parameters and auxiliary states, or a ``.params`` file. Names may begin with ``arg:`` or ``aux:``.
    inputs : dict of str to (tuple, dtype)
        Shape and type of each input, in the order in which the model shall take them. An axis of any length is a
        string, its name in the model: ``{"data": (("T", "N", 20), "float32")}``. Axes of one name have one length.
    outputs : list of str, optional
        Names of the outputs; by default those of the symbol.
    name : str
        Name of the graph.
    opset : int
        Version of the operators, 17 or later.

    Returns
    -------
    onnx.ModelProto
        It has passed ``onnx.checker`` and shape inference.

    Raises
    ------
    UnsupportedOperator
        If a node has no translation; operator and node are named.
    ValueError
        If inputs are missing, in excess, or do not fit.
    """
    if opset < 17:
        raise ValueError(f"opset is {opset}, but models are written in the operators of 17 or later; pass 17")
    symbol, parameters = _symbol(symbol), _parameters(parameters)
    _check_names(symbol, parameters, inputs)
    graph, axes = _read(symbol, parameters, inputs)
    builder = Builder(opset)
    names = _output_names(graph, inputs, outputs)
    builder.reserve(names)
    tensors = {key: builder.input(key, shape, dtype, _examples(shape, axes))
               for key, (shape, dtype) in inputs.items()}
    given = [_given(builder, graph.nodes[index].name, tensors, parameters) for index in graph.variables]
    results = translate(builder, graph, given)
    pairs = {tuple(pair): axis for axis, pair in axes.items()}
    model = builder.model(name, {key: (tensor, _named(tensor, pairs)) for key, tensor in zip(names, results)},
                          producer_version=_version())
    check_structure(model)
    return model


def _symbol(symbol):
    if isinstance(symbol, mx.sym.Symbol):
        return symbol
    text = os.fspath(symbol)
    return mx.sym.load_json(text) if text.lstrip().startswith("{") else mx.sym.load(text)


def _parameters(parameters):
    """Return {name: NumPy array}, names without their kind."""
    if not isinstance(parameters, dict):
        parameters = mx.nd.load(os.fspath(parameters))
        if not isinstance(parameters, dict):
            raise ValueError("the file of parameters holds arrays without names; save it with mx.nd.save(path, dict)")
    return {key.split(":", 1)[1] if key.startswith(("arg:", "aux:")) else key:
            value.asnumpy() if hasattr(value, "asnumpy") else np.asarray(value) for key, value in parameters.items()}


def _check_names(symbol, parameters, inputs):
    """Refuse inputs that the symbol has not, and variables that are neither input nor parameter."""
    names = symbol.list_inputs()
    unknown = sorted(set(inputs) - set(names))
    if unknown:
        raise ValueError(f"the symbol has no input {', '.join(map(repr, unknown))}; those it has, with its parameters, "
                         f"are {', '.join(names[:20])}{' ...' if len(names) > 20 else ''}")
    missing = [key for key in names if key not in inputs and key not in parameters]
    labels = _labels(symbol)
    missing = [key for key in missing if key not in labels]
    if missing:
        raise ValueError(f"{', '.join(map(repr, missing[:5]))}{' ...' if len(missing) > 5 else ''} of the symbol: "
                         "neither among the parameters nor among the inputs; give the shape and type in inputs")


def _labels(symbol):
    """Return the names of variables that only the label of a loss reads."""
    nodes, read_by = json.loads(symbol.tojson())["nodes"], {}
    for node in nodes:
        for place, (source, *_) in enumerate(node["inputs"]):
            read_by.setdefault(nodes[source]["name"], []).append(node["op"] in _LOSSES and place > 0)
    return {key for key, places in read_by.items() if all(places)}


def _read(symbol, parameters, inputs):
    """Return the symbol's Graph and the example sizes of the free axes, the first ones that MXNet accepts."""
    known = {key: ((array.shape, array.shape), array.dtype) for key, array in parameters.items()}
    refused = None
    for axes in example_sizes([shape for shape, _ in inputs.values()]):
        given = dict(known, **{key: (_examples(shape, axes), dtype) for key, (shape, dtype) in inputs.items()})
        try:
            return read(symbol, given), axes
        except ValueError as error:
            refused = refused or error
    raise refused


def _examples(shape, axes):
    """Return `shape` at both example sizes."""
    return tuple(tuple(axes[axis][i] if isinstance(axis, str) else int(axis) for axis in shape) for i in (0, 1))


def _given(builder, name, tensors, parameters):
    """Return the Tensor of a variable: an input, a constant, or None for the label of a loss."""
    if name in tensors:
        return tensors[name]
    return builder.constant(parameters[name], name) if name in parameters else None


def _output_names(graph, inputs, outputs):
    names = _default_names(graph.output_names, inputs) if outputs is None else list(outputs)
    if len(names) != len(graph.heads):
        raise ValueError(f"outputs has {len(names)} names, but the symbol has {len(graph.heads)} outputs: "
                         f"{', '.join(graph.output_names)}")
    if len(set(names)) < len(names) or set(names) & set(inputs):
        raise ValueError(f"names of outputs must differ from each other and from those of inputs, got "
                         f"{', '.join(names)}; pass others as outputs")
    return names


def _default_names(names, inputs):
    """Return the symbol's names, made different where an input or one node comes out twice."""
    chosen = []
    for name in names:
        name = f"{name}_output" if name in inputs else name
        repeated = sum(other == name or other.startswith(f"{name}_again") for other in chosen)
        chosen.append(f"{name}_again{repeated}" if repeated else name)
    return chosen


def _named(tensor, pairs):
    """Return the shape with the names of its free axes, None for one that is no axis of an input."""
    sizes = tensor.sizes or (tensor.shape, tensor.shape)
    return [first if first == second else pairs.get((first, second)) for first, second in zip(*sizes)]


def _version():
    import gluon_rnn
    return gluon_rnn.__version__
