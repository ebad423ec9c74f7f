"""The registry and its driver: what is missing is named, constants are computed, users add their own."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, check, convert, supported, translates, translators
from tests.onnx_cases import compare, drawn, operators_of

DATA = mx.sym.var("data")
INPUTS = {"data": (("T", 3), "float32")}


def test_an_operator_without_translation_is_named_with_its_node():
    with pytest.raises(UnsupportedOperator, match="operator 'gammaln' of node 'here' has no translation to ONNX"):
        convert(mx.sym.gammaln(DATA, name="here"), {}, INPUTS)


def test_an_operator_of_the_users(monkeypatch):
    monkeypatch.setattr(translators, "_TRANSLATORS", dict(translators._TRANSLATORS))

    @translates("smooth_l1")
    def smooth_l1(builder, node):
        size = builder.add("Abs", node.inputs[0])
        half = builder.add("Mul", builder.add("Mul", size, size), np.float32(0.5))
        less = builder.add("Less", size, np.float32(1))
        return builder.add("Where", less, half, builder.add("Sub", size, np.float32(0.5)))

    compare(mx.sym.smooth_l1(DATA, scalar=1.0), INPUTS)
    assert "smooth_l1" in supported()


def test_two_translators_of_one_operator_are_refused():
    supported()
    with pytest.raises(ValueError, match="operator 'tanh' has two translators"):
        translates("tanh")(None)


def test_supported_operators_are_of_mxnet():
    """A misspelt name would be a translator that is never called."""
    names, known = supported(), set(mx.operator.get_all_registered_operators())
    assert [name for name in names if name not in known] == []
    assert {"FullyConnected", "RNN", "_foreach", "Convolution"} <= set(names) and len(names) > 150


def test_parameters_are_computed_beforehand_with_running_averages_as_they_are():
    given = {name: np.abs(drawn((3,), "float32", {})) for name in ("gamma", "beta", "mean", "var")}
    variables = [mx.sym.var(name) for name in given]
    scaled = mx.sym.BatchNorm(mx.sym.reshape(mx.sym.var("row"), shape=(1, 3)), *variables, fix_gamma=False)
    model = compare(mx.sym.broadcast_add(DATA, scaled), INPUTS, dict(given, row=drawn((3,), "float32", {})))
    assert operators_of(model) == ["Add"]


def test_a_translator_that_gives_another_type_is_a_fault_and_found(monkeypatch):
    monkeypatch.setitem(translators._TRANSLATORS, "tanh", lambda builder, node: builder.add("Shape", node.inputs[0]))
    with pytest.raises(AssertionError, match="the translator of tanh"):
        convert(mx.sym.tanh(DATA), {}, INPUTS)


def test_constants_inside_of_a_loop_are_computed_too():
    weight = mx.sym.var("weight")
    outputs, _ = mx.sym.contrib.foreach(lambda x, states: (mx.sym.broadcast_mul(x, weight * 2 + 1), states), DATA,
                                        [mx.sym.zeros((3,))])
    model = convert(outputs, {"weight": np.array([1, 2, 3], "float32")}, INPUTS)
    (loop,) = model.graph.node
    assert [node.op_type for node in loop.attribute[0].g.node].count("Mul") == 1
    data = drawn((4, 3), "float32", {})
    check(model, {"data": data}, [data * np.array([3, 5, 7], "float32")])
