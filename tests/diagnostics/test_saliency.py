"""Attributions against closed forms: linear networks, squares; completeness on an LSTM; a step that has none."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import input_saliency
from gluon_rnn.nn import LSTM, RNN


@pytest.fixture
def inputs():
    return mx.nd.random.uniform(0.1, 1, shape=(6, 2, 3))


def test_a_linear_recurrent_network_in_closed_form(inputs):
    """With weights, inputs and states above 0 a ReLU is the identity: by x_t it is v' U^(T-t) W, whatever the path."""
    layer = RNN(4, activation="relu", input_size=3)
    layer.initialize(mx.init.Uniform(0.5))
    for parameter in layer.collect_params().values():
        values = parameter.data()
        parameter.set_data(values.abs() if "weight" in parameter.name else 0 * values)
    w, u = (layer.collect_params()[f"{layer.prefix}l0_{name}_weight"].data().asnumpy().astype(float)
            for name in ("i2h", "h2h"))
    v = np.array([1.0, -2, 3, 0.5])
    found = input_saliency(lambda x: mx.nd.dot(layer(x)[-1], mx.nd.array(v)), inputs)
    x = inputs.asnumpy()
    expected = np.stack([x[t] * (v @ np.linalg.matrix_power(u, 5 - t) @ w) for t in range(6)])
    # Sums of 40 products in float32, forward and backward.
    np.testing.assert_allclose(found.gradient_input, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.integrated, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.answers, expected.sum(axis=(0, 2)), rtol=1e-5)
    assert found.complete and found.points == 8 and not found.baseline_answers.any()


def test_squares_and_cubes(inputs):
    """The integral of 3 (a x)^2 x over a is x^3: a third of gradient times input. Gauss and Legendre's is exact."""
    x = inputs.asnumpy().astype(float)
    found = input_saliency(lambda x: (x ** 3).sum(axis=(0, 2)), inputs)
    np.testing.assert_allclose(found.integrated, x ** 3, rtol=1e-5)
    np.testing.assert_allclose(found.gradient_input, 3 * x ** 3, rtol=1e-5)


def test_a_baseline(inputs):
    """Of x^2 from b to x it is (x - b) (x + b)."""
    x, baseline = inputs.asnumpy().astype(float), mx.nd.array([[[0.5, -1, 2]]])
    found = input_saliency(lambda x: (x ** 2).sum(axis=(0, 2)), inputs, baseline)
    np.testing.assert_allclose(found.integrated, x ** 2 - baseline.asnumpy() ** 2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.baseline_answers, 6 * (0.25 + 1 + 4), rtol=1e-6)


def test_an_lstm_is_complete_and_rows_are_apart(inputs):
    layer = LSTM(5, input_size=3)
    layer.initialize(mx.init.Normal(1.0))
    found = input_saliency(lambda x: layer(5 * x)[-1].sum(axis=1), inputs, tolerance=1e-5)
    assert (found.gap < 1e-5).all() and found.points < 64
    np.testing.assert_allclose(found.integrated.sum(axis=(0, 2)), found.answers - found.baseline_answers, atol=1e-4)
    assert np.abs(found.integrated - found.gradient_input).max() > 1e-2      # it is not linear
    alone = input_saliency(lambda x: layer(5 * x)[-1].sum(axis=1), inputs[:, 1:], tolerance=1e-5)
    np.testing.assert_allclose(alone.integrated[:, 0], found.integrated[:, 1], atol=1e-4)


def test_a_jump_cannot_be_attributed(inputs):
    """A step has no gradient anywhere, so that its jump is missed."""
    found = input_saliency(lambda x: 0.1 * x.sum(axis=(0, 2)) + (x.sum(axis=(0, 2)) > 1), inputs)
    assert not found.complete and found.points == 64 and (found.gap > 0.3).all()
