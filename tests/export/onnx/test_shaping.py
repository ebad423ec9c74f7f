"""Shapes with free axes: what a reshape needs to know, and when it needs no node."""
import numpy as np
import pytest

from gluon_rnn.export.onnx import shaping
from gluon_rnn.export.onnx.builder import Builder

SIZES = (11, 13, 6), (17, 19, 6)


@pytest.fixture
def start():
    builder = Builder()
    return builder, builder.input("x", ("T", "N", 6), "float32", SIZES)


def made(builder):
    """Return the operators added so far."""
    return [node.op_type for node in builder._scopes[0].nodes]


def test_a_reshape_to_the_same_shape_is_none(start):
    builder, x = start
    assert shaping.reshape(builder, x, (None, None, 6), SIZES) is x
    wide = shaping.reshape(builder, x, (None, 2, 3))
    assert shaping.reshape(builder, wide, (None, None, 6), SIZES) is x


def test_one_free_axis_is_inferred_two_are_copied(start):
    builder, x = start
    shaping.reshape(builder, x, (None, 6))
    shaping.reshape(builder, x, (None, None, 2, 3), tuple((*shape[:2], 2, 3) for shape in SIZES))
    values = [array.tolist() for array in builder._arrays.values()]
    assert values == [[-1, 6], [0, 0, 2, 3]] or values == [[-1, 6], [0, -1, 2, 3]]
    assert made(builder) == ["Reshape", "Reshape"]


def test_lengths_come_back_from_an_input(start):
    builder, x = start
    flat = shaping.reshape(builder, x, (None, 6), ((143, 6), (323, 6)))
    back = shaping.reshape(builder, builder.add("Tanh", flat), (None, None, 6), SIZES)
    assert back.shape == (None, None, 6) and "Shape" in made(builder)


def test_lengths_that_nothing_has_are_an_error(start):
    builder, x = start
    with pytest.raises(LookupError):
        shaping.reshape(builder, x, (None, None), ((3, 7), (5, 9)))


def test_sizes_are_constants_where_they_are_fixed(start):
    builder, x = start
    assert shaping.size(builder, x, -1).value.tolist() == [6]
    assert shaping.size(builder, x, 1).value is None
    assert shaping.sizes(builder, [2, 3]).value.tolist() == [2, 3]


def test_casts(start):
    builder, x = start
    assert shaping.cast(builder, x, "float32") is x
    truth = builder.add("Greater", x, np.zeros((), "float32"))
    numbers = shaping.cast(builder, truth, "float32")
    assert shaping.cast(builder, numbers, "bool") is truth
    assert shaping.cast(builder, builder.constant(np.ones(2, "float32")), "int64").value.dtype == "int64"


def test_transposes_cancel(start):
    builder, x = start
    turned = shaping.transpose(builder, x, (1, 0, 2))
    assert turned.shape == (None, None, 6) and turned.sizes[0] == (13, 11, 6)
    assert shaping.transpose(builder, turned, (1, 0, 2)).name == "x"
    assert made(builder) == ["Transpose"]


def test_squeeze_undoes_unsqueeze(start):
    builder, x = start
    wide = shaping.unsqueeze(builder, x, [0, 2])
    assert wide.shape == (1, None, 1, None, 6)
    assert shaping.squeeze(builder, wide, [0, 2]) is x
    assert shaping.squeeze(builder, wide, [0]).shape == (None, 1, None, 6)


def test_expand_and_slices(start):
    builder, x = start
    first = shaping.slices(builder, x, [0], [0], [1])
    wide = shaping.expand(builder, first, x.shape, [shaping.size(builder, x, 0), 1, 1])
    assert wide.narrow is first and shaping.expand(builder, x, x.shape, [1, 1, 1]) is x
    assert shaping.scalar(builder, 2, "int64").value.shape == ()
