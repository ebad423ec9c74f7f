"""The losses of series in each mode of feedback, against NumPy loops in float64 and central differences."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.models import AR, NARX, Forecaster
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from tests.gradients import assert_central_differences

WASHOUT, LENGTH, ROWS = 4, 5, 3


def randomised(model):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, shape=parameter.shape, dtype="float64"))
    return model


def tiny_narx(**kwargs):
    return randomised(NARX(1, 2, (3,), input_delay=1, input_size=2, output_size=2, dtype="float64", **kwargs))


def window(columns=4, extra=0):
    return np.random.randn(WASHOUT + LENGTH + extra, ROWS, columns)


def values(model):
    return {name: parameter.data().asnumpy() for name, parameter in model._collect_params_with_prefix().items()}


def narx_step(p, x, y, t):
    """y_t of the tiny NARX by its equation, from x (T, N, 2) and the outputs y (T, N, 2) fed back."""
    lagged_x = np.concatenate([x[t - 1], x[t - 2]], axis=1)
    lagged_y = np.concatenate([y[t - 1], y[t - 2]], axis=1)
    hidden = np.tanh(lagged_x @ p["x_weight"].T + lagged_y @ p["y_weight"].T + p["bias"])
    return hidden @ p["h2_weight"].T + p["h2_bias"]


def by_hand(model, inputs, replaced):
    """Return the summed loss; ``replaced(t, predicted)`` is what is fed back for row t (N, 2), None for measured y."""
    p, x, y = values(model), inputs[:, :, :2], inputs[:, :, 2:]
    fed_back, loss = y.copy(), 0.0
    for t in range(WASHOUT, WASHOUT + LENGTH):
        predicted = narx_step(p, x, fed_back, t)
        loss += ((predicted - y[t]) ** 2).mean(axis=1).sum()
        value = replaced(t, predicted)
        fed_back[t] = y[t] if value is None else value
    return loss


def graph_of(model, feedback):
    graph = SeriesLoss(model, WASHOUT, LENGTH, feedback)
    graph.hybridize()
    return graph


def ndarray(inputs):
    return mx.nd.array(inputs, dtype="float64")


def loss_of(graph, *arrays):
    loss = graph(*map(ndarray, arrays))
    assert loss.shape == (1,)
    return loss.asscalar()


def test_open_loop_feeds_measured_values_back():
    model, inputs = tiny_narx(), window()
    want = by_hand(model, inputs, lambda t, predicted: None)
    assert loss_of(graph_of(model, "open_loop"), inputs) == pytest.approx(want, rel=1e-10)


def test_closed_loop_is_the_feedback_loop_by_hand():
    model, inputs = tiny_narx(), window()
    want = by_hand(model, inputs, lambda t, predicted: predicted)
    graph = graph_of(model, "closed_loop")
    assert loss_of(graph, inputs) == pytest.approx(want, rel=1e-10)
    inputs[WASHOUT:, :, 2:] += 1                       # targets only: what is fed back must not have moved
    shifted = by_hand(model, inputs, lambda t, predicted: predicted)
    assert shifted != pytest.approx(want) and loss_of(graph, inputs) == pytest.approx(shifted, rel=1e-10)


def test_gradient_of_the_simulation_error():
    model = randomised(NARX(0, 2, (2,), input_size=1, output_size=1, skip=True, dtype="float64"))
    graph, inputs = graph_of(model, "closed_loop"), ndarray(window(2))
    assert_central_differences(lambda: [graph(inputs)], model, [])


def test_forecaster_in_closed_loop():
    model = randomised(Forecaster(nn.GRU(3, dtype="float64"), input_size=1, distribution="gaussian"))
    inputs = window(2)
    x, y = ndarray(inputs[:, :, :1]), ndarray(inputs[:, :, 1:])
    fed_back, loss = y.copy(), 0.0
    for t in range(WASHOUT, WASHOUT + LENGTH):
        raw = model.open_loop(x[:t + 1], fed_back[:t + 1])[t:]            # from the first step, whatever it costs
        loss += model.head.loss(mx.nd, raw, y[t:t + 1]).sum().asscalar()
        fed_back[t] = model.head.mean(mx.nd, raw)[0]
    assert loss_of(graph_of(model, "closed_loop"), inputs) == pytest.approx(loss, rel=1e-10)


def coin(share):
    tossed = (np.random.rand(WASHOUT + LENGTH, ROWS, 1) < share).astype(float)
    tossed[:WASHOUT] = 0
    return tossed


def test_scheduled_replaces_what_the_coin_says_by_open_loop_predictions():
    model, inputs = tiny_narx(), window()
    p, x, y = values(model), inputs[:, :, :2], inputs[:, :, 2:]
    graph = graph_of(model, "scheduled")
    open_loop = loss_of(graph_of(model, "open_loop"), inputs)
    assert loss_of(graph, inputs, coin(0)) == pytest.approx(open_loop, rel=1e-12)
    for share in (0.5, 1.0):
        tossed = coin(share)

        def mixed(t, _, tossed=tossed):
            return np.where(tossed[t] == 1, narx_step(p, x, y, t), y[t])
        want = by_hand(model, inputs, mixed)
        assert want != pytest.approx(open_loop)
        assert loss_of(graph, inputs, tossed) == pytest.approx(want, rel=1e-10)


def test_scheduled_has_no_gradient_through_the_predictions_it_feeds_back():
    model, inputs, tossed = tiny_narx(), ndarray(window()), ndarray(coin(1))
    graph = graph_of(model, "scheduled")
    with mx.autograd.record():
        loss = graph(inputs, tossed)
    loss.backward()
    got = model.y_weight.grad().asnumpy()
    own = model(inputs) * tossed + inputs[:, :, 2:] * (1 - tossed)        # constants from here on
    fixed = mx.nd.concat(inputs[:, :, :2], own, dim=2)
    with mx.autograd.record():
        loss = mx.nd.square(model(fixed) - inputs[:, :, 2:])[WASHOUT:].sum() / 2
    loss.backward()
    np.testing.assert_allclose(got, model.y_weight.grad().asnumpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("distribution", ["point", "student_t"])
def test_each_horizon_has_its_own_target(distribution):
    horizon = 3
    model = randomised(Forecaster(nn.LSTM(3, dtype="float64"), input_size=1, output_size=2, horizon=horizon,
                                  distribution=distribution))
    inputs = window(3, extra=horizon - 1)
    x, y = ndarray(inputs[:, :, :1]), ndarray(inputs[:, :, 1:])
    raw, loss = model.open_loop(x, y), 0.0
    numbers = model.head.parameters_per_output
    for t in range(WASHOUT, WASHOUT + LENGTH):
        for step in range(horizon):
            of_step = raw[t:t + 1, :, step * 2 * numbers:(step + 1) * 2 * numbers]
            loss += model.head.loss(mx.nd, of_step, y[t + step:t + step + 1]).mean(axis=2).sum().asscalar() / horizon
    assert loss_of(graph_of(model, "open_loop"), inputs) == pytest.approx(loss, rel=1e-10)


def test_a_series_without_inputs():
    model, y = randomised(AR(2, dtype="float64")), window(1)
    weights, bias = model.y_weight.data().asnumpy()[0], model.bias.data().asscalar()
    for feedback in ("open_loop", "closed_loop"):
        fed_back, loss = y.copy(), 0.0
        for t in range(WASHOUT, WASHOUT + LENGTH):
            predicted = weights[0] * fed_back[t - 1] + weights[1] * fed_back[t - 2] + bias
            loss += ((predicted - y[t]) ** 2).sum()
            fed_back[t] = y[t] if feedback == "open_loop" else predicted
        assert loss_of(graph_of(model, feedback), y) == pytest.approx(loss, rel=1e-10)
