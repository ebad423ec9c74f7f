"""Skip connections through time against the equation in NumPy, central differences and the Elman network."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import gradient_through_time
from gluon_rnn.nn import RNN, Skip, SkipCell
from tests.gradients import assert_central_differences
from tests.reference import EXACT, sigmoid

FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": sigmoid}


def make(delays=(1, 4), activation="tanh", **options):
    layer = Skip(4, input_size=3, delays=delays, activation=activation, dtype="float64", **options)
    layer.initialize(mx.init.Uniform(0.5))
    for parameter in layer.collect_params().values():                     # biases too
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype="float64"))
    return layer


def by_the_equation(layer, inputs, past):
    """Return h_1, ..., h_T (T, 4) of one row; `past` is h_0, h_{-1}, ... (D, 4)."""
    weight = {name: parameter.data().asnumpy() for name, parameter in layer.l0._reg_params.items()}
    blocks = np.split(weight["h2h_weight"], len(layer.l0.delays), axis=1)
    known = list(past[::-1])
    for x in inputs:
        a = weight["i2h_weight"] @ x + weight["i2h_bias"] + weight["h2h_bias"]
        known.append(FUNCTIONS[layer.l0._activation](
            a + sum(block @ known[-delay] for block, delay in zip(blocks, layer.l0.delays))))
    return np.array(known[len(past):])


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("delays, activation", [((1, 4), "tanh"), ((3,), "sigmoid"), ((1, 2, 3), "relu")])
def test_equation(delays, activation, fused, hybrid):
    layer = make(delays, activation)
    assert layer.loops == (activation == "relu")                          # which is not fused in float64
    layer._fused = fused and not layer.loops
    if hybrid:
        layer.hybridize()
    inputs, longest = mx.nd.random.normal(shape=(7, 3, 3), dtype="float64"), max(delays)
    states = [mx.nd.random.normal(shape=(1, 3, 4), dtype="float64") for _ in range(longest)]
    lengths, past = [7, 2, 0], np.stack([state.asnumpy()[0] for state in states])
    outputs, finals = layer(inputs, states, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        want = by_the_equation(layer, inputs.asnumpy()[:length, row], past[:, row])
        np.testing.assert_allclose(outputs.asnumpy()[:length, row], want.reshape(length, 4), **EXACT)
        newest_first = np.concatenate([past[::-1, row], want.reshape(length, 4)])[::-1][:longest]
        np.testing.assert_allclose([state.asnumpy()[0, row] for state in finals], newest_first, **EXACT)


def test_a_delay_of_one_step_is_the_elman_network():
    layer, plain = make((1,)), RNN(4, input_size=3, dtype="float64")
    plain.initialize()
    for name, parameter in layer.l0._reg_params.items():
        plain._reg_params[f"l0_{name}"].set_data(parameter.data())
    inputs = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64")
    np.testing.assert_allclose(layer(inputs).asnumpy(), plain(inputs).asnumpy(), **EXACT)


@pytest.mark.parametrize("fused", [False, True])
def test_gradients_are_central_differences(fused):
    layer = make((1, 3), num_layers=2)
    layer._fused = fused
    inputs = mx.nd.random.normal(shape=(5, 2, 3), dtype="float64")
    states = [mx.nd.random.normal(shape=(2, 2, 4), dtype="float64") for _ in range(3)]
    lengths = mx.nd.array([5, 2])

    def call():
        outputs, finals = layer(inputs, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *states])


def test_a_state_is_as_large_as_with_one_delay():
    layer = Skip(6, input_size=2, delays=(1, 2, 5))
    layer.initialize()
    weight = layer.l0.h2h_weight.data().asnumpy()
    np.testing.assert_allclose(weight @ weight.T, np.eye(6), atol=1e-5)           # float32


@pytest.mark.parametrize("delay", [1, 4])
def test_a_gradient_takes_a_step_for_each_delay(delay):
    """Of h_t = w h_{t-d} + x_t the gradient by lag k is w^(k/d), where d divides k, and 0 elsewhere."""
    layer = Skip(1, input_size=1, delays=[delay], activation="identity", dtype="float64")
    layer.initialize()
    layer.l0.i2h_weight.set_data(mx.nd.ones((1, 1)))
    layer.l0.h2h_weight.set_data(mx.nd.full((1, 1), 0.5))
    x = mx.nd.ones((12, 2, 1), dtype="float64")
    found = gradient_through_time(layer, lambda: layer(x).sum())
    assert list(found.norms) == ["layer 1 h"]
    lags = np.arange(12)
    want = np.where(lags % delay == 0, 0.5 ** (lags / delay), 0)
    np.testing.assert_allclose(found.norms["layer 1 h"], np.stack([want, want], axis=1), rtol=1e-14)


@pytest.mark.parametrize("delays", [(), (0, 1), (1, 1), (1, 2.5), 3, (True, 2)])
def test_delays_that_are_none_are_refused(delays):
    with pytest.raises(ValueError, match="delays must be different whole numbers of steps of at least 1"):
        Skip(4, delays=delays)


def test_a_cell_of_gluons():
    """A Gluon unroll of the cell, with states given, is the layer."""
    layer, cell = make((1, 2)), SkipCell(4, 3, delays=(1, 2))
    cell.initialize()
    cell.cast("float64")
    for name, parameter in layer.l0._reg_params.items():
        cell._reg_params[name].set_data(parameter.data())
    inputs = mx.nd.random.normal(shape=(5, 2, 3), dtype="float64")
    outputs, _ = cell.unroll(5, inputs, layout="TNC", merge_outputs=True)
    np.testing.assert_allclose(outputs.asnumpy(), layer(inputs).asnumpy(), **EXACT)


def test_only_small_networks_run_without_a_loop():
    assert not Skip(32, delays=(1, 3)).loops and Skip(32, delays=(1, 40)).loops
    assert Skip(32, delays=(1, 3)).fused_size == 4 * 32                   # h, and h of three steps
    assert Skip(4, activation="softsign").loops and not Skip(4, activation="relu").loops
