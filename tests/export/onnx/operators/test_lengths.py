"""Operators on lengths of rows: MXNet and ONNX Runtime move the same numbers, so they are equal bit for bit."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import convert
from gluon_rnn.export.onnx.check import run

F, FREE = mx.sym, ("T", "N", 3)


def both(symbol, sizes=((5, 3), (2, 4)), shape=FREE, dtype="float32", lengths=None):
    """Return pairs of what MXNet and ONNX Runtime compute, at each of the sizes (T, N)."""
    inputs = {"data": (shape, dtype)}
    if "lengths" in symbol.list_arguments():
        inputs["lengths"] = (("N",), "float32")
    model, pairs = convert(symbol, {}, inputs), []
    for steps, rows in sizes:
        axes = {"T": steps, "N": rows}
        draw = np.random.RandomState(steps)
        given = {"data": draw.randint(-99, 99, [axes.get(axis, axis) for axis in shape]).astype(dtype)}
        if "lengths" in inputs:
            given["lengths"] = (np.array([steps, 1, 0, 1.7])[:rows] if lengths is None
                                else np.minimum(lengths, steps)[:rows]).astype("float32")
        arrays = {key: mx.nd.array(value, dtype=value.dtype) for key, value in given.items()}
        want = [output.asnumpy() for output in symbol.bind(mx.cpu(), arrays).forward()]
        pairs += list(zip(run(model, given), want))
    return pairs


def assert_equal(symbol, **more):
    for got, want in both(symbol, **more):
        np.testing.assert_array_equal(got, want)


DATA, LENGTHS = F.var("data"), F.var("lengths")
GIVEN = dict(sequence_length=LENGTHS, use_sequence_length=True)


@pytest.mark.parametrize("axis, shape",
                         [(0, FREE), (0, ("T", "N")), (1, ("N", "T", 3)), (1, ("N", "T", 2, 2))], ids=str)
def test_mask(axis, shape):
    """A fraction of a length is cut off, and a length of 0 leaves nothing."""
    assert_equal(F.SequenceMask(DATA, axis=axis, value=-2, **GIVEN), shape=shape)


def test_mask_replaces_nan():
    model = convert(F.SequenceMask(DATA, **GIVEN), {}, {"data": (FREE, "float32"), "lengths": (("N",), "float32")})
    found, = run(model, {"data": np.full((2, 2, 3), np.nan, "float32"), "lengths": np.array([0, 1], "float32")})
    np.testing.assert_array_equal(np.isnan(found[..., 0]), [[False, True], [False, False]])


@pytest.mark.parametrize("operator", [F.SequenceMask, F.SequenceLast, F.SequenceReverse])
def test_without_lengths(operator):
    assert_equal(operator(DATA))


@pytest.mark.parametrize("axis, shape", [(0, FREE), (1, ("N", "T", 3)), (1, ("N", "T", 2, 2))], ids=str)
def test_last_step(axis, shape):
    assert_equal(F.SequenceLast(DATA, axis=axis, **GIVEN), shape=shape, lengths=[4, 1, 2.9, 1])


def test_last_of_all_steps():
    assert_equal(F.SequenceLast(DATA, axis=1), shape=("N", "T", 3))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_reversal(dtype):
    """Rows of length 0 and 1 stay as they are."""
    assert_equal(F.SequenceReverse(DATA, **GIVEN), dtype=dtype)


def test_reversal_by_places():
    """What the graphs of this package do in the place of SequenceReverse: the places are reversed, and gathered."""
    rows = F.reshape(F.slice_axis(DATA, axis=2, begin=0, end=1), shape=(0, 0))
    places = F.SequenceReverse(F.contrib.index_array(rows, axes=(0, 1)), **GIVEN)
    assert_equal(F.gather_nd(DATA, F.transpose(places, axes=(2, 0, 1))))
