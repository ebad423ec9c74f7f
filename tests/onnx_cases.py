"""A symbol in MXNet and, converted, in ONNX Runtime: what the tests of the converter compare."""
import mxnet as mx
import numpy as np

from gluon_rnn.export.onnx import check, convert
from tests.reference import EXACT

#: Two pairs of lengths of the free axes "T" and "N", none an example size of the converter.
LENGTHS = [dict(T=5, N=3), dict(T=8, N=2)]
#: The rule of the package for float32: sums in another order, and functions computed by other formulas.
SINGLE = 1e-5


def tolerance_of(dtype):
    """Return how far two computations in `dtype` may differ, relative to the largest number."""
    return EXACT["atol"] if dtype == "float64" else SINGLE


def drawn(shape, dtype, lengths):
    """Return an array of normal numbers, or of small whole ones."""
    shape = tuple(lengths.get(axis, axis) for axis in shape)
    if np.dtype(dtype).kind in "iu":
        return np.random.randint(0, 4, shape).astype(dtype)
    return np.random.normal(size=shape).astype(dtype)


def compare(symbol, inputs, parameters=None, *, draw=drawn, tolerance=None, opset=17, runner=check):
    """Convert a symbol and compare answers at two pairs of lengths; return the ONNX model.

    Parameters
    ----------
    inputs : dict of str to (shape, dtype)
    parameters : dict of str to NumPy array, optional
    draw : function (shape, dtype, lengths) -> array
        Makes the inputs' numbers.
    """
    parameters = {key: mx.nd.array(value, dtype=value.dtype) for key, value in (parameters or {}).items()}
    model = convert(symbol, parameters, inputs, opset=opset)
    for lengths in LENGTHS:
        given = {key: draw(shape, dtype, lengths) for key, (shape, dtype) in inputs.items()}
        expected = in_mxnet(symbol, given, parameters)
        floats = [answer.dtype.name for answer in expected if answer.dtype.kind == "f"]
        limit = tolerance_of("float64" if floats and set(floats) == {"float64"} else "float32")
        runner(model, given, expected, tolerance or limit)
    return model


def in_mxnet(symbol, inputs, parameters):
    """Return what MXNet computes in inference, as NumPy arrays."""
    arrays = {key: mx.nd.array(value, dtype=value.dtype) for key, value in inputs.items()}
    arrays.update(parameters)
    auxiliary = {key: arrays.pop(key) for key in symbol.list_auxiliary_states()}
    shapes, _, _ = symbol.infer_shape(**{key: value.shape for key, value in arrays.items()})
    for key, shape in zip(symbol.list_arguments(), shapes):
        arrays.setdefault(key, mx.nd.zeros(shape))                        # labels of losses, which nothing reads
    arrays = {key: arrays[key] for key in symbol.list_arguments()}
    executor = symbol.bind(mx.cpu(), arrays, aux_states=auxiliary, grad_req="null")
    return [output.asnumpy() for output in executor.forward(is_train=False)]


def operators_of(model):
    """Return the names of all operators of an ONNX model, bodies left out, in order."""
    return [node.op_type for node in model.graph.node]
