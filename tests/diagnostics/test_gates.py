"""Shares of shut and open gates of networks whose gates are known: from biases, and from equations in NumPy."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import NotRecurrentError, gate_saturation
from gluon_rnn.nn import GRU, LSTM, RNN, Chain
from gluon_rnn.registry import encoders

SHUT, BETWEEN, OPEN = -4.0, 0.5, 4.0                                      # sigmoids 0.018, 0.62 and 0.982
LSTM_BIASES = {"i": [SHUT, SHUT, BETWEEN, OPEN], "f": [OPEN, OPEN, OPEN, BETWEEN], "o": [SHUT, BETWEEN, BETWEEN, SHUT]}
GRU_BIASES = {"r": [SHUT, OPEN, OPEN, OPEN], "z": [BETWEEN, BETWEEN, SHUT, SHUT]}
NAMES = {"i": "input", "f": "forget", "o": "output", "r": "reset", "z": "update"}


def sigmoid(values):
    return 1 / (1 + np.exp(-np.asarray(values)))


@pytest.mark.parametrize("kind, biases", [(LSTM, LSTM_BIASES), (GRU, GRU_BIASES)])
def test_gates_that_biases_alone_decide(kind, biases):
    block, x = kind(4, input_size=2), mx.nd.random.normal(shape=(5, 3, 2))
    block.initialize()
    for values in block.parts().values():
        values[:] = 0
    for gate, values in biases.items():
        block.gate("l0_i2h_bias", gate)[:] = mx.nd.array(values)
    found = gate_saturation(block, lambda: block(x))
    for gate, values in biases.items():
        name = f"layer 1 {NAMES[gate]}"
        np.testing.assert_array_equal(found.shut[name], np.equal(values, SHUT))
        np.testing.assert_array_equal(found.open[name], np.equal(values, OPEN))
        np.testing.assert_allclose(found.mean[name], sigmoid(values), rtol=1e-6)


def test_gates_of_a_trained_kind_against_equations():
    """The second layer of an LSTM, rows of unequal lengths: the equations of `gluon_rnn.nn.fused` in NumPy."""
    block, lengths = LSTM(3, 2, input_size=2, dtype="float64"), [6, 2]
    block.initialize(mx.init.Uniform(3.0))
    x = mx.nd.random.normal(shape=(6, 2, 2), dtype="float64")
    weights = {name: values.asnumpy() for name, values in block.parts().items()}
    gates = {"i": [], "f": [], "o": []}
    for row, length in enumerate(lengths):
        inputs = x.asnumpy()[:length, row]
        for layer in range(2):
            h, c, outputs = np.zeros(3), np.zeros(3), []
            for step in inputs:
                a = (weights[f"l{layer}_i2h_weight"] @ step + weights[f"l{layer}_i2h_bias"]
                     + weights[f"l{layer}_h2h_weight"] @ h + weights[f"l{layer}_h2h_bias"])
                i, f, g, o = np.split(a, 4)
                i, f, o = map(sigmoid, (i, f, o))
                c = f * c + i * np.tanh(g)
                h = o * np.tanh(c)
                outputs.append(h)
                for name, value in (("i", i), ("f", f), ("o", o)):
                    if layer:
                        gates[name].append(value)
            inputs = outputs
    found = gate_saturation(block, lambda: block(x, None, mx.nd.array(lengths, dtype="float64")))
    for name, values in gates.items():
        values, name = np.array(values), f"layer 2 {NAMES[name]}"
        np.testing.assert_allclose(found.shut[name], (values < 0.1).mean(axis=0))
        np.testing.assert_allclose(found.open[name], (values > 0.9).mean(axis=0))
        np.testing.assert_allclose(found.mean[name], values.mean(axis=0))


@pytest.mark.parametrize("name", ["peephole_lstm", "projected_lstm", "layer_norm_lstm", "zoneout_lstm", "zoneout_gru",
                                  "reset_before_gru"])
def test_every_gated_encoder_has_its_gates(name):
    block = encoders.get(name)(3, 2, input_size=2)
    block.initialize()
    found = gate_saturation(block, lambda: block(mx.nd.ones((4, 2, 2))))
    gates = ["forget", "input", "output"] if "lstm" in name else ["reset", "update"]
    assert list(found.mean) == [f"layer {layer} {gate}" for layer in (1, 2) for gate in gates]


def test_layers_without_gates_are_passed_over():
    block = Chain([RNN(3, activation="sigmoid", input_size=2), GRU(2)])
    block.initialize()
    found = gate_saturation(block, lambda: block(mx.nd.ones((4, 2, 2))))
    assert list(found.mean) == ["layer 2 reset", "layer 2 update"]
    assert found.summary().startswith("layer 2 reset gate: 0% below 0.1, ") and len(found.table()) == 2


def test_what_is_refused():
    block = RNN(3, input_size=2)
    block.initialize()
    with pytest.raises(NotRecurrentError, match="RNN has no gates; their saturation is left out"):
        gate_saturation(block, lambda: block(mx.nd.ones((4, 2, 2))))
    with pytest.raises(ValueError, match="the run did not call the encoder GRU"):
        gate_saturation(GRU(3), lambda: None)
