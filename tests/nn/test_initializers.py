"""Chrono initialisation against its definition and what it is for, orthogonal matrices against theirs."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn, recipes
from gluon_rnn.nn.initializers import ByGate, Chrono, QROrthogonal, as_initializer
from gluon_rnn.parts import build_part
from gluon_rnn.config import Part
from gluon_rnn.registry import encoders
from tests.recipes import RECIPE, changed
from tests.reference import rounding

CHRONO = {"name": "chrono", "max_time": 100}


def biases(layer):
    """Return {gate: bias (H,)} of layer 0."""
    if hasattr(layer, "gate"):
        return {gate: layer.gate("l0_i2h_bias", gate).asnumpy() for gate in layer._layouts[0].gates}
    return dict(zip(layer.l0.gates, np.split(layer.l0.i2h_bias.data().asnumpy(), layer.l0.num_gates)))


def test_gates_of_float64_are_drawn_in_float64():
    """Each gate is orthogonal as far as its digits go; its numbers in float32 would be so to 1e-7."""
    weight = nn.LSTM(6, input_size=6, dtype="float64")
    weight.initialize()
    for gate in np.split(weight.l0_h2h_weight.data().asnumpy(), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(6), rtol=0, atol=rounding("float64", 6 * 6, 1))
    values = mx.nd.zeros((8, 3), dtype="float32")
    ByGate("orthogonal", 2)._init_weight(mx.init.InitDesc("weight"), values)
    assert values.dtype == np.float32 and values.asnumpy().any()


@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "gru", "reset_before_gru"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gates_have_the_biases_of_the_paper(name, dtype):
    layer = build_part("model.encoder", encoders, Part(name=name, hidden_size=400, input_size=1, dtype=dtype,
                                                       h2h_weight_initializer="zeros", i2h_bias_initializer=CHRONO))
    layer.initialize(nn.OwnDefaults())
    found = biases(layer)
    memory = found.pop("f" if "lstm" in name else "z")
    assert memory.min() >= 0 and memory.max() <= np.log(99) + rounding("float32", 4, 5)
    # exp of it is uniform: the distance of the distribution functions is above this once in 10^6 (Kolmogorov-Smirnov)
    drawn = np.sort((np.exp(memory) - 1) / 98)
    assert np.abs(drawn - np.linspace(0, 1, 400)).max() < 2.7 / np.sqrt(400)
    if "lstm" in name:
        np.testing.assert_array_equal(found.pop("i"), -memory)
    assert not any(other.any() for other in found.values())


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU])
def test_a_state_is_kept_for_about_so_many_steps(cls):
    """A pulse in the state decays by U / (1 + U) a step where weights are 0: after 200 steps chrono has some left."""
    left = []
    for bias in ("zeros", {"name": "chrono", "max_time": 1000}):
        layer = cls(50, input_size=1, i2h_weight_initializer="zeros", h2h_weight_initializer="zeros",
                    i2h_bias_initializer=bias)
        layer.initialize()
        states = [mx.nd.ones(state.shape) for state in layer.begin_state(1)]
        _, states = layer(mx.nd.zeros((200, 1, 1)), states)
        left.append(float(states[-1].mean().asscalar()))
    gate = "f" if cls is nn.LSTM else "z"
    time = np.exp(biases(layer)[gate].astype("float64"))
    assert left[0] < 1e-10
    assert left[1] == pytest.approx(np.mean((time / (1 + time)) ** 200), rel=1e-3)   # 200 float32 products
    assert left[1] > 0.3


def test_a_recipe_takes_it():
    config = changed(RECIPE, {"model.encoder.i2h_bias_initializer": CHRONO, "data.sentences": 200})
    encoder = recipes.build_task(config).model.encoder
    encoder.initialize()
    assert biases(encoder)["f"].max() > 1


@pytest.mark.parametrize("make, message", [
    (lambda: nn.RNN(3, i2h_bias_initializer=CHRONO), "chrono initialises i2h_bias of an LSTM or GRU"),
    (lambda: Chrono(2), "expects a max_time above 2"),
    (lambda: as_initializer({"max_time": 5}), "expected an initializer by its name"),
    (lambda: as_initializer({"name": "chrono", "steps": 5}), "unknown initializer 'chrono'"),
    (lambda: as_initializer("chron"), "unknown initializer 'chron'"),
    (lambda: Chrono(5)._init_weight("x", mx.nd.zeros(8)), "does not know the gates")])
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonal_matrices_keep_norms(shape, dtype):
    matrix = mx.nd.zeros(shape, dtype=dtype)
    QROrthogonal(scale=2.0)._init_weight("weight", matrix)
    matrix = matrix.asnumpy()
    product = matrix @ matrix.T if shape[0] <= shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(min(shape)), rtol=0, atol=4 * rounding(dtype, 9))


def test_all_orthogonal_matrices_are_equally_likely():
    """Then the trace has mean 0 and variance 1; where the signs of R stay, its mean is far from 0."""
    traces = []
    for _ in range(1000):
        matrix = mx.nd.zeros((3, 3))
        QROrthogonal()._init_weight("weight", matrix)
        traces.append(np.trace(matrix.asnumpy()))
    # five standard errors: 1 / sqrt(1000) of the mean; the fourth moment of the trace is 3, so sqrt(2 / 1000)
    assert abs(np.mean(traces)) < 5 / np.sqrt(1000)
    assert abs(np.var(traces) - 1) < 5 * np.sqrt(2 / 1000)


def test_each_gate_of_a_layer_is_orthogonal_by_default():
    layer = nn.LSTM(5, input_size=3)
    layer.initialize()
    for gate in "ifgo":
        weight = layer.gate("l0_h2h_weight", gate).asnumpy()
        np.testing.assert_allclose(weight @ weight.T, np.eye(5), rtol=0, atol=rounding("float32", 5))
