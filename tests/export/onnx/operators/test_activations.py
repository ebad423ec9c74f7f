"""Activation functions and softmax, with lengths and temperatures."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from tests.onnx_cases import SINGLE, compare, drawn, operators_of

DTYPES = ["float32", "float64"]
INPUTS = {dtype: {"data": (("N", 3, "T"), dtype)} for dtype in DTYPES}
DATA = mx.sym.var("data")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "relu", "softrelu", "softsign"])
def test_activation(kind, dtype):
    compare(mx.sym.Activation(DATA, act_type=kind), INPUTS[dtype],
            draw=lambda *args: 20 * drawn(*args))                         # exp(60) does not fit into float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [dict(), dict(slope=0.1), dict(act_type="elu", slope=0.7), dict(act_type="selu")])
def test_leaky_relu(settings, dtype):
    """MXNet computes what is below zero in float32 whatever the type."""
    compare(mx.sym.LeakyReLU(DATA, **settings), INPUTS[dtype], tolerance=SINGLE)


@pytest.mark.parametrize("shape, slopes", [(("N", 3), (3,)), (("N", 3), (1,)), (("N", 3, "T"), (3,)), (("N", 3, "T"), (1,)),
                                           (("N", 3, "T", 2), (3,))])
def test_a_learnt_slope_for_each_channel_or_for_all(shape, slopes):
    symbol = mx.sym.LeakyReLU(DATA, mx.sym.var("slopes"), act_type="prelu")
    compare(symbol, {"data": (shape, "float32")}, {"slopes": np.abs(drawn(slopes, "float32", {}))})


def test_gelu():
    compare(mx.sym.LeakyReLU(DATA, act_type="gelu"), INPUTS["float32"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_sigmoid(dtype):
    compare(mx.sym.hard_sigmoid(DATA, alpha=0.25, beta=0.125), INPUTS[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [dict(), dict(axis=1), dict(axis=0), dict(temperature=2.5)])
def test_softmax_and_its_logarithm(settings, dtype):
    compare(mx.sym.Group([mx.sym.softmax(DATA, **settings), mx.sym.log_softmax(DATA, **settings),
                          mx.sym.softmin(DATA, **settings)]), INPUTS[dtype])


@pytest.mark.parametrize("axis, lengths", [(2, ("N", 3)), (1, ("N", "T")), (-1, ("N", 3))])
def test_softmax_with_lengths_of_zero_to_all(axis, lengths):
    symbol = mx.sym.softmax(DATA, mx.sym.var("lengths"), axis=axis, use_length=True)
    compare(symbol, dict(INPUTS["float32"], lengths=(lengths, "int32")))


@pytest.mark.parametrize("settings", [dict(), dict(multi_output=True), dict(preserve_shape=True)])
def test_output_of_a_loss_needs_no_label(settings):
    compare(mx.sym.SoftmaxOutput(DATA, name="softmax", **settings), {"data": (("N", 3, 4), "float32")})
    symbol = mx.sym.SoftmaxOutput(DATA, name="softmax")
    model = compare(symbol, {"data": (("N", 3), "float32")})
    assert operators_of(model) == ["Softmax"] and [entry.name for entry in model.graph.input] == ["data"]


def test_an_unknown_kind_is_refused_with_the_name_of_the_node():
    symbol = mx.sym.Dropout(DATA, mode="always", name="noisy")
    with pytest.raises(UnsupportedOperator, match="operator 'Dropout' of node 'noisy' draws at random"):
        convert(symbol, {}, INPUTS["float32"])
