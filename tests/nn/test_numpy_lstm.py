"""The peephole LSTM written for speed against its equations, step by step, in every way it takes its products."""
import numpy as np
import pytest

import gluon_rnn  # noqa: F401
import mxnet as mx
from gluon_rnn import nn
from gluon_rnn.nn import numpy_lstm


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def equations(inputs, h, c, p):
    """Graves (2013), equations 7 to 11."""
    outputs = []
    for x in inputs:
        a = x @ p["i2h_weight"].T + p["i2h_bias"] + h @ p["h2h_weight"].T + p["h2h_bias"]
        i, f, g, o = np.split(a, 4, axis=1)
        i, f = sigmoid(i + p["peephole_i"] * c), sigmoid(f + p["peephole_f"] * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + p["peephole_o"] * c) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), [h, c]


@pytest.mark.parametrize("few, small", [(10**9, 10**9), (0, 10**9), (0, 200)])
@pytest.mark.parametrize("steps, rows", [(1, 1), (7, 1), (7, 3)])
def test_equations(monkeypatch, steps, rows, few, small):
    monkeypatch.setattr(numpy_lstm, "_FEW", few)
    monkeypatch.setattr(numpy_lstm, "_SMALL", small)
    draw = np.random.default_rng(0).standard_normal
    sizes = {"i2h_weight": (24, 5), "i2h_bias": 24, "h2h_weight": (24, 6), "h2h_bias": 24, "peephole_i": 6,
             "peephole_f": 6, "peephole_o": 6}
    parameters = {name: draw(size) for name, size in sizes.items()}
    inputs, states = draw((steps, rows, 5)), draw((2, rows, 6))
    kept = states.copy()
    outputs, finals = numpy_lstm.peephole_lstm(inputs, list(states), parameters)
    expected, last = equations(inputs, *states, parameters)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(finals, last, rtol=0, atol=1e-12)
    assert np.array_equal(states, kept)


@pytest.mark.parametrize("hidden_size, rows", [(8, 2), (64, 32), (400, 40)])
def test_every_way_that_a_layer_takes_is_one(hidden_size, rows):
    """Few numbers, many of them in NumPy, and so many that a graph is faster: with lengths none of them runs here."""
    layer = nn.PeepholeLSTM(hidden_size, num_layers=2, input_size=5, peephole_initializer=mx.init.Uniform(1.0))
    layer.initialize()
    layer.hybridize(static_alloc=True)
    assert layer.is_fast_in_numpy(rows) is (hidden_size < 400)
    inputs = mx.nd.random.normal(shape=(6, rows, 5))
    states = [mx.nd.random.normal(shape=state.shape) for state in layer.begin_state(rows)]
    outputs, finals = layer(inputs, states)
    expected, last = layer(inputs, states, mx.nd.full((rows,), 6))
    for found, other in zip([outputs, *finals], [expected, *last]):
        np.testing.assert_allclose(found.asnumpy(), other.asnumpy(), rtol=0, atol=5e-6)
