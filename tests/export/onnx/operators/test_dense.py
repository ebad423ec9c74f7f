"""Products of matrices, `dense.py`."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import compare, drawn, operators_of

DTYPES = ["float32", "float64"]


def parameters(dtype, **shapes):
    return {name: drawn(shape, dtype, {}) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("no_bias", [False, True])
@pytest.mark.parametrize("shape, flatten", [(("N", 4), True), (("T", "N", 4), False), (("N", 2, 2), True),
                                            (("N", 4), False), ((2, "T", "N", 4), False)])
def test_fully_connected(dtype, no_bias, shape, flatten):
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=5, flatten=flatten, no_bias=no_bias, name="fc")
    shapes = dict(fc_weight=(5, 4)) if no_bias else dict(fc_weight=(5, 4), fc_bias=(5,))
    compare(symbol, {"data": (shape, dtype)}, parameters(dtype, **shapes))


def test_fully_connected_is_one_node_for_vectors_and_two_for_sequences():
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=5, flatten=False, name="fc")
    given = parameters("float32", fc_weight=(5, 4), fc_bias=(5,))
    assert operators_of(compare(symbol, {"data": (("N", 4), "float32")}, given)) == ["Gemm"]
    assert operators_of(compare(symbol, {"data": (("T", "N", 4), "float32")}, given)) == ["MatMul", "Add"]


def test_a_weight_that_depends_on_an_input():
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), mx.sym.var("weight") * 2, num_hidden=5, no_bias=True,
                                   flatten=False)
    compare(symbol, {"data": (("T", "N", 4), "float32"), "weight": ((5, 4), "float32")})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a, b, flags", [
    (("T", 4), (4, "N"), {}), ((4, "T"), (4, "N"), dict(transpose_a=True)), (("T", 4), ("N", 4), dict(transpose_b=True)),
    ((4,), (4,), {}), (("T", "N", 4), (4, 2), {}), (("T", 4), (4,), {}), (("T", 4), (4, 3, "N"), {})])
def test_dot(dtype, a, b, flags):
    compare(mx.sym.dot(mx.sym.var("a"), mx.sym.var("b"), **flags), {"a": (a, dtype), "b": (b, dtype)})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a, b, flags", [(("N", "T", 4), ("N", 4, 3), {}),
                                         (("N", 4, "T"), ("N", 4, 3), dict(transpose_a=True)),
                                         (("N", "T", 4), ("N", 3, 4), dict(transpose_b=True))])
def test_batch_dot(dtype, a, b, flags):
    x, y = mx.sym.var("a"), mx.sym.var("b")
    symbol = mx.sym.Group([mx.sym.batch_dot(x, y, **flags), mx.sym.linalg.gemm2(x, y, alpha=0.5, **flags)])
    compare(symbol, {"a": (a, dtype), "b": (b, dtype)})


def test_division_by_the_root_of_the_size():
    compare(mx.sym.contrib.div_sqrt_dim(mx.sym.var("data")), {"data": (("T", "N", 7), "float32")})


def test_flatten():
    compare(mx.sym.Flatten(mx.sym.var("data")), {"data": (("N", 2, 3), "float32")})
    compare(mx.sym.Flatten(mx.sym.var("data")), {"data": (("N", "T", 3), "float32")})


def test_a_transposed_array_of_three_dimensions_is_refused_by_name():
    symbol = mx.sym.dot(mx.sym.var("a"), mx.sym.var("b"), transpose_a=True, name="here")
    with pytest.raises(UnsupportedOperator, match="operator 'dot' of node 'here'"):
        convert(symbol, {}, {"a": ((4, 2, 3), "float32"), "b": ((4, 2), np.float32)})
