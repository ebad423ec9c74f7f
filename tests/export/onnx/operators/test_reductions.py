"""Sums, means, extremes, norms, sorting; along axes, along all, and along all others."""
import mxnet as mx
import numpy as np
import pytest

from tests.onnx_cases import compare, drawn

DATA = mx.sym.var("data")
DTYPES = ["float32", "float64"]


def inputs(dtype="float32"):
    return {"data": (("T", "N", 3), dtype)}


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "norm"])
def test_reductions(name, dtype, opset):
    reduce = getattr(mx.sym, name)
    symbol = [reduce(DATA, axis=0), reduce(DATA, axis=(1, 2)), reduce(DATA), reduce(DATA, axis=-1, keepdims=True)]
    if name != "norm":
        symbol.append(reduce(DATA, axis=1, exclude=True))
    compare(mx.sym.Group(symbol), inputs(dtype), opset=opset)


@pytest.mark.parametrize("name", ["sum", "max", "min", "mean"])
def test_reductions_of_whole_numbers(name):
    compare(getattr(mx.sym, name)(DATA, axis=0), inputs("int32"))


def test_sum_of_sizes():
    compare(mx.sym.norm(DATA, ord=1, axis=(0, 1)), inputs())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["instance", "channel", "spatial"])
def test_l2_normalization(mode, dtype):
    compare(mx.sym.L2Normalization(DATA, mode=mode), inputs(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [dict(axis=0), dict(axis=-1), dict(axis=1, keepdims=True), dict()])
def test_place_of_the_largest_and_smallest(settings, dtype):
    compare(mx.sym.Group([mx.sym.argmax(DATA, **settings), mx.sym.argmin(DATA, **settings)]), inputs(dtype))


def test_the_first_of_several_largest_is_taken():
    compare(mx.sym.argmax(DATA, axis=0), inputs(),
            draw=lambda shape, dtype, lengths: np.round(drawn(shape, dtype, lengths)))


@pytest.mark.parametrize("kind", ["indices", "value", "both"])
@pytest.mark.parametrize("settings", [dict(k=2, axis=-1), dict(k=3, axis=0, is_ascend=True), dict(k=2, axis=0)])
def test_the_largest_few(kind, settings):
    compare(mx.sym.Group(list(mx.sym.topk(DATA, ret_typ=kind, **settings))), inputs())


@pytest.mark.parametrize("settings", [dict(), dict(axis=0), dict(axis=1, is_ascend=False)])
def test_sorting(settings):
    compare(mx.sym.Group([mx.sym.sort(DATA, **settings), mx.sym.argsort(DATA, **settings)]), inputs())


@pytest.mark.parametrize("axis", [0, 2, None])
def test_sums_up_to_each_place(axis):
    compare(mx.sym.cumsum(DATA, axis=axis), inputs())
