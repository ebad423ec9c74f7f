"""Prediction in open loop, n steps ahead and in free run against loops written by hand."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference import predict
from gluon_rnn.inference.simulate import free_run, make_run, regroup, rows_of_anchors
from gluon_rnn.models import AR, NARX


def make(layout="TNC"):
    return randomised(NARX(1, 3, (4,), input_delay=1, input_size=2, output_size=2, dtype="float64", layout=layout))


def randomised(model):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype="float64"))
    return model


def record(steps=12, rows=2):
    return [mx.nd.random.normal(shape=(steps, rows, 2), dtype="float64") for _ in range(2)]


def by_hand(model, u, y, n, washout=3):
    """y_t = W_2 tanh(W_x [u_{t-1}, u_{t-2}] + W_y [y_{t-1}, y_{t-2}, y_{t-3}] + b) + b_2, re-anchored at every n."""
    p = {name: parameter.data().asnumpy() for name, parameter in model._reg_params.items()}
    u, y = u.asnumpy(), y.asnumpy()
    outputs = np.zeros((len(u) - washout, *y.shape[1:]))
    for row in range(y.shape[1]):
        for t in range(washout, len(u)):
            if (t - washout) % n == 0:
                fed_back = list(y[:t, row])
            x, lags = np.concatenate(u[[t - 1, t - 2], row]), np.concatenate(fed_back[:-4:-1])
            value = p["h2_weight"] @ np.tanh(p["x_weight"] @ x + p["y_weight"] @ lags + p["bias"]) + p["h2_bias"]
            outputs[t - washout, row] = value
            fed_back.append(value)
    return outputs


@pytest.mark.parametrize("steps_ahead", [1, 2, 4, 9, 20, None])
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_is_the_loop_by_hand(steps_ahead, layout):
    model, (u, y) = make(layout), record()
    given = [u, y] if layout == "TNC" else [u.swapaxes(0, 1), y.swapaxes(0, 1)]
    predictions = predict(model, *given, steps_ahead=steps_ahead)
    predictions = predictions if layout == "TNC" else predictions.swapaxes(0, 1)
    np.testing.assert_allclose(predictions.asnumpy(), by_hand(model, u, y, steps_ahead or 99), rtol=0, atol=1e-10)


def test_one_step_ahead_by_anchors_is_open_loop():
    model, (u, y) = make(), record()
    run = make_run(model, u, y, 1, None, None)
    block, inputs, states = rows_of_anchors(model, [run], 1)
    got, = regroup([run], block, free_run(model, inputs, states))
    np.testing.assert_allclose(got.asnumpy(), predict(model, u, y).asnumpy(), rtol=0, atol=1e-12)


def test_free_run_needs_no_more_than_the_first_measured_outputs():
    model, (u, y) = make(), record()
    want = predict(model, u, y, steps_ahead=None).asnumpy()
    np.testing.assert_array_equal(predict(model, u, y[:3], steps_ahead=None).asnumpy(), want)
    np.testing.assert_array_equal(predict(model, u, y[:3], steps_ahead=None, horizon=4).asnumpy(), want[:4])


def test_the_first_prediction_of_all_modes_is_one():
    model, (u, y) = make(), record()
    first = [predict(model, u, y, steps_ahead, washout=5, horizon=1).asnumpy() for steps_ahead in (1, 3, None)]
    for other in first[1:]:
        np.testing.assert_allclose(other, first[0], rtol=0, atol=1e-12)


def test_open_loop_predicts_one_step_past_the_record():
    model, (u, y) = make(), record()
    np.testing.assert_array_equal(predict(model, u, y[:11]).asnumpy(), predict(model, u, y).asnumpy())


@pytest.mark.parametrize("steps_ahead,n", [(1, 1), (3, 3), (None, 99)])
def test_ar_forecasts_past_its_record(steps_ahead, n):
    model = randomised(AR(2, dtype="float64"))
    y = mx.nd.random.normal(shape=(6, 1, 1), dtype="float64")
    horizon = 5 if steps_ahead == 1 else 6
    (w1, w2), bias, values = model.y_weight.data().asnumpy()[0], model.bias.data().asscalar(), y.asnumpy().ravel()
    expected = []
    for k in range(horizon):
        if k % n == 0:
            fed_back = list(values[:2 + k])
        fed_back.append(bias + w1 * fed_back[-1] + w2 * fed_back[-2])
        expected.append(fed_back[-1])
    got = predict(model, None, y, steps_ahead, horizon=horizon).asnumpy().ravel()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


U, Y = mx.nd.ones((12, 1, 2), dtype="float64"), mx.nd.ones((12, 1, 2), dtype="float64")


@pytest.mark.parametrize("call,message", [
    (lambda m: predict(m, U, Y[:2], None), "y_init has 2 steps but output_lag is 3; pass at least the last 3 measured"),
    (lambda m: predict(m, U, Y, None, horizon=10), "horizon is 10 but the exogenous inputs u cover 9 steps after"),
    (lambda m: predict(m, U[:3], Y[:3]), "the record has 3 steps, of which the lags and the washout take 3"),
    (lambda m: predict(m, U[:2], Y), "the record has 2 steps, of which the lags and the washout take 3"),
    (lambda m: predict(m, U, Y, washout=2), "washout is 2 but the model looks 3 steps back"),
    (lambda m: predict(m, U, Y, 0), "steps_ahead must be a whole number of at least 1, got 0"),
    (lambda m: predict(m, U, Y, horizon=0), "horizon must be a whole number of at least 1, got 0"),
    (lambda m: predict(m, U, Y[:5], 3), "needs y measured for 9 steps, got 5"),
    (lambda m: predict(m, None, Y), r"the model has 2 inputs; pass u of shape \(T, N, 2\)"),
    (lambda m: predict(m, U[:, :, :1], Y), r"expected u of shape \(T, N, 2\), .* got \(12, 1, 1\) and \(12, 1, 2\)"),
    (lambda m: predict(m, mx.nd.tile(U, (1, 3, 1)), Y), r"as many rows N in u as in y, got \(12, 3, 2\) and"),
    (lambda m: predict(m, U, Y[:, :, :1]), r"expected y of shape \(T, N, 2\)"),
    (lambda m: predict(m, U, Y[:, 0]), r"expected y of shape \(T, N, 2\)"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(make())
