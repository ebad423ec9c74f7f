"""Tables and places, `indexing.py`: what is outside of them, too."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import compare, drawn, operators_of

DATA, IDS = mx.sym.var("data"), mx.sym.var("ids")
TABLE = drawn((4, 5), "float32", {})


def far(shape, dtype, lengths):
    """Whole numbers of which some are below 0 and some above any length."""
    shape = tuple(lengths.get(axis, axis) for axis in shape)
    if np.dtype(dtype).kind == "f" and len(shape) < 3:
        return np.random.randint(-12, 13, shape).astype(dtype)
    return drawn(shape, dtype, {}) if np.dtype(dtype).kind == "f" else np.random.randint(-12, 13, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_embedding(dtype):
    symbol = mx.sym.Embedding(IDS, mx.sym.var("table"), input_dim=4, output_dim=5)
    compare(symbol, {"ids": (("T", "N"), dtype)}, {"table": TABLE},
            draw=lambda shape, dtype, lengths: drawn(shape, "int32", lengths).astype(dtype))


def test_ids_that_come_in_go_into_a_table_as_they_are():
    model = compare(mx.sym.take(mx.sym.var("table"), IDS), {"ids": (("T", "N"), "int32")}, {"table": TABLE})
    assert operators_of(model) == ["Gather"]


@pytest.mark.parametrize("mode", ["clip", "wrap"])
@pytest.mark.parametrize("axis", [0, 2, -2])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_take_from_data_at_places_outside_of_it(mode, axis, dtype):
    compare(mx.sym.take(DATA, IDS, axis=axis, mode=mode), {"data": (("T", "N", 3), "float32"), "ids": ((4,), dtype)},
            draw=far)


def test_take_at_constant_places():
    compare(mx.sym.take(DATA, mx.sym.var("places"), axis=1), {"data": (("T", 3), "float32")},
            {"places": np.array([0, 2, 7], "int32")})


def test_gather_nd():
    places = mx.sym.contrib.index_array(DATA, axes=(0, 1))
    compare(mx.sym.gather_nd(DATA * 2, mx.sym.transpose(places, axes=(3, 0, 1, 2))), {"data": (("T", "N", 3), "float32")})


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("settings, places", [(dict(axis=-1), ("T", "N")), (dict(axis=0), ("N", 3)),
                                              (dict(axis=2, keepdims=True), ("T", "N"))])
def test_pick(settings, places, dtype):
    compare(mx.sym.pick(DATA, IDS, **settings), {"data": (("T", "N", 3), "float32"), "ids": (places, dtype)}, draw=far)


def test_pick_with_a_remainder_is_refused():
    with pytest.raises(UnsupportedOperator, match="operator 'pick' of node 'one'"):
        convert(mx.sym.pick(DATA, IDS, mode="wrap", name="one"), {}, {"data": ((3, 2), "float32"), "ids": ((3,), "float32")})


def test_batch_take():
    compare(mx.sym.batch_take(DATA, IDS), {"data": (("N", 3), "float32"), "ids": (("N",), "int32")},
            draw=lambda shape, dtype, lengths: drawn(shape, dtype, lengths) % 3)
