"""Gradients written out in NumPy against MXNet's autograd and, independently of it, central differences."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.models import AR, NARX, lag_gradients
from gluon_rnn.nn.checks import ACTIVATIONS
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from tests.gradients import assert_slopes

MODELS = {
    "linear": dict(input_lag=1, output_lag=2, hidden_sizes=()),
    "two layers": dict(input_lag=0, output_lag=1, hidden_sizes=(5, 3)),
    "skip": dict(input_lag=2, output_lag=3, hidden_sizes=(4,), skip=True),
    "dead time, many": dict(input_lag=1, output_lag=2, hidden_sizes=(4,), input_delay=3, input_size=2, output_size=3),
    "no inputs": dict(input_lag=0, output_lag=2, hidden_sizes=(4,), input_size=0, output_size=2, skip=True),
}


def made(cls=NARX, washout=0, length=7, seed=0, **options):
    """Return a model in float64, all of its parameters random, its loss, and a batch of three recordings."""
    mx.random.seed(seed)
    np.random.seed(seed)
    normal = mx.init.Normal(0.6)
    model = cls(**options, dtype="float64", weight_initializer=normal, bias_initializer=normal)
    model.initialize()
    washout = washout or model.memory
    inputs = mx.nd.random.normal(shape=(washout + length, 3, model.input_size + model.output_size), dtype="float64")
    return model, SeriesLoss(model, washout, length), inputs


def by_autograd(graph, inputs):
    with autograd.record():
        loss = graph(inputs)
    loss.backward()
    return loss.asscalar(), {p: p.grad().asnumpy() for p in graph.collect_params().values()}


def assert_equal(graph, inputs):
    loss, gradients = graph.loss_and_gradients(inputs)
    expected, slopes = by_autograd(graph, inputs)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert set(gradients) == set(slopes)
    for parameter, slope in slopes.items():
        np.testing.assert_allclose(gradients[parameter], slope, rtol=1e-9, atol=1e-11 * abs(slope).max())


@pytest.mark.parametrize("name", MODELS)
def test_models_equal_autograd(name):
    _, graph, inputs = made(**MODELS[name])
    assert_equal(graph, inputs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_equal_autograd(activation):
    _, graph, inputs = made(input_lag=1, output_lag=1, hidden_sizes=(4, 3), activation=activation)
    assert_equal(graph, inputs)


def test_ar_a_longer_and_a_shorter_washout():
    for washout in (1, 3, 6):   # the model's memory is 3: before the first row outputs are 0
        _, graph, inputs = made(AR, washout, output_lag=3, output_size=2)
        assert_equal(graph, inputs)


def test_blocks_of_samples_add_up(monkeypatch):
    _, graph, inputs = made(length=20, **MODELS["skip"])
    monkeypatch.setattr(lag_gradients, "LAG_BLOCK", 70)   # 20 * 3 samples in blocks of 70 // 6 = 11
    assert_equal(graph, inputs)


def test_central_differences():
    model, graph, inputs = made(**MODELS["skip"])
    _, gradients = graph.loss_and_gradients(inputs)
    assert_slopes(lambda: graph(inputs), {p.name: (p.data(), gradient) for p, gradient in gradients.items()})


def test_others_are_left_to_autograd(monkeypatch):
    model, graph, inputs = made(**MODELS["linear"])
    assert SeriesLoss(model, model.memory, 7, "closed_loop").loss_and_gradients(inputs) is None
    half = NARX(1, 1, (4,), dtype="float16")
    assert SeriesLoss(half, 1, 7).loss_and_gradients(mx.nd.ones((8, 3, 2), dtype="float16")) is None
    monkeypatch.setattr("gluon_rnn.tasks.forecasting.loss._FEW", 4 * 3 * 7 - 1)
    assert graph.loss_and_gradients(inputs) is not None
    _, large, inputs = made(input_lag=1, output_lag=1, hidden_sizes=(4,))
    assert large.loss_and_gradients(inputs) is None
