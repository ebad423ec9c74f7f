"""The fused operator of stock Gluon layers in ONNX Runtime, and what ONNX lacks against equations in NumPy.

Float32 answers of two libraries differ by the rounding of each sum; in float64 MXNet is compared exactly, and there
every layer runs by the equations of `recurrent_steps.py`.
"""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import rnn

from gluon_rnn.export.onnx import UnsupportedOperator, convert
from gluon_rnn.export.onnx.check import run
from gluon_rnn.models import NARX, ClosedLoop
from tests.reference import assert_rounded

INPUTS, UNITS = 3, 4
#: roundings on the longest path: 6 steps of 2 layers, each with sums over inputs, both directions and the gates
TERMS = 6 * 2 * (INPUTS + 3 * UNITS + 8)
LAYERS = {"rnn_tanh": lambda **more: rnn.RNN(UNITS, activation="tanh", **more),
          "rnn_relu": lambda **more: rnn.RNN(UNITS, activation="relu", **more),
          "lstm": lambda **more: rnn.LSTM(UNITS, **more), "gru": lambda **more: rnn.GRU(UNITS, **more)}
STATES = {"lstm": ["h", "c"]}


def layer_of(mode, dtype="float32", **more):
    layer = LAYERS[mode](input_size=INPUTS, dtype=dtype, **more)
    layer.initialize(mx.init.Uniform(0.7))                                # biases too
    for name, parameter in layer.collect_params().items():
        if name.endswith("bias"):
            parameter.set_data(mx.nd.random.uniform(-1, 1, shape=parameter.shape, dtype=dtype))
    return layer


def converted(layer, dtype="float32", with_lengths=False):
    """Return the ONNX model of a Gluon layer with its states as inputs."""
    names, size = STATES.get(layer._mode, ["h"]), layer._num_layers * layer._dir
    outputs, finals = layer(mx.sym.var("data"), [mx.sym.var(name) for name in names])
    inputs = {"data": ((*layer._layout[:2], INPUTS), dtype), **dict.fromkeys(names, ((size, "N", UNITS), dtype))}
    symbol = mx.sym.Group([outputs, *finals])
    if with_lengths:
        symbol, inputs["lengths"] = reading_lengths(symbol), (("N",), dtype)
    parameters = {key: parameter.data() for key, parameter in layer.collect_params().items()}
    return convert(symbol, parameters, inputs)


def reading_lengths(symbol):
    """Return the symbol with lengths as an input of its operator: Gluon's layers get it wrong without a cell state."""
    document = json.loads(symbol.tojson())
    count = len(document["nodes"])
    document["nodes"].insert(count - 1, {"op": "null", "name": "lengths", "inputs": []})
    document["arg_nodes"].append(count - 1)
    document["nodes"][-1]["inputs"].append([count - 1, 0, 0])
    document["nodes"][-1]["attrs"]["use_sequence_length"] = "True"
    document["heads"] = [[count, output, 0] for _, output, *_ in document["heads"]]
    return mx.sym.load_json(json.dumps(document))


def arguments(layer, steps, rows, dtype="float32"):
    draw = np.random.RandomState(steps).standard_normal
    shape = (steps, rows, INPUTS) if layer._layout == "TNC" else (rows, steps, INPUTS)
    states = {name: draw((layer._num_layers * layer._dir, rows, UNITS)) for name in STATES.get(layer._mode, ["h"])}
    return {name: value.astype(dtype) for name, value in dict(states, data=draw(shape)).items()}


def of_mxnet(layer, given):
    data, *states = (mx.nd.array(given[name], dtype=given[name].dtype)
                     for name in ["data", *STATES.get(layer._mode, ["h"])])
    outputs, finals = layer(data, states)
    return [outputs.asnumpy(), *(state.asnumpy() for state in finals)]


def operators(graph):
    return [node.op_type for node in graph.node]


@pytest.mark.parametrize("more", [dict(), dict(num_layers=2, bidirectional=True), dict(num_layers=2, layout="NTC")],
                         ids=["plain", "both", "NTC"])
@pytest.mark.parametrize("mode", LAYERS)
def test_stock_layers(mode, more):
    layer = layer_of(mode, **more)
    model = converted(layer)
    count = 2 if mode == "lstm" else 1
    assert operators(model.graph).count(mode.split("_")[0].upper()) == layer._num_layers
    if not more:
        assert operators(model.graph) == [mode.split("_")[0].upper(), "Squeeze"]
    for steps, rows in ((6, 2), (1, 1)):
        given = arguments(layer, steps, rows)
        found = run(model, given)
        assert len(found) == 1 + count
        assert_rounded(found, of_mxnet(layer, given), TERMS)


@pytest.mark.parametrize("mode", LAYERS)
def test_float64_runs_by_the_equations(mode):
    """ONNX Runtime has no recurrent operators in float64, but all that they consist of."""
    layer = layer_of(mode, "float64", num_layers=2, bidirectional=True)
    model, given = converted(layer, "float64"), arguments(layer, 6, 2, "float64")
    assert "Scan" in operators(model.graph)
    # MXNet's relu rounds to float32 there.
    assert_rounded(run(model, given), of_mxnet(layer, given), TERMS, "float32" if mode == "rnn_relu" else "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["rnn_tanh", "lstm", "gru"])
def test_lengths_belong_to_the_operator(mode, dtype):
    """Each row alone is the row of the padded batch, whatever is on the padding; MXNet itself cannot do it on a CPU."""
    layer = layer_of(mode, dtype, num_layers=2, bidirectional=True)
    model, given = converted(layer, dtype, with_lengths=True), arguments(layer, 6, 3, dtype)
    lengths = [6, 1, 3]
    padded = given["data"].copy()
    for row, length in enumerate(lengths):
        padded[length:, row] = np.nan
    outputs, *finals = run(model, dict(given, data=padded, lengths=np.array(lengths, dtype)))
    for row, length in enumerate(lengths):
        alone = {name: value[:, row:row + 1] for name, value in given.items()}
        want = of_mxnet(layer, dict(alone, data=alone["data"][:length]))
        got = [outputs[:length, row:row + 1], *(state[:, row:row + 1] for state in finals)]
        assert_rounded(got, want, TERMS, dtype)
        assert not outputs[length:, row].any()


def test_a_network_with_feedback_as_one_operator():
    """Its linear parts are tiny numbers in a tanh, times large ones: ONNX Runtime's own operator would lose them."""
    block = ClosedLoop(NARX(1, 2, input_size=1, output_size=2))
    block.initialize()
    states = [mx.sym.var("x"), mx.sym.var("y")]
    outputs, finals = block(mx.sym.var("data"), states)
    symbol = mx.sym.Group([outputs, *finals])
    assert "RNN" in [node["op"] for node in json.loads(symbol.tojson())["nodes"]]
    parameters = {parameter.name: parameter.data() for parameter in block.collect_params().values()}
    shapes = {"data": ("T", "N", 1), "x": (1, "N", 1), "y": (2, "N", 2)}
    model = convert(symbol, parameters, {key: (shape, "float32") for key, shape in shapes.items()})
    draw = np.random.RandomState(0).standard_normal
    given = {"data": draw((6, 2, 1)), "x": draw((1, 2, 1)), "y": draw((2, 2, 2))}
    given = {key: value.astype("float32") for key, value in given.items()}
    outputs, finals = block(mx.nd.array(given["data"]), [mx.nd.array(given[key]) for key in "xy"])
    assert_rounded(run(model, given), [outputs, *finals], TERMS)


def test_zeros_to_begin_with_are_left_out():
    layer = layer_of("lstm", num_layers=2)
    symbol = layer(mx.sym.var("data"))
    parameters = {key: parameter.data() for key, parameter in layer.collect_params().items()}
    model = convert(symbol, parameters, {"data": (("T", "N", INPUTS), "float32")})
    assert operators(model.graph) == ["LSTM", "Squeeze"] * 2
    data = np.random.RandomState(0).standard_normal((5, 2, INPUTS)).astype("float32")
    assert_rounded(run(model, {"data": data}), [layer(mx.nd.array(data))], TERMS)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def projected_lstm(data, h, c, parts):
    """Sak, Senior and Beaufays (2014) without peepholes: r = W_r (o * tanh(c)) goes back and out."""
    outputs = []
    for x in data:
        gates = x @ parts["i2h_weight"].T + parts["i2h_bias"] + h @ parts["h2h_weight"].T + parts["h2h_bias"]
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = (sigmoid(o) * np.tanh(c)) @ parts["h2r_weight"].T
        outputs.append(h)
    return np.stack(outputs), h, c


def test_projection():
    """MXNet computes it on GPUs alone; its order of parameters is that of its layer, `h2r` behind `h2h`."""
    size, draw = 2, np.random.RandomState(0).standard_normal
    layer = rnn.LSTM(UNITS, 2, projection_size=size, bidirectional=True, input_size=INPUTS)
    values = {key: draw(parameter.shape) for key, parameter in layer.collect_params().items()}
    outputs, finals = layer(mx.sym.var("data"), [mx.sym.var("h"), mx.sym.var("c")])
    shapes = {"data": ("T", "N", INPUTS), "h": (4, "N", size), "c": (4, "N", UNITS)}
    model = convert(mx.sym.Group([outputs, *finals]), {key: value.astype("float32") for key, value in values.items()},
                    {key: (shape, "float32") for key, shape in shapes.items()})
    given = {"data": draw((5, 3, INPUTS)), "h": draw((4, 3, size)), "c": draw((4, 3, UNITS))}
    data, last = given["data"], []
    for number in range(2):
        found = []
        for place, direction in enumerate("lr"):
            state, sign = 2 * number + place, -1 if place else 1
            parts = {key.split(f"{direction}{number}_")[1]: value for key, value in values.items()
                     if f"_{direction}{number}_" in key}
            ahead, *states = projected_lstm(data[::sign], given["h"][state], given["c"][state], parts)
            found.append(ahead[::sign])
            last.append(states)
        data = np.concatenate(found, axis=2)
    want = [data, *(np.stack(states) for states in zip(*last))]
    assert_rounded(run(model, {key: value.astype("float32") for key, value in given.items()}), want, 2 * TERMS)


def test_what_has_no_translation_is_named():
    layer = layer_of("lstm", state_clip_min=-1, state_clip_max=1, state_clip_nan=False)
    with pytest.raises(UnsupportedOperator, match=r"'RNN' of node 'lstm\d+_rnn0' has lstm_state_clip_min=-1"):
        converted(layer)
    with pytest.raises(UnsupportedOperator, match="'RNN' of node 'lstm.*' computes in float16"):
        converted(layer_of("lstm", "float16"), "float16")
    data, vector, h = (mx.sym.var(name) for name in ("data", "vector", "h"))
    symbol = mx.sym.RNN(data, vector, h, state_size=2, num_layers=1, mode="rnn_tanh", name="made")
    with pytest.raises(UnsupportedOperator, match="'RNN' of node 'made' reads parameters that the graph computes"):
        convert(symbol, {}, {"data": (("T", "N", 1), "float32"), "vector": ((10,), "float32"),
                             "h": ((1, "N", 2), "float32")})
