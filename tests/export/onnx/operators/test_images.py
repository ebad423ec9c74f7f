"""Layers of convolutional networks in one and two dimensions. ONNX Runtime has most of them in float32 only."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import compare, drawn, operators_of

DATA = mx.sym.var("data")
LINE, IMAGE = {"data": (("N", 4, "W"), "float32")}, {"data": (("N", 4, "W", 9), "float32")}


def wide(shape, dtype, lengths):
    return drawn(shape, dtype, dict(lengths, W=lengths["T"] + 8))


def given(**shapes):
    return {key: drawn(shape, "float32", {}) for key, shape in shapes.items()}


def case(symbol, inputs, parameters=None):
    return compare(symbol, inputs, parameters, draw=wide)


@pytest.mark.parametrize("settings, weight", [
    (dict(kernel=(3,)), (6, 4, 3)), (dict(kernel=(3,), stride=(2,), pad=(1,), no_bias=True), (6, 4, 3)),
    (dict(kernel=(2,), dilate=(3,), num_group=2), (6, 2, 2))])
def test_convolution_of_lines(settings, weight):
    case(mx.sym.Convolution(DATA, num_filter=6, name="c", **settings), LINE,
         given(c_weight=weight) if settings.get("no_bias") else given(c_weight=weight, c_bias=(6,)))


@pytest.mark.parametrize("settings, weight", [
    (dict(kernel=(3, 2)), (6, 4, 3, 2)), (dict(kernel=(3, 3), stride=(2, 1), pad=(1, 0)), (6, 4, 3, 3)),
    (dict(kernel=(2, 2), dilate=(2, 1), num_group=2), (6, 2, 2, 2))])
def test_convolution_of_images(settings, weight):
    case(mx.sym.Convolution(DATA, num_filter=6, name="c", **settings), IMAGE, given(c_weight=weight, c_bias=(6,)))


@pytest.mark.parametrize("settings", [dict(), dict(stride=(2, 2), adj=(1, 1)), dict(pad=(1, 0), dilate=(1, 2))])
def test_deconvolution(settings):
    case(mx.sym.Deconvolution(DATA, num_filter=6, kernel=(3, 2), name="c", no_bias=False, **settings), IMAGE,
         given(c_weight=(4, 6, 3, 2), c_bias=(6,)))


@pytest.mark.parametrize("kind", ["max", "avg", "sum", "lp"])
@pytest.mark.parametrize("settings", [dict(kernel=(2, 3), stride=(2, 3)), dict(kernel=(2, 2)), dict(global_pool=True),
                                      dict(kernel=(3, 3), stride=(2, 2), pad=(1, 1))])
def test_pooling(kind, settings):
    extra = dict(p_value=2) if kind == "lp" else {}
    case(mx.sym.Pooling(DATA, pool_type=kind, **settings, **extra), IMAGE)


def test_pooling_of_lines_with_other_conventions():
    pool = dict(kernel=(3,), stride=(2,))
    case(mx.sym.Group([mx.sym.Pooling(DATA, pool_type="max", pooling_convention="full", **pool),
                       mx.sym.Pooling(DATA, pool_type="avg", pad=(1,), count_include_pad=False, **pool)]), LINE)


@pytest.mark.parametrize("inputs, axis", [(LINE, 1), (IMAGE, 1), ({"data": (("N", 4), "float32")}, 1),
                                          ({"data": (("T", "N", 4), "float32")}, -1)])
@pytest.mark.parametrize("fix_gamma", [True, False])
def test_batch_norm_uses_running_averages(inputs, axis, fix_gamma):
    parameters = given(b_gamma=(4,), b_beta=(4,), b_moving_mean=(4,), b_moving_var=(4,))
    parameters["b_moving_var"] = np.abs(parameters["b_moving_var"])
    case(mx.sym.BatchNorm(DATA, axis=axis, fix_gamma=fix_gamma, name="b"), inputs, parameters)


@pytest.mark.parametrize("axis, width", [(-1, 9), (1, 4)])
def test_layer_norm(axis, width):
    case(mx.sym.LayerNorm(DATA, axis=axis, name="l"), IMAGE, given(l_gamma=(width,), l_beta=(width,)))


def test_layer_norm_in_float64():
    parameters = {key: drawn((3,), "float64", {}) for key in ("l_gamma", "l_beta")}
    model = compare(mx.sym.LayerNorm(DATA, name="l"), {"data": (("T", "N", 3), "float64")}, parameters)
    assert operators_of(model) == ["LayerNormalization"]


def test_other_norms():
    case(mx.sym.InstanceNorm(DATA, name="i"), IMAGE, given(i_gamma=(4,), i_beta=(4,)))
    case(mx.sym.GroupNorm(DATA, num_groups=2, name="g"), IMAGE, given(g_gamma=(2,), g_beta=(2,)))
    case(mx.sym.LRN(DATA, nsize=3), IMAGE)


def test_adaptive_pooling_to_one():
    case(mx.sym.contrib.AdaptiveAvgPooling2D(DATA, output_size=1), IMAGE)


def test_unusual_pooling_is_refused_with_its_name():
    symbol = mx.sym.Pooling(DATA, kernel=(2,), pool_type="avg", pooling_convention="full", name="p")
    with pytest.raises(UnsupportedOperator, match="operator 'Pooling' of node 'p' has pooling_convention 'full'"):
        convert(symbol, {}, LINE)
