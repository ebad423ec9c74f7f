"""Operators that rearrange, `shapes.py`, and what of them is left out."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import compare, drawn, operators_of

DATA = mx.sym.var("data")


def case(symbol, *shape, dtype="float32", **others):
    return compare(symbol, {"data": (shape, dtype), **{key: (value, dtype) for key, value in others.items()}})


@pytest.mark.parametrize("shape, target", [
    (("T", "N", 6), (0, 0, -1)), (("T", "N", 6), (-3, 0)), (("T", "N", 6), (0, -1)), (("T", "N", 6), (0, 0, -4, 2, 3)),
    (("T", "N", 6), (0, 0, -4, -1, 3)), (("T", "N", 6), (-1,)), (("T", "N", 6), (0, 0, 2, 3)), (("T", "N", 2, 3), (0, 0, -3)),
    (("T", "N", 2, 3), (-2,)), (("T", "N", 2, 3), (-3, -2)), (("N", 6), (0, 1, -1)), (("N", 6), (1, -1, 6)),
    (("N", 4, 6), (-3, -1)), ((1, "T", "N", 6), (-3, -2)), (("T", "N", 6), (-1, 3, 2)), (("T", 1, "N"), (-3, 0))])
def test_reshape(shape, target):
    case(mx.sym.reshape(DATA, shape=target), *shape)


def test_reshape_from_behind():
    case(mx.sym.reshape(DATA, shape=(-1, 0), reverse=True), "T", "N", 6)


def test_reshape_to_the_shape_of_another():
    symbol = mx.sym.reshape_like(mx.sym.reshape(DATA, shape=(-3, 0)), mx.sym.var("like"))
    case(symbol, "T", "N", 6, like=("T", "N", 6))


def test_rows_of_a_batch_that_was_made_one_axis_with_time():
    """The axes come back from an input of the model, since the tensor itself has them no more."""
    flat = mx.sym.tanh(mx.sym.reshape(DATA, shape=(-3, 0)))
    case(mx.sym.reshape_like(flat, DATA, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2), "T", "N", 6)


def test_an_axis_that_no_reshape_can_infer_is_refused():
    symbol = mx.sym.reshape(DATA, shape=(-4, -1, 2, -4, -1, 2), name="both")
    with pytest.raises(UnsupportedOperator, match="operator 'Reshape' of node 'both'"):
        convert(symbol, {}, {"data": (("T", "N"), "float32")})


@pytest.mark.parametrize("axis", [0, 1, 3, -1, -2])
def test_expand_dims(axis):
    case(mx.sym.expand_dims(DATA, axis=axis), "T", "N", 6)


@pytest.mark.parametrize("axis", [None, 0, (0, 2), -2])
def test_squeeze(axis):
    case(mx.sym.squeeze(DATA, axis=axis), 1, "N", 1, 6)


@pytest.mark.parametrize("axes", [(), (1, 0, 2), (2, 0, 1)])
def test_transpose(axes):
    case(mx.sym.transpose(DATA, axes=axes), "T", "N", 6)
    case(mx.sym.swapaxes(DATA, 0, 2), "T", "N", 6)


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_concat_and_stack(dim):
    other = mx.sym.var("other")
    case(mx.sym.Group([mx.sym.concat(DATA, other, DATA, dim=dim), mx.sym.stack(DATA, other, axis=dim)]), "T", "N", 6,
         other=("T", "N", 6))


@pytest.mark.parametrize("settings", [dict(axis=2, num_outputs=3), dict(axis=2, num_outputs=6, squeeze_axis=True),
                                      dict(axis=2, num_outputs=1), dict(axis=-1, num_outputs=2)])
def test_split(settings):
    case(mx.sym.split(DATA, **settings), "T", "N", 6)


def test_split_of_a_free_axis():
    symbol = mx.sym.split(mx.sym.concat(DATA, DATA, dim=0), axis=0, num_outputs=2)
    case(mx.sym.Group(list(symbol)), "T", "N", 6)


@pytest.mark.parametrize("arguments", [((1, 4),), (3,)])
def test_split_at_places(arguments):
    case(mx.sym.split_v2(DATA, *arguments, axis=2), "T", "N", 6)


@pytest.mark.parametrize("settings", [dict(axis=0, begin=1, end=None), dict(axis=0, begin=-2, end=None),
                                      dict(axis=1, begin=0, end=-1), dict(axis=2, begin=1, end=4),
                                      dict(axis=-1, begin=-3, end=-1), dict(axis=0, begin=0, end=None)])
def test_slice_axis(settings):
    case(mx.sym.slice_axis(DATA, **settings), "T", "N", 6)


@pytest.mark.parametrize("settings", [
    dict(begin=(1, 0), end=(None, None)), dict(begin=(None, None, 1), end=(None, None, 5), step=(1, 1, 2)),
    dict(begin=(None,), end=(None,), step=(-1,)), dict(begin=(-1, 0, 4), end=(None, 1, 1), step=(1, 1, -1)),
    dict(begin=(0, 0, 0), end=(None, None, 6))])
def test_slice(settings):
    case(mx.sym.slice(DATA, **settings), "T", "N", 6)


@pytest.mark.parametrize("axes", [None, (2,), (0, -1)])
def test_slice_like(axes):
    like = mx.sym.slice_axis(mx.sym.slice_axis(DATA, axis=0, begin=1, end=-1), axis=2, begin=0, end=4)
    case(mx.sym.slice_like(DATA, like, **({} if axes is None else dict(axes=axes))), "T", "N", 6)


@pytest.mark.parametrize("axis", [0, 2, (0, 2)])
def test_reverse(axis):
    case(mx.sym.reverse(DATA, axis=axis), "T", "N", 6)


def test_broadcasts():
    like = mx.sym.var("like")
    case(mx.sym.Group([mx.sym.broadcast_like(DATA, like), mx.sym.broadcast_axis(DATA, axis=2, size=4),
                       mx.sym.broadcast_to(DATA, shape=(0, 0, 5)),
                       mx.sym.broadcast_like(DATA, like, lhs_axes=(2,), rhs_axes=(0,))]), 1, "N", 1, like=("T", "N", 6))


@pytest.mark.parametrize("reps", [(1, 1, 3), (2,), (2, 1, 2), (2, 1, 1, 3)])
@pytest.mark.parametrize("features", [1, 2])
def test_tile(reps, features):
    case(mx.sym.tile(DATA, reps=reps), "T", "N", features)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_repeat(axis):
    case(mx.sym.repeat(DATA, repeats=3, axis=axis), "T", "N", 2)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_pad(mode):
    case(mx.sym.pad(DATA, mode=mode, pad_width=(0, 0, 0, 0, 1, 2, 2, 1), constant_value=1.5), "N", 2, "T", 4)


def test_images_are_enlarged():
    case(mx.sym.UpSampling(DATA, scale=2, sample_type="nearest"), "N", 2, "T", 3)
    case(mx.sym.depth_to_space(DATA, block_size=2), "N", 8, "T", 3)
    case(mx.sym.space_to_depth(DATA, block_size=2), "N", 2, 4, 6)


def test_reshapes_and_transposes_in_a_row_are_one_or_none():
    there_and_back = mx.sym.squeeze(mx.sym.expand_dims(DATA, axis=0), axis=0)
    turned = mx.sym.swapaxes(mx.sym.transpose(there_and_back, axes=(1, 0, 2)), 0, 1)
    assert operators_of(case(mx.sym.tanh(turned), "T", "N", 6)) == ["Tanh"]
    twice = mx.sym.reshape(mx.sym.reshape(DATA, shape=(-1, 3)), shape=(-1, 2))
    assert operators_of(case(twice, "T", "N", 6)) == ["Reshape"]


def test_parts_that_were_given_an_axis_in_front_are_joined_without_it():
    from gluon_rnn.nn.functional import concat
    parts = concat(mx.sym, DATA, mx.sym.tanh(DATA))
    assert operators_of(case(mx.sym.relu(parts), "T", "N", 6)) == ["Tanh", "Concat", "Relu"]


def test_constants_are_computed_beforehand():
    weight = mx.sym.reshape(mx.sym.slice_axis(mx.sym.var("vector"), axis=0, begin=2, end=8), shape=(2, 3))
    model = compare(mx.sym.broadcast_mul(mx.sym.transpose(weight), DATA), {"data": ((3, 2), "float32")},
                    {"vector": drawn((9,), "float32", {})})
    assert operators_of(model) == ["Mul"] and [list(array.dims) for array in model.graph.initializer] == [[3, 2]]
    assert np.dtype("float32").itemsize * 6 == len(model.graph.initializer[0].raw_data)
