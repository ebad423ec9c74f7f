"""Quantiles of predictions: exact ones against SciPy, sampled ones against a linear Gaussian process."""
import mxnet as mx
import numpy as np
import pytest
from scipy import stats

from gluon_rnn.data import Recording
from gluon_rnn.data.scaling import SeriesScaler
from gluon_rnn.inference import predict, predict_quantiles, predict_recordings, predict_recordings_quantiles, simulate
from gluon_rnn.models import NARX, Forecaster
from gluon_rnn.registry import encoders

LEVELS = [0.1, 0.5, 0.9]


def make(distribution="gaussian", name="gru", **kwargs):
    model = Forecaster(encoders.build(name, hidden_size=4, dtype="float64"), input_size=1, output_size=2,
                       distribution=distribution, **kwargs)
    model.initialize()
    return model


def record(steps=12, rows=2):
    return [mx.nd.random.normal(shape=(steps, rows, size), dtype="float64") for size in (1, 2)]


def test_one_step_ahead_is_exact():
    model, (u, y) = make(), record()
    raw = model.open_loop(u, y)[3:].asnumpy()
    got = predict_quantiles(model, u, y, LEVELS, washout=3)
    assert got.shape == (9, 2, 2, 3)
    for k in range(2):
        scale = np.log1p(np.exp(raw[..., 2 * k + 1])) + 1e-4
        for i, level in enumerate(LEVELS):
            np.testing.assert_allclose(got[..., k, i], stats.norm.ppf(level, raw[..., 2 * k], scale), rtol=0, atol=1e-8)


def linear_gaussian():
    """y_t = 0.8 y_{t-1} + 0.5 e_t as a forecaster: a TDNN without delays whose one unit is y_{t-1}."""
    encoder = encoders.build("tdnn", hidden_size=1, contexts=[[0, 0]], activation="identity", dtype="float64")
    model = Forecaster(encoder, distribution="gaussian")
    model.initialize()
    encoder.l0_weight.set_data(mx.nd.ones((1, 1)))
    model.output_weight.set_data(mx.nd.array([[0.8], [0.0]]))
    model.output_bias.set_data(mx.nd.array([0.0, np.log(np.expm1(0.5 - 1e-4))]))
    return model


def test_free_run_has_the_bands_of_a_linear_gaussian_process():
    y, samples = mx.nd.array([2.0, -1.0], dtype="float64").reshape((1, 2, 1)), 20000
    got = predict_quantiles(linear_gaussian(), None, y, LEVELS, None, horizon=5, samples=samples)
    for k in range(5):
        scale = 0.5 * np.sqrt(sum(0.8 ** (2 * j) for j in range(k + 1)))
        want = stats.norm.ppf(LEVELS, 0.8 ** (k + 1) * y.asnumpy().reshape((2, 1)), scale)
        # the standard error of an empirical quantile, sqrt(p (1 - p) / n) / density, is 0.009 at its largest here
        np.testing.assert_allclose(got[k, :, 0], want, rtol=0, atol=0.045)
    again = predict_quantiles(linear_gaussian(), None, y, LEVELS, None, horizon=5, samples=samples)
    np.testing.assert_array_equal(got, again)


def test_sampled_blocks_begin_at_measured_values():
    model = linear_gaussian()
    y = mx.nd.array([0.0, 10.0, 0.0, 20.0, 0.0, -30.0], dtype="float64").reshape((6, 1, 1))
    got = predict_quantiles(model, None, y, [0.5], 2, horizon=5)
    np.testing.assert_allclose(got[:, 0, 0, 0], np.zeros(5), rtol=0, atol=0.25)
    got = predict_quantiles(model, None, y, [0.5], 2, washout=2, horizon=4)
    # 200 draws: for both, the standard error of the median is 0.6 / sqrt(200) * 1.25 = 0.055
    np.testing.assert_allclose(got[:, 0, 0, 0], [8, 6.4, 16, 12.8], rtol=0, atol=0.25)


def test_rows_in_several_portions_are_rows_at_once(monkeypatch):
    model, (u, y) = make(), record(rows=3)
    want = predict_quantiles(model, u, y, LEVELS, None, washout=4, samples=4000)
    monkeypatch.setattr("gluon_rnn.inference.bands._MOST_ROWS", 4000)
    got = predict_quantiles(model, u, y, LEVELS, None, washout=4, samples=4000)
    np.testing.assert_allclose(got, want, rtol=0, atol=0.2)               # other draws of the same distributions
    assert got.shape == (8, 3, 2, 3) and (np.diff(got, axis=-1) > 0).all()


def test_several_horizons_have_exact_bands():
    model, (u, y) = make("quantile", horizon=3), record(10)
    got = predict_quantiles(model, u, y, LEVELS, 3, washout=4)
    direct = model.head.quantiles(model.open_loop(u, y), LEVELS)          # (10, 2, 3 * 2, 3)
    for anchor in (4, 7):
        want = direct[anchor].reshape((2, 3, 2, 3)).swapaxes(0, 1)
        np.testing.assert_allclose(got[anchor - 4:anchor - 1], want[:10 - anchor], rtol=0, atol=1e-10)
    np.testing.assert_allclose(got[..., 1], predict(model, u, y, 3, washout=4).asnumpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("steps_ahead", [1, 3, None])
def test_recordings_in_their_own_units(steps_ahead):
    model = make("student_t")
    parts = [Recording(f"r{i}", np.random.randn(steps, 1), np.random.randn(steps, 2) * 5 - 2, start)
             for i, (steps, start) in enumerate(((12, 0), (9, 4)))]
    scaler = SeriesScaler.fit(parts, ["u"], ["a", "b"])
    found = predict_recordings_quantiles(model, parts, scaler, LEVELS, steps_ahead, samples=300)
    means = predict_recordings(model, parts, scaler, steps_ahead)
    for (first, bands), (other, mean) in zip(found, means):
        assert first == other and bands.shape == (*mean.shape, 3)
        if steps_ahead == 1:
            np.testing.assert_allclose(bands[..., 1], mean, rtol=0, atol=1e-9)
    u, y = (mx.nd.array(part[:, None], dtype="float64") for part in
            (scaler.x.transform(parts[1].x), scaler.y.transform(parts[1].y)))
    alone = predict_quantiles(model, u, y, LEVELS, steps_ahead, washout=4, samples=300)[:, 0]
    for k in range(2):
        want = scaler.y.inverse(alone[:, :, 1])[:, k]
        # other draws, of which the medians differ by about 1 / sqrt(300) of a spread of about 5
        np.testing.assert_allclose(found[1][1][:, k, 1], want, rtol=0, atol=1e-9 if steps_ahead == 1 else 2.5)


def test_batch_first():
    model = make(layout="NTC")
    u, y = (values.swapaxes(0, 1) for values in record())
    assert predict_quantiles(model, u, y, LEVELS, washout=3).shape == (2, 9, 2, 3)


U, Y = record(12, 1)


@pytest.mark.parametrize("call,message", [
    (lambda: predict_quantiles(make("point"), U, Y, LEVELS), "point predictions have no bands; train with"),
    (lambda: predict_quantiles(NARX(1, 1, output_size=2, dtype="float64"), U, Y, LEVELS, None), "have no bands"),
    (lambda: predict_quantiles(make(), U, Y, [0.0, 0.5]), "numbers between 0 and 1"),
    (lambda: predict_quantiles(make("quantile"), U, Y, [0.95]), "trained for quantiles from 0.1 to 0.9"),
    (lambda: predict_quantiles(make(horizon=2), U, Y, LEVELS, None), "at most 2 steps, the horizon of the model"),
    (lambda: predict_quantiles(make(), U, Y, LEVELS, None, samples=0), "samples must be a whole number of at least 1"),
    (lambda: predict_quantiles(make(), U, Y, LEVELS, None, horizon=12), "but the exogenous inputs u cover 11 steps"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_simulation_model_says_its_bands_exactly():
    model, (u, y) = make(feedback=False), record()
    _, states = model.open_loop(u[:3], y[:3], model.begin_state(2))
    raw = simulate.closed_loop(model)(u[3:], states)[0].asnumpy()
    got = predict_quantiles(model, u, y, LEVELS, None, washout=3)
    for k in range(2):
        scale = np.log1p(np.exp(raw[..., 2 * k + 1])) + 1e-4
        for i, level in enumerate(LEVELS):
            np.testing.assert_allclose(got[..., k, i], stats.norm.ppf(level, raw[..., 2 * k], scale), rtol=0, atol=1e-8)
