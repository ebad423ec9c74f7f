"""Trivial predictors against hand-written loops, and ARX against least squares, a known system and AR and NARX."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.data import Recording
from gluon_rnn.inference import predict
from gluon_rnn.metrics.baselines.series import ARX, Persistence, SeasonalNaive
from gluon_rnn.models import AR, NARX


def noise_recording(rows=40, inputs=2, targets=2, start=6, name="a"):
    return Recording(name, np.random.randn(rows, inputs), np.random.randn(rows, targets), start)


def last_known(recording, steps_ahead):
    """The last measured row before each predicted row's block."""
    rows = range(recording.start, len(recording))
    size = len(rows) if steps_ahead is None else steps_ahead
    return [(row, recording.start + (row - recording.start) // size * size - 1) for row in rows]


WAYS = [1, 2, 7, 34, 50, None]


@pytest.mark.parametrize("steps_ahead", WAYS)
def test_persistence(steps_ahead):
    part = noise_recording()
    expected = [part.y[known] for _, known in last_known(part, steps_ahead)]
    np.testing.assert_array_equal(Persistence()(part, steps_ahead), expected)


@pytest.mark.parametrize("steps_ahead", WAYS)
@pytest.mark.parametrize("season", [2, 5, 6])
def test_seasonal_naive(season, steps_ahead):
    part, expected = noise_recording(), []
    for row, known in last_known(part, steps_ahead):
        same = row - season
        while same > known:
            same -= season
        expected.append(part.y[same])
    np.testing.assert_array_equal(SeasonalNaive(season)(part, steps_ahead), expected)


def arx_loop(model, part, steps_ahead):
    """The definition, value by value, with a feedback of its own."""
    rows, predictions = range(part.start, len(part)), []
    for row, known in last_known(part, steps_ahead):
        past = [part.y[row - lag] if row - lag <= known else predictions[row - lag - rows[0]]
                for lag in range(1, model.output_lag + 1)]
        lagged = [part.x[row - model.input_delay - lag] for lag in range(model.input_lag + 1)]
        predictions.append(model.bias + model.x_weight @ np.concatenate(lagged)
                           + model.y_weight @ np.concatenate(past))
    return np.array(predictions)


@pytest.mark.parametrize("steps_ahead", WAYS)
@pytest.mark.parametrize("inputs, delay", [(2, 1), (1, 0), (0, 0)])
def test_arx_is_its_definition(inputs, delay, steps_ahead):
    train = [noise_recording(60, inputs, start=0), noise_recording(50, inputs, start=8)]
    model = ARX(3, 2, delay).fit(train)
    part = noise_recording(inputs=inputs)
    np.testing.assert_allclose(model(part, steps_ahead), arx_loop(model, part, steps_ahead), rtol=1e-10, atol=1e-12)


def test_arx_is_the_least_squares_fit_of_all_recordings_and_crosses_none():
    parts = [noise_recording(30, 1, 1, start=0), noise_recording(25, 1, 1, start=9)]
    rows = [[1.0, part.x[t - 1, 0], part.x[t - 2, 0], part.y[t - 1, 0], part.y[t - 2, 0], part.y[t - 3, 0]]
            for part in parts for t in range(max(part.start, 3), len(part))]
    targets = [part.y[t, 0] for part in parts for t in range(max(part.start, 3), len(part))]
    matrix = np.array(rows)
    weights = np.linalg.solve(matrix.T @ matrix, matrix.T @ np.array(targets))   # the normal equations
    model = ARX(3, 1, 1).fit(parts)
    found = np.concatenate([model.bias, model.x_weight[0], model.y_weight[0]])
    np.testing.assert_allclose(found, weights, rtol=1e-9, atol=1e-11)


def known_system(rows, scale=1.0):
    """y_t = 2 + 1.2 y_{t-1} - 0.5 y_{t-2} + 3 x_{t-1}, without noise, times `scale`."""
    x, y = np.random.randn(rows), np.zeros(rows)
    for t in range(2, rows):
        y[t] = 2 + 1.2 * y[t - 1] - 0.5 * y[t - 2] + 3 * x[t - 1]
    return Recording("known", x[:, None], scale * y[:, None])


@pytest.mark.parametrize("scale", [1.0, 1e9])
def test_arx_finds_a_linear_system_whatever_its_units(scale):
    model = ARX(2, 0, 1).fit([known_system(200, scale)])
    np.testing.assert_allclose(np.ravel(model.x_weight) / scale, [3], rtol=1e-9)
    np.testing.assert_allclose(np.ravel(model.y_weight), [1.2, -0.5], rtol=1e-9)
    np.testing.assert_allclose(model.bias / scale, [2], rtol=1e-9)
    other = known_system(100, scale).part(5, 100)
    np.testing.assert_allclose(model(other, None), other.y[5:], rtol=1e-8, atol=1e-8 * scale)


@pytest.mark.parametrize("steps_ahead", [1, 5, None])
@pytest.mark.parametrize("linear", [lambda: NARX(2, 3, (), input_delay=1, input_size=2, output_size=2),
                                    lambda: AR(3, output_size=2)])
def test_arx_predicts_as_the_linear_models_of_the_zoo(linear, steps_ahead):
    block = linear()
    block.initialize()
    inputs = block.lags.input_size
    arx = ARX.like(block).fit([noise_recording(80, inputs, start=0)])
    if inputs:
        block.x_weight.set_data(mx.nd.array(arx.x_weight))
    block.y_weight.set_data(mx.nd.array(arx.y_weight))
    block.bias.set_data(mx.nd.array(arx.bias))
    part = noise_recording(inputs=inputs, start=block.memory)
    x, y = (mx.nd.array(values[:, None]) for values in (part.x if inputs else part.y, part.y))
    found = predict(block, x if inputs else None, y, steps_ahead, washout=block.memory)
    # float32 against float64; the fit of noise is stable, so that a free run does not blow the roundings up
    np.testing.assert_allclose(arx(part, steps_ahead), found[:, 0].asnumpy(), rtol=1e-4, atol=1e-5)
    assert arx.memory == block.memory


@pytest.mark.parametrize("predictor", [Persistence(), SeasonalNaive(4), ARX(3, 1, 1)])
def test_horizons_are_the_first_steps_of_free_runs(predictor):
    part = noise_recording(start=6)
    if isinstance(predictor, ARX):
        predictor.fit([noise_recording(60, start=0)])
    forecasts = predictor.horizons(part, 5)
    assert forecasts.shape == (40 - 6 - 4, 5, 2)
    for row in (0, 7, 29):
        run = predictor(part.part(6 + row, 40), None)
        np.testing.assert_allclose(forecasts[row], run[:5], rtol=1e-12)
    with pytest.raises(ValueError, match="34 rows to predict, and the horizon is 35"):
        predictor.horizons(part, 35)


@pytest.mark.parametrize("predictor", [Persistence(), SeasonalNaive(4), ARX(3, 1, 1)])
@pytest.mark.parametrize("steps_ahead", [3, None])
def test_only_rows_that_are_known_are_read(predictor, steps_ahead):
    part = noise_recording()
    if isinstance(predictor, ARX):
        predictor.fit([noise_recording(60, start=0)])
    before = predictor(part, steps_ahead)
    anchor = part.start if steps_ahead is None else 39   # 34 rows in blocks of 3: the last one begins at row 39
    part.y[anchor:] = np.nan
    np.testing.assert_array_equal(predictor(part, steps_ahead), before)


def test_an_unstable_free_run_ends_in_inf():
    rows = np.exp(0.5 * np.arange(40.0))[:, None]
    model = ARX(1).fit([Recording("a", np.zeros((40, 0)), rows)])
    model.y_weight *= -1e30
    found = model(Recording("b", np.zeros((400, 0)), np.ones((400, 1)), 1), None)
    assert np.isfinite(found[0]).all() and np.isinf(found[-1]).all() and not np.isnan(found).any()


def test_a_constant_column_harms_nothing():
    part = known_system(100)
    part.x = np.hstack([part.x, np.full((100, 1), 7.0)])
    np.testing.assert_allclose(ARX(2, 0, 1).fit([part]).x_weight, [[3, 0]], atol=1e-9)


def test_mistakes():
    with pytest.raises(ValueError, match="not fitted"):
        ARX(2)(noise_recording())
    with pytest.raises(ValueError, match="has 5 rows and the lags of the ARX model take 8"):
        ARX(2, 8).fit([noise_recording(5, start=0)])
    with pytest.raises(ValueError, match="needs more rows than 10"):
        ARX(10).fit([noise_recording(20, start=0)])
    with pytest.raises(ValueError, match="from row 2 on, and the ARX baseline needs 3 rows"):
        ARX(3).fit([noise_recording()])(noise_recording(start=2))
    with pytest.raises(ValueError, match="has 1 inputs and 2 targets, and the ARX model was fitted on 2 and 2"):
        ARX(3).fit([noise_recording()])(noise_recording(inputs=1))
    with pytest.raises(ValueError, match="SeasonalNaive baseline needs 12 rows before that; set washout"):
        SeasonalNaive(12)(noise_recording())
    with pytest.raises(ValueError, match="Persistence baseline needs 1 rows"):
        Persistence()(noise_recording(start=0))
    with pytest.raises(ValueError, match="steps_ahead must be"):
        Persistence()(noise_recording(), 0)
