"""Tensors made from nothing or from the shape of another, `making.py`."""
import mxnet as mx
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import compare, operators_of

DATA = mx.sym.var("data")
INPUTS = {"data": (("T", "N", 3), "float32")}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_filled_tensors(dtype):
    compare(mx.sym.Group([mx.sym.zeros_like(DATA), mx.sym.ones_like(DATA)]), {"data": (("T", "N", 3), dtype)})


def test_begin_states_of_a_batch_that_is_not_known_yet():
    """Gluon writes their batch as 0, which MXNet infers from what reads them."""
    begin = mx.sym.zeros(shape=(0, 3), dtype="float32")
    first = mx.sym.reshape(mx.sym.slice_axis(DATA, axis=0, begin=0, end=1), shape=(-3, 0))
    compare(mx.sym.Group([mx.sym.elemwise_add(begin, first), mx.sym.concat(begin, first, dim=1)]), INPUTS)


@pytest.mark.parametrize("settings", [dict(axis=0), dict(axis=1, start=2, step=0.5), dict(), dict(axis=2)])
def test_numbers_along_an_axis(settings):
    compare(mx.sym.contrib.arange_like(DATA, **settings), INPUTS)


@pytest.mark.parametrize("axes", [None, (0, 1), (2,)])
def test_place_of_each_element(axes):
    compare(mx.sym.contrib.index_array(DATA, axes=axes), INPUTS)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("settings", [dict(), dict(on_value=2, off_value=-1), dict(dtype="int32")])
def test_one_hot_of_ids_some_of_which_are_none(settings, dtype):
    symbol = mx.sym.one_hot(mx.sym.var("ids") * 2 - 1, depth=4, **settings)
    compare(symbol, {"ids": (("T", "N"), dtype)}, draw=lambda shape, dtype, lengths: _ids(shape, lengths).astype(dtype))


def _ids(shape, lengths):
    import numpy as np
    return np.random.randint(0, 4, tuple(lengths.get(axis, axis) for axis in shape))


def test_shapes():
    compare(mx.sym.Group([mx.sym.shape_array(DATA), mx.sym.size_array(DATA)]), INPUTS)


def test_what_depends_on_no_input_is_a_constant():
    table = mx.sym.broadcast_add(mx.sym.eye(3), mx.sym.arange(0, 3))
    assert operators_of(compare(mx.sym.dot(DATA, table), INPUTS)) == ["MatMul"]


def test_random_numbers_are_refused():
    with pytest.raises(UnsupportedOperator, match="operator '_random_normal' of node 'noise'"):
        convert(mx.sym.broadcast_add(DATA, mx.sym.random.normal(shape=(1, 1, 3), name="noise")), {}, INPUTS)
