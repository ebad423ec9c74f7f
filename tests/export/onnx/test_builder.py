"""The builder keeps a model small: equal nodes once, nothing unused, what does not change before the loop.

Tests `cleaning.py` too.
"""
import numpy as np
import onnx
import pytest

from gluon_rnn.export.onnx.builder import Builder
from gluon_rnn.export.onnx.check import check_structure, run


def started(shape=("T", 3), sizes=((11, 3), (17, 3))):
    builder = Builder()
    return builder, builder.input("x", shape, "float32", sizes)


def finished(builder, **outputs):
    model = builder.model("model", {name: (tensor, tensor.shape) for name, tensor in outputs.items()})
    check_structure(model)
    return model


def names_of(model):
    return [node.op_type for node in model.graph.node]


def test_equal_nodes_and_equal_constants_are_one():
    builder, x = started()
    one, two = (builder.add("Add", x, np.ones(3, "float32")) for _ in range(2))
    model = finished(builder, y=builder.add("Mul", one, two))
    assert names_of(model) == ["Add", "Mul"] and len(model.graph.initializer) == 1
    np.testing.assert_array_equal(run(model, {"x": np.full((1, 3), 2, "float32")})[0], np.full((1, 3), 9))


def test_what_nothing_reads_is_left_out_with_its_constants():
    builder, x = started()
    builder.add("Add", x, np.ones(3, "float32"))
    model = finished(builder, y=builder.add("Tanh", x))
    assert names_of(model) == ["Tanh"] and not model.graph.initializer


def test_shapes_and_types_follow_from_onnx_itself():
    builder, x = started()
    assert builder.add("Reshape", x, np.array([0, 1, -1])).shape == (None, 1, 3)
    assert builder.add("Shape", x).dtype == "int64" and builder.add("Shape", x).shape == (2,)
    values, places = builder.add("TopK", x, np.array([2]), outputs=2)
    assert values.shape == (None, 2) and places.dtype == "int64"


def test_wrong_types_are_found_at_once():
    builder, x = started()
    with pytest.raises(onnx.checker.ValidationError):
        builder.add("Add", x, np.ones(3, "int64"))


def test_outputs_may_be_inputs_constants_and_each_other():
    builder, x = started()
    y = builder.add("Tanh", x)
    model = finished(builder, a=x, b=builder.constant(np.ones(2, "float32")), c=y, d=y)
    assert sorted(names_of(model)) == ["Identity", "Identity", "Identity", "Tanh"]
    data = np.ones((2, 3), "float32")
    a, b, c, d = run(model, {"x": data})
    np.testing.assert_array_equal(a, data)
    np.testing.assert_array_equal(b, [1, 1])
    np.testing.assert_array_equal(c, d)


def test_what_a_body_does_not_change_goes_before_the_loop():
    builder, x = started()
    begin = builder.constant(np.zeros(3, "float32"))
    with builder.body([((3,), "float32"), ((3,), "float32")]) as body:
        state, step = body.inputs
        fixed = builder.add("Exp", begin)
        after = builder.add("Add", builder.add("Mul", state, fixed), step)
        body.outputs = [after, after]
    final, outputs = builder.add("Scan", begin, x, outputs=2, body=body.graph, num_scan_inputs=1)
    outputs = builder.describe(outputs, (None, 3), "float32")
    model = finished(builder, outputs=outputs, final=builder.describe(final, (3,), "float32"))
    assert names_of(model) == ["Exp", "Scan"]
    assert [node.op_type for node in body.graph.node] == ["Mul", "Add", "Identity"]
    data = np.arange(6, dtype="float32").reshape(2, 3)
    found, last = run(model, {"x": data})
    np.testing.assert_array_equal(found, data.cumsum(axis=0))
    np.testing.assert_array_equal(last, found[-1])


def test_optional_outputs_that_nothing_reads_are_not_computed():
    builder, x = started(("T", "N", 3), ((11, 13, 3), (17, 19, 3)))
    weights = np.ones((1, 8, 3), "float32"), np.ones((1, 8, 2), "float32")
    outputs, hidden, _ = builder.add("LSTM", x, *weights, outputs=3, hidden_size=2)
    assert list(finished(builder, y=outputs).graph.node[0].output) == ["y"]
    assert outputs.shape == (None, 1, None, 2) and hidden.shape == (1, None, 2)


def test_names_are_those_of_the_nodes_and_unique():
    builder, x = started()
    with builder.named("layer"):
        one = builder.add("Tanh", x)
        two = builder.add("Tanh", one)
    assert (one.name, two.name, builder.prefix) == ("layer/Tanh", "layer/Tanh_1", "graph")
