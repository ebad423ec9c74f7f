"""`check`: what is equal passes, and every way to differ is found."""
import mxnet as mx
import numpy as np
import onnx
import pytest

from gluon_rnn.export.onnx import DifferentAnswers, check, convert, difference

DATA = np.array([[0.5, -1.0]], "float32")


@pytest.fixture(scope="module")
def model():
    return convert(mx.sym.tanh(mx.sym.var("data")), {}, {"data": (("N", 2), "float32")})


def test_equal_answers(model):
    assert check(model, {"data": DATA}, [np.tanh(DATA)]) < 1e-6
    assert check(model, {"data": DATA, "unknown": DATA}, [mx.nd.tanh(mx.nd.array(DATA)).asnumpy()]) < 1e-6


@pytest.mark.parametrize("answer", [np.tanh(DATA) + 1e-4, np.tanh(DATA).T, np.tanh(DATA).astype("float64"),
                                    np.array([[np.nan, 0]], "float32")], ids=["number", "shape", "type", "nan"])
def test_other_answers(model, answer):
    with pytest.raises(DifferentAnswers, match=r"differs from the expected answers by .* inputs of shapes"):
        check(model, {"data": DATA}, [answer])


def test_number_of_answers(model):
    assert difference(model, {"data": DATA}, []) == float("inf")


def test_nan_and_infinities_in_the_same_places_are_equal(model):
    data = np.array([[np.nan, np.inf]], "float32")
    assert difference(model, {"data": data}, [np.array([[np.nan, 1]], "float32")]) == 0


def test_a_malformed_model_is_found(model):
    broken = onnx.ModelProto()
    broken.CopyFrom(model)
    broken.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(onnx.checker.ValidationError):
        check(broken, {"data": DATA}, [DATA])
