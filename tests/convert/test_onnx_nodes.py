"""RNN, LSTM and GRU nodes of ONNX and ours: the same outputs and states as ONNX Runtime.

Tests `onnx_graph.py` too: which nodes are a stack. Models are built here node by node, in the forms that exporters of
PyTorch and TensorFlow give to a stack. ONNX Runtime computes these operators in float32 only.
"""
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.convert import from_onnx
from tests.convert.cases import assert_unchanged, call, snapshot
from tests.reference import assert_rounded

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
STEPS, ROWS, FEATURES, UNITS = 6, 2, 3, 4


class Model:
    """An ONNX model that grows node by node; `value` is the name of what the next one reads."""

    def __init__(self, layout=0):
        self.nodes, self.tensors, self.value, self.random = [], [], "x", np.random.default_rng(0)
        self.layout = layout

    def constant(self, array, name=None):
        name = name or f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"{op}{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op, [self.value, *inputs], names, name=f"n{len(self.nodes)}", **attributes))
        self.value = names[0]
        return self

    def weights(self, *shape):
        return self.constant(self.random.uniform(-0.7, 0.7, shape).astype("float32"))

    def recurrent(self, op, features=FEATURES, units=UNITS, peepholes=False, bias=True, **attributes):
        both, stacked = 2 if attributes.get("direction") == "bidirectional" else 1, GATES[op] * units
        inputs = [self.weights(both, stacked, features), self.weights(both, stacked, units),
                  self.weights(both, 2 * stacked) if bias else ""]
        if peepholes:
            inputs += ["", "", "", self.weights(both, 3 * units)]
        return self.add(op, *inputs, outputs=3 if op == "LSTM" else 2, hidden_size=units, **attributes)

    def squeeze(self, axis=1):
        return self.add("Squeeze", self.constant(np.array([axis])))

    def joined(self, width):
        """Both directions side by side, as PyTorch's exporter writes it."""
        return self.add("Transpose", perm=[0, 2, 1, 3]).add("Reshape", self.constant(np.array([0, 0, width])))

    def proto(self, opset=17):
        outputs = [helper.make_tensor_value_info(name, 1, [None] * (3 if index else 4))
                   for index, name in enumerate(self.nodes[-1].output)]
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", 1, [None, None, FEATURES])],
                                  outputs, self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def computed(model, inputs):
    """Return what ONNX Runtime gives for all outputs of a model."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": inputs})


def some_inputs():
    return np.random.default_rng(1).normal(size=(STEPS, ROWS, FEATURES)).astype("float32")


def expected(model, block):
    """Return outputs (T, N, D*H) and states of a model that ends in one recurrent node, as `block` has them."""
    outputs, *states = computed(model, some_inputs())
    states = [one[index:index + 1] for index in range(len(states[0])) for one in states] if isinstance(
        block, nn.BidirectionalStack) else states
    return [outputs.swapaxes(1, 2).reshape((STEPS, ROWS, -1)), *states]


def assert_same(block, want, layers=1):
    states = block.begin_state(ROWS)
    got = call(block, some_inputs(), [state.asnumpy() for state in states])
    assert_rounded(got[:len(want)], want, layers * STEPS * (FEATURES + 2 * UNITS + 4))
    assert np.abs(want[0]).max() > 0.05, "all outputs near 0 would agree with anything"


CASES = [("LSTM", {}, nn.LSTM), ("LSTM", dict(peepholes=True), nn.PeepholeLSTM), ("LSTM", dict(bias=False), nn.LSTM),
         ("GRU", dict(linear_before_reset=1), nn.GRU), ("GRU", {}, nn.ResetBeforeGRU), ("RNN", {}, nn.RNN),
         ("RNN", dict(activations=["Relu"]), nn.RNN), ("RNN", dict(activations=["Sigmoid"]), nn.RNN)]


@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("op, options, kind", CASES)
def test_outputs_and_states_are_those_of_onnx_runtime(op, options, kind, direction):
    options = dict(options)
    if direction == "bidirectional" and "activations" in options:
        options["activations"] = 2 * options["activations"]
    model = Model().recurrent(op, direction=direction, **options).proto()
    block = from_onnx(model)
    looped = direction == "bidirectional" and kind in (nn.PeepholeLSTM, nn.ResetBeforeGRU)
    assert type(block) is (nn.BidirectionalStack if looped else kind)
    assert_same(block, expected(model, block))


def test_a_path_bytes_and_a_layer_that_is_there(tmp_path):
    model = Model().recurrent("LSTM").proto()
    onnx.save(model, str(tmp_path / "model.onnx"))
    want, layer = call(from_onnx(model), some_inputs()), nn.LSTM(UNITS, dropout=0.5)
    for source in (tmp_path / "model.onnx", str(tmp_path / "model.onnx"), model.SerializeToString()):
        np.testing.assert_array_equal(call(from_onnx(source), some_inputs()), want)
    assert from_onnx(model, layer) is layer
    np.testing.assert_array_equal(call(layer, some_inputs()), want)


# ---- stacks ----------------------------------------------------------------------------------------------------------

def computed_shape(model):
    """Both directions side by side, the shape being computed from that of the value: PyTorch's newer exporter."""
    model.add("Transpose", perm=[0, 2, 1, 3])
    value, reshaped = model.value, []
    for begin, end in ((0, 1), (1, 2), (2, 3), (3, 4)):
        model.value = value
        model.add("Shape").add("Slice", model.constant(np.array([begin])), model.constant(np.array([end])))
        reshaped.append(model.value)
    model.value = reshaped[2]
    model.add("Mul", reshaped[3])
    width, model.value = model.value, reshaped[0]
    model.add("Concat", reshaped[1], width, axis=0)
    shape, model.value = model.value, value
    return model.add("Reshape", shape)


def batch_first(model):
    """Turned to batch first and back, as TensorFlow's exporters do between layers."""
    return model.squeeze().add("Transpose", perm=[1, 0, 2]).add("Identity").add("Transpose", perm=[1, 0, 2])


@pytest.mark.parametrize("between, both", [
    (lambda model: model.squeeze(), False), (lambda model: model.squeeze(-3), False),
    (lambda model: model.squeeze().add("Dropout"), False), (batch_first, False),
    (lambda model: model.joined(-1), False), (lambda model: model.joined(2 * UNITS), True),
    (lambda model: model.joined(-1), True), (computed_shape, True)])
def test_stacks_are_recognised(between, both):
    direction = "bidirectional" if both else "forward"
    model = between(Model().recurrent("LSTM", direction=direction))
    model = model.recurrent("LSTM", (1 + both) * UNITS, direction=direction).proto()
    block = from_onnx(model)
    assert isinstance(block, nn.LSTM) and block.num_layers == 2
    assert_same(block, expected(model, block)[:1], layers=2)


def test_layers_of_unequal_kinds_are_a_chain():
    model = Model().recurrent("LSTM", direction="bidirectional").joined(-1)
    model = model.recurrent("GRU", 2 * UNITS, 3, linear_before_reset=1).proto()
    block = from_onnx(model)
    assert [type(one) for one in block.blocks] == [nn.LSTM, nn.GRU]
    assert_same(block, expected(model, block)[:1], layers=2)


@pytest.mark.parametrize("between, features", [
    (lambda model: model.squeeze().add("Relu"), UNITS),
    (lambda model: model.squeeze().add("Mul", model.constant(np.float32(2))), UNITS),
    (lambda model: model.squeeze().add("Transpose", perm=[1, 0, 2]), UNITS),
    (lambda model: model.squeeze().add("Slice", model.constant(np.array([1])), model.constant(np.array([99])),
                                       model.constant(np.array([0]))), UNITS),
    (lambda model: model.add("Transpose", perm=[0, 2, 3, 1]).add("Reshape", model.constant(np.array([0, 0, -1]))),
     2 * UNITS)])
def test_what_changes_the_sequence_ends_a_stack(between, features):
    direction = "bidirectional" if features > UNITS else "forward"
    model = between(Model().recurrent("LSTM", direction=direction)).recurrent("LSTM", features).proto()
    first, second = (node.name for node in model.graph.node if node.op_type == "LSTM")
    with pytest.raises(ValueError, match=f"of which one stack is meant; .*{first}.*{second}.*pass prefix="):
        from_onnx(model)
    assert from_onnx(model, prefix=second).input_size == features
    assert isinstance(from_onnx(model, prefix=[first, second]), nn.Chain if features > UNITS else nn.LSTM)
    with pytest.raises(ValueError, match=f"no recurrent node 'n99'; nodes found: .*{first}"):
        from_onnx(model, prefix="n99")


def test_two_readers_of_one_layer_are_no_stack():
    model = Model().recurrent("LSTM").squeeze()
    value = model.value
    model.recurrent("LSTM", UNITS)
    model.value = value
    with pytest.raises(ValueError, match="of which one stack is meant"):
        from_onnx(model.recurrent("GRU", UNITS).proto())


def test_weights_that_other_nodes_make_of_constants():
    model = Model()
    arrays = [model.random.uniform(-1, 1, (size, 4 * UNITS)).astype("float32") for size in (FEATURES, UNITS)]
    names = []
    for array in arrays:
        model.value = model.constant(array)
        model.add("Transpose", perm=[1, 0]).add("Unsqueeze", model.constant(np.array([0]))).add("Identity")
        names.append(model.value)
    model.value = "x"
    model = model.add("LSTM", *names, outputs=3, hidden_size=UNITS).proto()
    block = from_onnx(model)
    assert_same(block, expected(model, block))


# ---- what does not fit -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("op, options, match", [
    ("LSTM", dict(direction="reverse"), "node 'n0' of the model reads in reverse only"),
    ("LSTM", dict(clip=1.0), "has clip=1.0, which our layers do not know"),
    ("LSTM", dict(input_forget=1), "has input_forget=1"),
    ("LSTM", dict(activations=["HardSigmoid", "Tanh", "Tanh"]), r"has activations \['HardSigmoid', .*; ours are Sig"),
    ("GRU", dict(direction="bidirectional", activations=["Sigmoid", "Tanh", "Sigmoid", "Relu"]), "ours are Sigmoid, T"),
    ("RNN", dict(activations=["Softsign"]), r"has activations \['Softsign'\]; ours are Tanh or Relu or Sigmoid"),
    ("RNN", dict(direction="bidirectional", activations=["Tanh", "Relu"]), "the same in both directions")])
def test_nodes_that_ours_do_not_compute(op, options, match):
    with pytest.raises(ValueError, match=match):
        from_onnx(Model().recurrent(op, **options).proto())


@pytest.mark.parametrize("layer, match", [
    (lambda: nn.LSTM(5),
     r"c0 of the model has shape \(1, 16, 3\), l_i2h_weight here with \(16, 3\), but .* needs \(20, 0\)"),
    (lambda: nn.GRU(4), r"c0 .* has shape \(1, 16, 3\), .* needs \(12, 0\)"),
    (lambda: nn.PeepholeLSTM(4), "no tensor for l0_peephole_f"),
    (lambda: nn.LSTM(4, 2), r"no tensor for l1_i2h_weight of .*, which needs \(16, 4\)")])
def test_the_first_tensor_that_does_not_fit_is_named_with_both_shapes(layer, match):
    with pytest.raises(ValueError, match=match):
        from_onnx(Model().recurrent("LSTM").proto(), layer())


def test_nothing_is_written_where_anything_is_wrong():
    model = Model().recurrent("LSTM").proto()
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.ones((1, 30), "float32"), "c2"))
    layer = nn.LSTM(UNITS, input_size=FEATURES)
    layer.initialize()
    before = snapshot(layer)
    with pytest.raises(ValueError, match=r"c2 of the model has shape \(1, 30\), .* 4 units of lstm ask for \(16,\)"):
        from_onnx(model, layer)
    assert_unchanged(layer, before)


def test_one_gru_is_not_the_other():
    with pytest.raises(ValueError, match="is reset_before_gru, but .* is gru: the shapes are the same"):
        from_onnx(Model().recurrent("GRU").proto(), nn.GRU(UNITS))


def test_weights_that_are_no_constants():
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], name="lstm", hidden_size=UNITS)], "g",
        [helper.make_tensor_value_info(name, 1, [None] * 3) for name in "xwr"],
        [helper.make_tensor_value_info("y", 1, [None] * 4)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    with pytest.raises(ValueError, match="W of node 'lstm' of the model, 'w', is computed when the model runs"):
        from_onnx(model)


@pytest.mark.parametrize("bomb", ["Expand", "Concat", "Mul", "Gather"])
def test_a_small_file_makes_no_large_constant(bomb):
    model = Model()
    model.value = model.constant(np.ones((1, 2000, 1), "float32"))
    if bomb == "Expand":
        model.add("Expand", model.constant(np.array([40_000, 2000, 1000])))
    elif bomb == "Gather":
        model.add("Gather", model.constant(np.zeros(50_000, dtype="int64")), axis=0)
    elif bomb == "Mul":
        model.add("Mul", model.constant(np.ones((4000, 1, 1), "float32")))
    else:
        for _ in range(40):
            model.add("Concat", model.value, axis=0)
    weights, model.value = model.value, "x"
    model.add("LSTM", weights, model.constant(np.ones((1, 4 * UNITS, UNITS), "float32")), outputs=3, hidden_size=UNITS)
    with pytest.raises(ValueError, match="the model: node 'n[0-9]+' makes a constant of [0-9,]+ numbers or more"):
        from_onnx(model.proto())


def test_what_is_no_model(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x00\x01\x02")
    with pytest.raises(ValueError, match="bad.onnx is no valid ONNX model"):
        from_onnx(tmp_path / "bad.onnx")
    with pytest.raises(ValueError, match="the model is no valid ONNX model"):
        from_onnx(onnx.ModelProto())
    with pytest.raises(ValueError, match=r"has no recurrent nodes \(RNN, LSTM, GRU\) in its main graph"):
        from_onnx(Model().add("Relu").proto())
    with pytest.raises(TypeError, match="expected the path, bytes or ModelProto of an ONNX model, got int"):
        from_onnx(3)
    wrong = Model().recurrent("LSTM").proto()
    wrong.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.ones((16, 4), "float32"), "c1"))
    with pytest.raises(ValueError, match=r"c1 of the model has shape \(16, 4\), but R of node 'n0' needs 3 axes"):
        from_onnx(wrong)
