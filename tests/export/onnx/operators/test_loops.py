"""``foreach`` as a Scan: states, captured tensors, T free; the same sums as MXNet's, in float64 to the last digits."""
import mxnet as mx
import numpy as np
import onnx
import pytest

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from gluon_rnn.export.onnx.check import run
from tests.reference import EXACT

F, DATA, BEGIN, WEIGHT = mx.sym, mx.sym.var("data"), mx.sym.var("begin"), mx.sym.var("weight")
INPUTS = {"data": (("T", "N", 3), "float64"), "begin": (("N", 3), "float64")}
PARAMETERS = {"weight": np.random.RandomState(0).standard_normal((3, 3))}


def assert_as_in_mxnet(symbol, inputs=INPUTS, parameters=PARAMETERS):
    """Compare at two sizes, and return the ONNX model."""
    parameters = {key: value for key, value in parameters.items() if key in symbol.list_arguments()}
    model = convert(symbol, parameters, inputs)
    for steps, rows in ((5, 2), (1, 3)):
        draw, axes = np.random.RandomState(steps).standard_normal, {"T": steps, "N": rows}
        given = {key: draw([axes.get(axis, axis) for axis in shape]) for key, (shape, _) in inputs.items()}
        arrays = {key: mx.nd.array(value, dtype="float64") for key, value in {**given, **parameters}.items()}
        want = symbol.bind(mx.cpu(), arrays).forward()
        found = run(model, given)
        assert len(found) == len(want)
        for got, value in zip(found, want):
            np.testing.assert_allclose(got, value.asnumpy(), **EXACT)
    return model


def scan(model):
    node, = (node for node in model.graph.node if node.op_type == "Scan")
    return node, onnx.helper.get_attribute_value(next(one for one in node.attribute if one.name == "body"))


def test_states_and_outputs():
    def step(x, state):
        new = F.tanh(F.dot(x, WEIGHT) + state)
        return new * 2, new

    model = assert_as_in_mxnet(F.Group(F.contrib.foreach(step, DATA, BEGIN)))
    node, body = scan(model)
    assert len(body.node) == 4 and not body.initializer                  # constants stay outside


def test_several_of_everything():
    def step(slices, states):
        (x, y), (a, b) = slices, states
        return [x + b, x * y], [a + y, a * x]

    outputs, states = F.contrib.foreach(step, [DATA, DATA * 2], [BEGIN, BEGIN + 1])
    assert_as_in_mxnet(F.Group([*outputs, *states]))


def test_outputs_that_are_inputs_or_states():
    """ONNX wants what a body hands out to be made in it, and each result once."""
    outputs, states = F.contrib.foreach(lambda x, states: ([x, states[1], states[1]], [states[1], states[0]]),
                                        DATA, [BEGIN, BEGIN * 2])
    assert_as_in_mxnet(F.Group([*outputs, *states]))


def test_what_does_not_change_is_computed_once():
    captured = F.dot(BEGIN, WEIGHT)

    def step(x, state):
        new = state + x * F.sigmoid(F.dot(captured, WEIGHT))
        return new, new

    outputs, _ = F.contrib.foreach(step, DATA, BEGIN)
    _, body = scan(assert_as_in_mxnet(outputs))
    assert {"Sigmoid", "MatMul", "Gemm"}.isdisjoint(node.op_type for node in body.node)


def test_a_recurrent_operator_in_the_body():
    """One step of a layer whose parameters lie outside; in float32 by ONNX's own operator."""
    layer = mx.gluon.rnn.GRU(3, input_size=3)
    layer.initialize(mx.init.Uniform(0.7))

    def step(x, state):
        output, states = layer(F.expand_dims(x, axis=0), [state])
        return F.squeeze(output, axis=0), states[0]

    begin = F.expand_dims(BEGIN, axis=0)
    outputs, final = F.contrib.foreach(step, DATA, begin)
    symbol = F.Group([outputs, final])
    parameters = {key: parameter.data() for key, parameter in layer.collect_params().items()}
    inputs = {key: (shape, "float32") for key, (shape, _) in INPUTS.items()}
    model = convert(symbol, parameters, inputs)
    assert "GRU" in [node.op_type for node in scan(model)[1].node]
    draw = np.random.RandomState(0).standard_normal
    data, begin = draw((4, 2, 3)).astype("float32"), draw((2, 3)).astype("float32")
    outputs, (final,) = layer(mx.nd.array(data), [mx.nd.array(begin[None])])
    for got, want in zip(run(model, {"data": data, "begin": begin}), (outputs, final)):
        np.testing.assert_allclose(got, want.asnumpy(), rtol=0, atol=1e-6)


def test_a_loop_in_a_loop():
    def outer(x, state):
        def inner(row, sum_so_far):
            return row * sum_so_far, row + sum_so_far

        outputs, last = F.contrib.foreach(inner, x, F.sum(state, axis=0))
        return outputs, F.broadcast_add(state, F.expand_dims(last, axis=0))

    assert_as_in_mxnet(F.Group(F.contrib.foreach(outer, DATA, BEGIN)))


def test_other_loops_are_refused():
    (_, states) = F.contrib.while_loop(lambda x: x < 5, lambda x: ([x], [x + 1]), [F.var("begin")], max_iterations=9)
    with pytest.raises(UnsupportedOperator, match="'_while_loop' of node .* has no translation to ONNX"):
        convert(states[0], {}, {"begin": ((1,), "float32")})
    chosen = F.contrib.cond(F.sum(BEGIN) < 5, lambda: BEGIN, lambda: BEGIN * 2)
    with pytest.raises(UnsupportedOperator, match="'_cond' of node"):
        convert(chosen, {}, {"begin": ((1,), "float32")})
