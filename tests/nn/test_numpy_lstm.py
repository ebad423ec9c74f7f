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


@pytest.mark.parametrize("small", [10**9, 200])
@pytest.mark.parametrize("steps, rows", [(1, 1), (7, 1), (7, 3)])
def test_equations(monkeypatch, steps, rows, small):
    monkeypatch.setattr(numpy_lstm, "SMALL", small)
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


def test_weights_are_put_in_order_once_until_they_change(monkeypatch):
    layer, made, matrix_of = nn.PeepholeLSTM(4, input_size=3), [], numpy_lstm.matrix_of
    layer.initialize()
    inputs, states = mx.nd.random.normal(shape=(5, 2, 3)), layer.begin_state(2)

    def counted(*arguments):
        made.append(1)
        return matrix_of(*arguments)

    monkeypatch.setattr(numpy_lstm, "matrix_of", counted)
    for parameter in (None, *layer.l0.collect_params().values()):
        if parameter is not None:
            parameter.data()[:] += 0.5                                    # in place: the same array of MXNet's
        for _ in range(2):
            outputs, _ = layer(inputs, states)
        values = {name: one.data().asnumpy() for name, one in layer.l0._reg_params.items()}
        expected, _ = equations(inputs.asnumpy(), *(state.asnumpy()[0] for state in states), values)
        np.testing.assert_allclose(outputs.asnumpy(), expected, rtol=0, atol=1e-6)
    assert len(made) == 5                                                 # peepholes are not in the matrix


@pytest.mark.parametrize("threads, rows, shares", [(2, 5, [2, 3]), (4, 2, [1, 1]), (1, 3, [3])])
def test_rows_dealt_out_to_threads(monkeypatch, threads, rows, shares):
    monkeypatch.setattr("gluon_rnn.nn.threads.blas_threads", lambda: threads)
    monkeypatch.setattr("gluon_rnn.nn.threads._ROWS", 1)
    monkeypatch.setattr(numpy_lstm, "_FOR_A_THREAD", 1)
    found = numpy_lstm._shares(rows, 100)
    assert [share.stop - share.start for share in found] == shares and found[-1].stop == rows
    random = np.random.default_rng(0)
    parameters = {name: random.uniform(-0.5, 0.5, shape) for name, shape in [
        ("i2h_weight", (16, 3)), ("h2h_weight", (16, 4)), ("i2h_bias", (16,)), ("h2h_bias", (16,)),
        ("peephole_i", (4,)), ("peephole_f", (4,)), ("peephole_o", (4,))]}
    inputs, h, c = (random.standard_normal(shape) for shape in [(6, rows, 3), (rows, 4), (rows, 4)])
    outputs, finals = numpy_lstm.peephole_lstm(inputs, [h, c], parameters)
    expected, expected_finals = equations(inputs, h, c, parameters)
    for one, other in zip([outputs, *finals], [expected, *expected_finals]):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_an_error_on_a_thread_is_raised(monkeypatch):
    def run(matrix, parameters, inputs, *_):
        if inputs.sum() == 1:                                             # the second row
            raise RuntimeError("from a thread")

    monkeypatch.setattr(numpy_lstm, "_shares", lambda *_: [slice(0, 1), slice(1, 2)])
    monkeypatch.setattr(numpy_lstm, "_run", run)
    parameters = {name: np.zeros(shape) for name, shape in [
        ("i2h_weight", (4, 1)), ("h2h_weight", (4, 1)), ("i2h_bias", (4,)), ("h2h_bias", (4,))]}
    with pytest.raises(RuntimeError, match="from a thread"):
        numpy_lstm.peephole_lstm(np.array([[[0.0], [1.0]]]), [np.zeros((2, 1))] * 2, parameters)
