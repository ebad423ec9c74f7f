"""AR and NARX in open and closed loop against plain NumPy loops, central differences and least squares.

Tests `lags.py` and `recordings.py` too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.models import AR, NARX, ClosedLoop, Forecaster
from gluon_rnn.nn import GRU
from gluon_rnn.registry import models
from tests.gradients import assert_central_differences

CASES = {
    "siso": dict(input_lag=1, output_lag=2, hidden_sizes=(4,)),
    "mimo": dict(input_lag=2, output_lag=3, hidden_sizes=(5, 4), input_delay=1, input_size=2, output_size=2, skip=True),
    "no_memory_of_x": dict(input_lag=0, output_lag=1, hidden_sizes=(3,), activation="sigmoid"),
    "linear": dict(input_lag=1, output_lag=2, hidden_sizes=(), output_size=2),
}


def make(case, **kwargs):
    return randomised(NARX(dtype="float64", **{**CASES[case], **kwargs}))


def randomised(model):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.4, 0.4, shape=parameter.shape, dtype="float64"))
    return model


def recording(model, steps=9, rows=3):
    return [mx.nd.random.normal(shape=(steps, rows, size), dtype="float64")
            for size in (model.lags.input_size, model.output_size)]


def random_states(model, rows=3):
    return [mx.nd.random.normal(shape=info["shape"], dtype="float64") for info in model.state_info(rows)]


def equation(model, x_lags, y_lags):
    """y_t of one row from [x_{t-D}, ...] and [y_{t-1}, ...], as the module's docstring has it."""
    p = {name: parameter.data().asnumpy() for name, parameter in model._reg_params.items()}
    function = {"tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a))}[model.lags.activation]
    x, y = np.concatenate(x_lags), np.concatenate(y_lags)
    values = p["x_weight"] @ x + p["y_weight"] @ y + p["bias"]
    for layer in range(2, 2 + len(model.lags.hidden_sizes)):
        values = p[f"h{layer}_weight"] @ function(values) + p[f"h{layer}_bias"]
    if "skip_x_weight" in p:
        values = values + p["skip_x_weight"] @ x + p["skip_y_weight"] @ y
    return values


def loop(model, x, states, measured=None):
    """The feedback loop by hand: measured outputs (T, N, Ky) are fed back, or the model's own where there are none."""
    lags, outputs = model.lags, np.zeros((*x.shape[:2], model.output_size))
    for n in range(x.shape[1]):
        xs = [*(states[0][:, n] if lags.input_past else []), *x[:, n]]
        ys = list(states[-1][:, n])
        for t in range(len(x)):
            x_lags = [xs[lags.input_past + t + offset] for offset in lags.input_offsets]
            outputs[t, n] = equation(model, x_lags, ys[::-1][:lags.output_lag])
            ys.append(outputs[t, n] if measured is None else measured[t, n])
    return outputs


@pytest.mark.parametrize("case", CASES)
def test_open_loop_is_the_equation(case):
    model = make(case)
    (x, y), states = recording(model), random_states(model)
    predictions, finals = model.open_loop(x, y, states)
    expected = loop(model, x.asnumpy(), [s.asnumpy() for s in states], y.asnumpy())
    np.testing.assert_allclose(predictions.asnumpy(), expected, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(finals[-1].asnumpy(), y[-model.lags.output_lag:].asnumpy())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("hybrid", [False, True])
def test_closed_loop_is_a_hand_written_feedback_loop(case, hybrid):
    model = make(case)
    closed = ClosedLoop(model)
    if hybrid:
        closed.hybridize(static_alloc=True)
    (x, _), states = recording(model), random_states(model)
    outputs, finals = closed(x, states)
    expected = loop(model, x.asnumpy(), [s.asnumpy() for s in states])
    np.testing.assert_allclose(outputs.asnumpy(), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(finals[-1].asnumpy(), expected[-model.lags.output_lag:], rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_closed_loop_goes_on_where_the_open_loop_stopped(case):
    model = make(case)
    (x, y), begin = recording(model), random_states(model)
    _, states = model.open_loop(x[:5], y[:5], begin)
    continued, _ = ClosedLoop(model)(x[5:], states)
    history = [s.asnumpy() for s in begin]
    past = np.concatenate([history[0], x[:5].asnumpy()])[-model.lags.input_past:] if model.lags.input_past else None
    expected = loop(model, x[5:].asnumpy(), [past, np.concatenate([history[-1], y[:5].asnumpy()])])
    np.testing.assert_allclose(continued.asnumpy(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("case", ["mimo", "linear"])
@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_gradients_are_central_differences(case, closed, lengths):
    model = make(case)
    x, y = recording(model, 4, 2)
    block, inputs = (ClosedLoop(model), x) if closed else (model, model.series(x, y))
    states, lengths = random_states(model, 2), None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = block(inputs, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, block, [inputs, *states])


@pytest.mark.parametrize("case", ["mimo", "linear"])
def test_a_linear_start_is_the_linear_model_and_leaves_the_hidden_layers(case):
    model, hidden = make(case), ("x_weight", "y_weight", "bias", "h2_weight", "h2_bias")
    before = {name: p.data().asnumpy() for name, p in model._reg_params.items()}
    prefix = "skip_" if model.lags.skip else ""
    x_weight, y_weight = (np.random.randn(*before[f"{prefix}{name}_weight"].shape) for name in "xy")
    bias = np.random.randn(model.output_size)
    model.start_linear(x_weight, y_weight, bias)
    linear = make("linear", **{key: value for key, value in CASES[case].items() if key not in ("skip", "hidden_sizes")})
    for parameter, value in ((linear.x_weight, x_weight), (linear.y_weight, y_weight), (linear.bias, bias)):
        parameter.set_data(mx.nd.array(value, dtype="float64"))
    inputs, states = mx.nd.concat(*recording(model), dim=2), random_states(model)
    np.testing.assert_allclose(model(inputs, states)[0].asnumpy(), linear(inputs, states)[0].asnumpy(),
                               rtol=0, atol=1e-12)
    for name in hidden if model.lags.skip else ():
        np.testing.assert_array_equal(getattr(model, name).data().asnumpy(), before[name], err_msg=name)


@pytest.mark.parametrize("size", [1, 2])
def test_ar_with_least_squares_weights_predicts_as_least_squares(size):
    lag, y = 3, np.cumsum(np.random.randn(60, size), axis=0)
    lagged = [y[lag - l:len(y) - l] for l in range(1, lag + 1)]
    regressors = np.concatenate([*lagged, np.ones((len(y) - lag, 1))], axis=1)
    solution = np.linalg.lstsq(regressors, y[lag:], rcond=None)[0]
    model = AR(lag, size, dtype="float64")
    model.initialize()
    model.y_weight.set_data(mx.nd.array(solution[:-1].T, dtype="float64"))
    model.bias.set_data(mx.nd.array(solution[-1], dtype="float64"))
    series = mx.nd.array(y[:, None], dtype="float64")
    predictions, _ = model(series[lag:], [series[:lag]])
    np.testing.assert_allclose(predictions[:, 0].asnumpy(), regressors @ solution, rtol=0, atol=1e-10)


def test_ar_runs_freely_without_reading_its_input():
    model = randomised(AR(2, dtype="float64"))
    begin = random_states(model, 1)
    clock = mx.nd.full((6, 1, 1), float("nan"), dtype="float64")
    outputs, _ = ClosedLoop(model)(clock, begin)
    (w1, w2), bias = model.y_weight.data().asnumpy()[0], model.bias.data().asscalar()
    values = list(begin[0].asnumpy().ravel())
    for _ in range(6):
        values.append(bias + w1 * values[-1] + w2 * values[-2])
    np.testing.assert_allclose(outputs.asnumpy().ravel(), values[2:], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist])
def test_recordings_may_be_numpy_arrays_and_lists(kind):
    model = make("mimo")
    x, y = recording(model)
    given = [kind(array.asnumpy()) for array in (x, y)]
    np.testing.assert_array_equal(model.open_loop(*given).asnumpy(), model.open_loop(x, y).asnumpy())
    forecaster = Forecaster(GRU(3, dtype="float64"), input_size=2, output_size=2)
    forecaster.initialize()
    np.testing.assert_array_equal(forecaster.open_loop(*given).asnumpy(), forecaster.open_loop(x, y).asnumpy())


def test_closed_loop_shares_the_parameters(tmp_path):
    model = make("siso")
    closed = ClosedLoop(model)
    assert {*closed.collect_params()} == {*model.collect_params()}
    x, y = recording(model)
    with autograd.record():
        loss = ((closed(x) - y) ** 2).sum()
    loss.backward()
    assert model.y_weight.grad().asnumpy().any()                          # training on the simulation error
    closed.save_parameters(str(tmp_path / "p"))
    other = NARX(dtype="float64", **CASES["siso"])
    other.load_parameters(str(tmp_path / "p"))
    np.testing.assert_array_equal(other.open_loop(x, y).asnumpy(), model.open_loop(x, y).asnumpy())


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_cast_closed_loop_is_one_that_was_made_so(activation):
    """The fused relu is good to float32 only, so that it is a loop in float64."""
    model, other = (NARX(1, 2, (3,), activation, dtype=dtype) for dtype in ("float32", "float64"))
    for one in (model, other):
        one.initialize()
    closed, x = ClosedLoop(model), mx.nd.random.normal(shape=(7, 2, 1), dtype="float64")
    assert not closed.loops
    closed.cast("float64")
    for mine, its in zip(other.collect_params().values(), model.collect_params().values()):
        mine.set_data(its.data())
    assert closed.loops is (activation == "relu") is ClosedLoop(other).loops
    np.testing.assert_array_equal(closed(x).asnumpy(), ClosedLoop(other)(x).asnumpy())


def test_registered_by_name():
    assert models.get("narx") is NARX and models.get("ar") is AR
    assert models.build("narx", input_lag=1, output_lag=2, skip=True).memory == 2


@pytest.mark.parametrize("call,message", [
    (lambda: NARX(-1, 2), "input_lag must be a whole number of at least 0, got -1"),
    (lambda: NARX(1, 0), "output_lag must be a whole number of at least 1, got 0"),
    (lambda: NARX(1, 1, (4, 0)), "hidden_sizes must be a whole number of at least 1, got 0"),
    (lambda: NARX(1, 1, activation="tan"), "activation must be one of"),
    (lambda: NARX(1, 1, skip="no"), "skip must be true or false, got 'no'"),
    (lambda: NARX(1, 1, (), skip=True), "the model is linear already"),
    (lambda: make("mimo")(mx.nd.ones((5, 1, 3), dtype="float64")), "expects 4 input features .2 inputs and 2 measured"),
    (lambda: make("siso").open_loop(None, mx.nd.ones((5, 1, 1))), "has 1 inputs; pass them as x"),
    (lambda: AR(2).open_loop(mx.nd.ones((5, 1, 1)), mx.nd.ones((5, 1, 1))), "has 0 inputs; pass None as x"),
    (lambda: make("siso").open_loop(mx.nd.ones((5, 1, 1)), mx.nd.ones((4, 1, 1))), r"\(5, 1, 1\) and \(4, 1, 1\)"),
    (lambda: ClosedLoop(make("mimo"))(mx.nd.ones((5, 1, 3), dtype="float64")), "expects 2 input features"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
