"""Prediction by forecasters, and of recordings: against feedback loops by hand around the open-loop block."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.data import Recording
from gluon_rnn.data.scaling import SeriesScaler
from gluon_rnn.inference import predict, predict_horizons, predict_recordings
from gluon_rnn.models import AR, NARX, Forecaster
from gluon_rnn.registry import encoders


def randomised(model):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.4, 0.4, shape=parameter.shape, dtype="float64"))
    return model


def make(name="lstm", input_size=2, **kwargs):
    encoder = encoders.build(name, hidden_size=4, dtype="float64")
    return randomised(Forecaster(encoder, input_size=input_size, output_size=2, **kwargs))


def record(steps=12, rows=2):
    return [mx.nd.random.normal(shape=(steps, rows, 2), dtype="float64") for _ in range(2)]


def by_hand(model, u, y, n, washout):
    """Step by step: measured y is fed back before the last anchor, the model's own mean from there on."""
    outputs = []
    for t in range(washout, u.shape[0]):
        anchor = washout + (t - washout) // n * n
        unread = mx.nd.zeros((1, *y.shape[1:]), dtype="float64")
        fed_back = mx.nd.concat(y[:anchor], *outputs[anchor - washout:], unread, dim=0)
        raw = model.open_loop(u[:t + 1], fed_back)                        # from the first step, whatever it costs
        outputs.append(model.head.mean(mx.nd, raw)[t:t + 1])
    return mx.nd.concat(*outputs, dim=0).asnumpy()


@pytest.mark.parametrize("steps_ahead", [1, 2, 4, 20, None])
@pytest.mark.parametrize("name", ["lstm", "tdnn", "jordan"])
def test_is_the_loop_by_hand(name, steps_ahead):
    model, (u, y) = make(name, distribution="student_t", input_delay=1, residual=True), record()
    got = predict(model, u, y, steps_ahead, washout=5)
    np.testing.assert_allclose(got.asnumpy(), by_hand(model, u, y, steps_ahead or 99, 5), rtol=0, atol=1e-10)


def test_batch_first_is_time_first():
    model, (u, y) = make(), record()
    other = Forecaster(model.encoder, input_size=2, output_size=2, layout="NTC", prefix=model.prefix,
                       params=model.params)
    for steps_ahead in (1, 3, None):
        want = predict(model, u, y, steps_ahead, washout=4).swapaxes(0, 1).asnumpy()
        got = predict(other, u.swapaxes(0, 1), y.swapaxes(0, 1), steps_ahead, washout=4)
        np.testing.assert_allclose(got.asnumpy(), want, rtol=0, atol=1e-12)


def test_one_step_ahead_is_the_open_loop_and_needs_no_last_y():
    model, (u, y) = make(), record()
    want = model.open_loop(u, y)[1:].asnumpy()
    np.testing.assert_allclose(predict(model, u, y).asnumpy(), want, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(predict(model, u, y[:11]).asnumpy(), predict(model, u, y).asnumpy())


def test_a_longer_washout_changes_what_a_recurrent_model_remembers():
    model, (u, y) = make(), record()
    whole, cut = predict(model, u, y, washout=6), predict(model, u[5:], y[5:], washout=1)
    assert whole.shape == cut.shape and not np.allclose(whole.asnumpy(), cut.asnumpy())


def test_the_memory_of_a_tdnn_is_washout_enough():
    model, (u, y) = make("tdnn"), record()
    assert model.memory == 3
    for steps_ahead in (1, None):
        whole = predict(model, u, y, steps_ahead, washout=8).asnumpy()
        cut = predict(model, u[5:], y[5:], steps_ahead, washout=3).asnumpy()
        np.testing.assert_allclose(whole, cut, rtol=0, atol=1e-12)


def test_several_horizons_are_predicted_at_the_anchor_and_fed_back_together():
    model, (u, y) = make("gru", horizon=3, residual=True), record(15)
    raw = model.open_loop(u, y)
    for n, anchors in ((2, range(4, 15, 2)), (3, range(4, 15, 3))):
        got = predict(model, u, y, n, washout=4).asnumpy()
        for anchor in anchors:
            direct = raw[anchor].reshape((2, 3, 2)).swapaxes(0, 1).asnumpy()[:n]
            np.testing.assert_allclose(got[anchor - 4:anchor - 4 + n], direct[:len(got) - anchor + 4], rtol=0,
                                       atol=1e-12)
    free, fed_back = predict(model, u, y, None, washout=4).asnumpy(), [y[:4]]
    for begin in range(4, 15, 3):
        seen = mx.nd.concat(*fed_back, mx.nd.zeros((1, 2, 2), dtype="float64"), dim=0)
        block = model.open_loop(u[:begin + 1], seen)[begin].reshape((2, 3, 2)).swapaxes(0, 1)
        np.testing.assert_allclose(free[begin - 4:begin - 1], block[:15 - begin].asnumpy(), rtol=0, atol=1e-12)
        fed_back.append(block)


# ---- recordings ------------------------------------------------------------------------------------------------------


def recordings(lengths=(14, 9, 20), starts=(0, 5, 12), inputs=2):
    return [Recording(f"r{i}", np.random.randn(steps, inputs) * 3 + 1, np.random.randn(steps, 2) * 5 - 2, start)
            for i, (steps, start) in enumerate(zip(lengths, starts))]


def scaler_of(parts, inputs=2):
    return SeriesScaler.fit(parts, [f"u{i}" for i in range(inputs)], ["a", "b"])


@pytest.mark.parametrize("steps_ahead", [1, 4, None])
@pytest.mark.parametrize("kind", ["lstm", "narx"])
def test_each_recording_is_predicted_for_itself_in_its_own_units(kind, steps_ahead):
    model = make() if kind == "lstm" else randomised(NARX(1, 2, (3,), input_size=2, output_size=2, dtype="float64"))
    parts = recordings()
    scaler = scaler_of(parts)
    found = predict_recordings(model, parts, scaler, steps_ahead, washout=3)
    assert [first for first, _ in found] == [3, 5, 12]
    for part, (first, values) in zip(parts, found):
        u, y = (mx.nd.array(array[:, None], dtype="float64") for array in
                (scaler.x.transform(part.x), scaler.y.transform(part.y)))
        alone = predict(model, u, y, steps_ahead, washout=first).asnumpy()[:, 0]
        assert values.dtype == np.float64 and values.shape == (len(part) - first, 2)
        np.testing.assert_allclose(values, scaler.y.inverse(alone), rtol=0, atol=1e-10)


@pytest.mark.parametrize("steps_ahead", [1, 4, None])
def test_nothing_crosses_from_one_recording_to_the_next(steps_ahead):
    model, parts = make(), recordings()
    poisoned = [parts[0], Recording("poison", parts[1].x * np.nan, parts[1].y * np.nan, 5), parts[2]]
    want, got = (predict_recordings(model, some, None, steps_ahead) for some in (parts, poisoned))
    assert np.isnan(got[1][1]).all()
    for i in (0, 2):
        np.testing.assert_array_equal(got[i][1], want[i][1])


def test_an_autoregression_needs_no_inputs():
    model, parts = randomised(AR(2, 2, dtype="float64")), recordings(inputs=0)
    for steps_ahead in (1, 3, None):
        (first, values), *_ = predict_recordings(model, parts, scaler_of(parts, 0), steps_ahead)
        assert first == 2 and values.shape == (12, 2)


def test_horizons_from_every_row():
    model, parts = make("gru", horizon=3), recordings()
    scaler = scaler_of(parts)
    found = predict_horizons(model, parts, scaler)
    assert [(first, values.shape) for first, values in found] == [(1, (11, 3, 2)), (5, (2, 3, 2)), (12, (6, 3, 2))]
    first, values = found[0]
    for row in range(len(values)):
        (_, one), = predict_recordings(model, [parts[0].part(first + row, first + row + 3)], scaler, 3)
        np.testing.assert_allclose(values[row], one, rtol=0, atol=1e-10)


def test_float32_models_take_float64_recordings():
    model = Forecaster(encoders.build("rnn", hidden_size=3), input_size=2, output_size=2)
    model.initialize()
    parts = recordings()
    assert predict_recordings(model, parts, scaler_of(parts), None)[1][1].dtype == np.float64


U, Y = mx.nd.ones((12, 1, 2), dtype="float64"), mx.nd.ones((12, 1, 2), dtype="float64")


@pytest.mark.parametrize("call,message", [
    (lambda: predict(make("tdnn"), U[:2], Y[:2]), "the record has 2 steps, of which the lags and the washout take 3"),
    (lambda: predict(make(), U, Y, None, washout=4, horizon=9), "horizon is 9 but the exogenous inputs u cover 8"),
    (lambda: predict(make(), U, Y[:5], 3), "needs y measured for 10 steps, got 5"),
    (lambda: predict(make("tdnn"), U, Y, washout=2), "washout is 2 but the model looks 3 steps back"),
    (lambda: predict(make(), None, Y), r"the model has 2 inputs; pass u of shape \(T, N, 2\)"),
    (lambda: predict(make(input_size=0), U, Y), "the model has 0 inputs; pass None as u"),
    (lambda: predict_recordings(make(), recordings((4,), (0,)), None, washout=4),
     "recording r0 has 4 rows, of which the lags and the washout take 4; pass a longer recording"),
    (lambda: predict_recordings(make("tdnn"), recordings(), None, washout=1), "washout is 1 but the model looks 3"),
    (lambda: predict_recordings(make(input_size=1), recordings(), None), "r0 has 2 inputs and 2 targets, but"),
    (lambda: predict_recordings(make(), recordings(), None, 0), "steps_ahead must be a whole number of at least 1"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
