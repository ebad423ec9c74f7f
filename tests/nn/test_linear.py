"""QRNN, SRU, MinGRU, MinLSTM and LRU against NumPy loops written from the papers, and central differences.

Tests `linear_layers.py` and `lru.py` too.
"""
import math

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.nn.initializers import GateBias
from gluon_rnn.nn.lru import RingDecay, RingPhase
from gluon_rnn.registry import encoders
from tests.gradients import assert_central_differences
from tests.reference import EXACT, sigmoid

H, C, T, N = 4, 3, 6, 4
CASES = [("qrnn", {}), ("qrnn", {"window": 3}), ("sru", {}), ("min_gru", {}), ("min_lstm", {}), ("lru", {})]


def make(name, layers=1, **options):
    layer = encoders.build(name, hidden_size=H, num_layers=layers, input_size=C, dtype="float64", **options)
    layer.initialize()
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.7, 0.7, shape=parameter.shape, dtype="float64"))
    return layer


def random_states(layer, batch):
    return [mx.nd.random.normal(shape=info["shape"], dtype="float64") for info in layer.state_info(batch)]


# ---- the papers' equations for one row: x (T, C), the state before; they return outputs (T, H) and the last state ----

def affine(p, name, x):
    return x @ p[f"{name}_weight"].T + p[f"{name}_bias"]


def qrnn(p, x, c, before=()):
    """Equations 1 and 4; the convolution sees the inputs `before` the first step."""
    window = len(before) + 1
    padded = np.concatenate([before, x]) if window > 1 else x
    outputs = []
    for t in range(len(x)):
        seen = np.concatenate([padded[t + window - 1 - delay] for delay in range(window)])
        z, f, o = np.tanh(affine(p, "z", seen)), sigmoid(affine(p, "f", seen)), sigmoid(affine(p, "o", seen))
        c = f * c + (1 - f) * z
        outputs.append(o * c)
    return outputs, c, padded[len(x):]


def sru(p, x, c):
    outputs = []
    for x_t in x:
        f, r = sigmoid(affine(p, "f", x_t)), sigmoid(affine(p, "r", x_t))
        c = f * c + (1 - f) * affine(p, "c", x_t)
        beside = p["x_weight"] @ x_t if "x_weight" in p else x_t
        outputs.append(r * c + (1 - r) * math.sqrt(3) * beside)
    return outputs, c


def min_gru(p, x, h):
    outputs = []
    for x_t in x:
        z = sigmoid(affine(p, "z", x_t))
        h = (1 - z) * h + z * affine(p, "h", x_t)
        outputs.append(h)
    return outputs, h


def min_lstm(p, x, h):
    outputs = []
    for x_t in x:
        f, i = sigmoid(affine(p, "f", x_t)), sigmoid(affine(p, "i", x_t))
        h = f / (f + i) * h + i / (f + i) * affine(p, "h", x_t)
        outputs.append(h)
    return outputs, h


def lru(p, x, h):
    """Orvieto et al. (2023), equations 5 to 7, in complex numbers."""
    h = h[::2] + 1j * h[1::2]
    factor = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    gamma = np.exp(p["gamma"]) * np.sqrt(1 - np.abs(factor) ** 2)
    b = p["b_weight"][::2] + 1j * p["b_weight"][1::2]
    c = p["c_weight"][:, ::2] - 1j * p["c_weight"][:, 1::2]
    outputs = []
    for x_t in x:
        h = factor * h + gamma * (b @ x_t)
        y = (c @ h).real + p["d_weight"] @ x_t
        outputs.append(affine(p, "value", y) * sigmoid(affine(p, "gate", y)))
    return outputs, np.stack([h.real, h.imag], axis=1).ravel()


def run_row(name, layer, x, states):
    """Return outputs (T, H) of one row and its last states, without the axis of the batch."""
    firsts, windows = [], []
    for number in range(layer.num_layers):
        p = {key[len("l0_"):]: parameter.data().asnumpy() for key, parameter in layer._reg_params.items()
             if key.startswith(f"l{number}_")}
        x, last, *window = globals()[name](p, x, states[0][number], *(state for state in states[1 + number:2 + number]))
        x = np.array(x).reshape(-1, H)
        firsts.append(last)
        windows += window if len(states) > 1 else []
    return x, [np.stack(firsts), *windows]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name, options", CASES)
def test_equations(name, options, layers, hybrid):
    layer, lengths = make(name, layers, **options), [T, 4, 1, 0]
    if hybrid:
        layer.hybridize()
    inputs, states = mx.nd.random.normal(shape=(T, N, C), dtype="float64"), random_states(layer, N)
    outputs, finals = layer(inputs, states, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        want, want_states = run_row(name, layer, inputs.asnumpy()[:length, row],
                                    [state.asnumpy()[:, row] for state in states])
        np.testing.assert_allclose(outputs.asnumpy()[:length, row], want, **EXACT)
        assert not outputs.asnumpy()[length:, row].any()
        for got, expected in zip(finals, want_states):
            np.testing.assert_allclose(got.asnumpy()[:, row], expected, **EXACT)


@pytest.mark.parametrize("lengths", [None, [3, 1]])
@pytest.mark.parametrize("name, options", CASES)
def test_gradients_are_central_differences(name, options, lengths):
    layer = make(name, 2, **options)
    layer.hybridize()                                                     # a tenth of the time
    inputs, states = mx.nd.random.normal(shape=(3, 2, C), dtype="float64"), random_states(layer, 2)
    lengths = None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = layer(inputs, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *states])


def test_saturated_gates_of_a_min_lstm_are_no_division_of_zeros():
    layer = make("min_lstm")
    for gate, bias in (("f", -2000.0), ("i", -2003.0)):                   # both underflow; f / (f + i) = sigma(3)
        layer._reg_params[f"l0_{gate}_bias"].set_data(mx.nd.full((H,), bias, dtype="float64"))
        layer._reg_params[f"l0_{gate}_weight"].set_data(mx.nd.zeros((H, C), dtype="float64"))
    _, (h,) = layer(mx.nd.zeros((1, 1, C), dtype="float64"), [mx.nd.ones((1, 1, H), dtype="float64")])
    bias = layer._reg_params["l0_h_bias"].data().asnumpy()
    np.testing.assert_allclose(h.asnumpy()[0, 0], sigmoid(3.0) + (1 - sigmoid(3.0)) * bias, **EXACT)


@pytest.mark.parametrize("name", ["qrnn", "sru", "min_gru", "min_lstm"])
def test_forget_bias_is_what_is_kept_at_the_beginning(name):
    """Without inputs a state shrinks by sigma(forget_bias) at each step."""
    layer = encoders.build(name, hidden_size=H, input_size=C, forget_bias=2.0, dtype="float64")
    layer.initialize()
    _, (state,) = layer(mx.nd.zeros((5, 1, C), dtype="float64"), [mx.nd.ones((1, 1, H), dtype="float64")])
    np.testing.assert_allclose(state.asnumpy(), sigmoid(2.0) ** 5, **EXACT)


def test_chrono_biases_span_the_times():
    layer = nn.MinGRU(1000, input_size=1, forget_bias={"name": "chrono", "max_time": 101.0})
    layer.initialize()
    spans = np.exp(-layer.l0_z_bias.data().asnumpy())
    assert 1 <= spans.min() < 2 and 98 < spans.max() <= 100.01 and abs(spans.mean() - 50.5) < 4


@pytest.mark.parametrize("value", [True, "chrono", {"name": "chrono"}, {"name": "normal", "max_time": 5}])
def test_other_forget_biases_are_refused(value):
    with pytest.raises(ValueError, match="forget_bias must be a number or"):
        GateBias(value)


def test_the_numbers_of_an_lru_begin_on_the_ring():
    nu, theta = (mx.nd.zeros((4000,)) for _ in range(2))
    RingDecay(0.5, 0.9)._init_weight(None, nu)
    RingPhase(1.0)._init_weight(None, theta)
    radius, phase = np.exp(-np.exp(nu.asnumpy())), np.exp(theta.asnumpy())
    assert 0.5 <= radius.min() < 0.51 and 0.89 < radius.max() < 0.90001
    assert phase.min() > 0 and phase.max() < 1.00001
    assert abs((radius < math.sqrt((0.25 + 0.81) / 2)).mean() - 0.5) < 0.04  # half of the ring's area lies within this
    assert abs((phase < 0.5).mean() - 0.5) < 0.04


def test_gamma_keeps_the_size_of_the_states():
    """White noise of variance 1 drives states of variance 1, however slowly a unit forgets."""
    layer = nn.LRU(3, input_size=1, r_min=0.9, r_max=0.95, dtype="float64")
    layer.initialize()
    layer.l0_b_weight.set_data(mx.nd.array([[1], [0]] * 3, dtype="float64"))
    inputs = mx.nd.random.normal(shape=(200, 2000, 1), dtype="float64")
    _, (state,) = layer(inputs, layer.begin_state(2000))
    pairs = state.asnumpy()[0].reshape(2000, 3, 2)
    np.testing.assert_allclose((pairs ** 2).sum(axis=2).mean(axis=0), 1, atol=0.15)


@pytest.mark.parametrize("options, message", [({"r_min": 0.9, "r_max": 0.5}, "0 <= r_min < r_max <= 1"),
                                              ({"max_phase": 7.0}, "max_phase above 0")])
def test_rings_that_are_none_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        nn.LRU(3, **options)


def test_a_window_needs_the_size_of_inputs_for_its_states():
    layer = nn.QRNN(3, window=2)
    with pytest.raises(ValueError, match="needs its input size"):
        layer.begin_state(1)
    with pytest.raises(ValueError, match="window"):
        nn.QRNN(3, window=0)
