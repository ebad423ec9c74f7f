"""Scores of whole recordings: the rows that each way to predict is scored on, horizons, bands."""
import math

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.data import Recording
from gluon_rnn.data.scaling import SeriesScaler
from gluon_rnn.inference import Band, forecasts, predict, predict_recordings
from gluon_rnn.models import NARX, Forecaster
from gluon_rnn.models.distributions import make_distribution
from tests.reference import assert_rounded

#: roundings of float32 on the longest path: a free run of 55 steps of some ten inputs and units
TERMS = 55 * 10


def recordings(sizes=(40, 55), start=6):
    return [Recording(f"r{number}", np.random.randn(size, 1), np.random.randn(size, 2).cumsum(axis=0), start)
            for number, size in enumerate(sizes)]


def trained(model):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.4, 0.4, shape=parameter.shape))
    return model


def model_predictor(parts, **kwargs):
    scaler = SeriesScaler.fit(parts, ["u"], ["y", "z"])
    model = trained(Forecaster(nn.GRU(4), input_size=1, output_size=2, **kwargs))
    return forecasts.ModelPredictor(model, scaler, model.memory)


class Drift:
    """Predicts y[t] + 0.01 d, d being how many steps t is behind the last measured row: the error says d."""

    def __call__(self, recording, steps_ahead):
        rows = np.arange(len(recording) - recording.start)
        ahead = rows + 1 if steps_ahead is None else rows % steps_ahead + 1
        return recording.y[recording.start:] + 0.01 * ahead[:, None]


def test_n_steps_ahead_scores_exactly_n_steps():
    found = forecasts.compare(Drift(), recordings(), (1, 4, 7, None), ("mae",))
    assert found["open_loop_mae"] == pytest.approx(0.01)
    assert found["ahead_4_mae"] == pytest.approx(0.04) and found["ahead_7_mae"] == pytest.approx(0.07)
    # free run: the mean over recordings of the mean of 1, ..., rows
    assert found["free_run_mae"] == pytest.approx(0.01 * np.mean([35 / 2, 50 / 2]))


def test_n_steps_ahead_is_a_row_of_blocks_by_hand():
    parts = recordings(sizes=(40,))
    predictor, way = model_predictor(parts), 5
    part, = parts
    want = []
    for phase in range(5):                                # every anchor, as 5 is no more than the number of phases
        for anchor in range(6 + phase, 40 - way + 1, way):
            block = part.part(anchor, anchor + way)
            want.append(predictor(block, None)[-1] - part.y[anchor + way - 1])
    got = forecasts.compare(predictor, parts, (way,), ("mse",))["ahead_5_mse"]
    assert got == pytest.approx(np.mean(np.square(want)), rel=1e-6)


def test_a_recording_too_short_for_n_steps_is_refused():
    with pytest.raises(ValueError, match="r0: predictions 35 steps ahead need 35 rows after the history, got 34; "):
        forecasts.compare(Drift(), recordings(), (35,))


def test_a_prediction_that_diverges_scores_infinity():
    def diverging(recording, steps_ahead):
        return np.where(np.arange(len(recording) - recording.start)[:, None] < 5, 0.0, np.nan) + np.zeros((1, 2))
    found = forecasts.compare(diverging, recordings(), (None,), ("rmse", "nrmse"))
    assert found == {"free_run_rmse": math.inf, "free_run_nrmse": math.inf}


def test_the_model_is_predict_in_the_units_of_the_targets():
    parts = recordings(sizes=(30,))
    predictor = model_predictor(parts)
    scaled = predictor.scaler.transform(parts[0])
    for way in (1, 3, None):
        u, y = (mx.nd.array(values[:, None]) for values in (scaled.x, scaled.y))
        want = predict(predictor.model, u, y, way, washout=6).asnumpy()[:, 0]
        assert_rounded([predictor(parts[0], way)], [predictor.scaler.inverse_targets(want)], TERMS)


@pytest.mark.parametrize("way", [1, 4, None])
def test_nothing_crosses_from_one_recording_to_the_next(way):
    parts = recordings()
    predictor = model_predictor(parts)
    poison = Recording("bad", np.full((30, 1), np.nan), np.full((30, 2), np.nan), 6)
    found = predict_recordings(predictor.model, [poison, parts[0], poison, parts[1]], predictor.scaler, way)
    for (_, together), part in zip(found[1::2], parts):
        assert_rounded([together], [predictor(part, way)], TERMS)                     # batches of other sizes
    assert np.isnan(found[0][1]).all()


def test_scores_of_horizons_by_hand():
    parts = recordings()
    predictor = model_predictor(parts, horizon=3)
    scale, errors = predictor.scaler.y.scale, []
    for part in parts:
        for t in range(part.start, len(part) - 2):
            direct = predictor(part.part(t, t + 3), None)                 # rows t, t + 1, t + 2 from those before t
            errors.append((direct - part.y[t:t + 3]) / scale)
    got = forecasts.horizon_scores(predictor, parts, 3, predictor.scaler)
    assert got == {"horizon_mse": pytest.approx(np.mean(np.square(errors)), rel=1e-5),
                   "horizon_mae": pytest.approx(np.mean(np.abs(errors)), rel=1e-5)}
    assert forecasts.horizon_errors(predictor, parts, 3, predictor.scaler).shape == (34 - 2 + 49 - 2, 3, 2)


def test_a_recording_too_short_for_the_horizon_is_refused():
    parts = recordings(sizes=(8,))
    predictor = model_predictor(parts, horizon=3)
    with pytest.raises(ValueError, match="r0 has 2 rows to predict, and the horizon is 3; pass a longer recording"):
        forecasts.horizon_scores(predictor, parts, 3, predictor.scaler)


@pytest.mark.parametrize("distribution, covered", [("gaussian", "coverage_90"), ("quantile", "coverage_80")])
def test_coverage_and_pinball_loss_by_hand(distribution, covered):
    parts = recordings()
    predictor = model_predictor(parts, distribution=distribution)
    band = Band.of(predictor.model.head)
    quantiles = forecasts.quantiles_of(predictor, parts, (1, 4, None), band)
    found = forecasts.band_scores(parts, quantiles, band)
    assert set(found) == {f"{way}_{name}" for way in ("open_loop", "free_run") for name in (covered, "pinball")}
    inside, losses = [], []
    for part in parts:
        levels = [0.05, 0.95, *np.arange(0.1, 0.95, 0.1)] if distribution == "gaussian" else [0.1, 0.9, 0.1, 0.5, 0.9]
        values, y = predictor.quantiles(part, 1, levels), part.y[part.start:]
        inside.extend(((values[..., 0] <= y) & (y <= values[..., 1])).ravel())
        for place, level in enumerate(levels[2:], start=2):
            losses.extend(np.where(y > values[..., place], level * (y - values[..., place]),
                                   (1 - level) * (values[..., place] - y)).ravel())
    assert found[f"open_loop_{covered}"] == pytest.approx(np.mean(inside))
    assert found["open_loop_pinball"] == pytest.approx(np.mean(losses), rel=1e-6)


def test_bands_of_horizons_are_those_of_direct_forecasts():
    parts = recordings()
    predictor = model_predictor(parts, horizon=3, distribution="student_t")
    values = predictor.horizon_quantiles(parts[0], [0.1, 0.5, 0.9])
    assert values.shape == (32, 3, 2, 3)
    for row in (0, 31):
        direct = predictor.quantiles(parts[0].part(6 + row, 9 + row), None, [0.1, 0.5, 0.9])
        assert_rounded([values[row]], [direct], TERMS)                                # runs of other lengths
    band = Band.of(predictor.model.head, 0.8)
    found = forecasts.horizon_band_scores(predictor, parts, 3, predictor.scaler, band)
    edges = np.concatenate([predictor.horizon_quantiles(part, [0.1, 0.9]) for part in parts])
    lower, upper = edges[..., 0], edges[..., 1]
    y = np.concatenate([forecasts.horizon_targets(part, 3) for part in parts])
    assert found["horizon_coverage_80"] == pytest.approx(np.mean((lower <= y) & (y <= upper)))


def test_point_predictions_have_no_band():
    parts = recordings()
    predictor = forecasts.ModelPredictor(trained(NARX(1, 2, input_size=1, output_size=2)), None, 2)
    assert Band.of(predictor.model.head) is None
    assert forecasts.quantiles_of(predictor, parts, (1,), None) == forecasts.band_scores(parts, {}, None) == {}
    with pytest.raises(ValueError, match="point predictions have no bands; train with distribution"):
        Band.of(predictor.model.head, 0.9)


def test_bands_of_quantile_heads_are_what_they_were_trained_for():
    head = make_distribution("quantile", [0.05, 0.25, 0.5, 0.95])
    band = Band.of(head)
    assert (band.lower, band.upper, band.level, band.scored) == (0.05, 0.95, 0.9, (0.05, 0.25, 0.5, 0.95))
    assert Band.of(head, 0.5).levels == (0.05, 0.25, 0.5, 0.75, 0.95)
    with pytest.raises(ValueError, match="trained for quantiles from 0.05 to 0.95, got levels"):
        Band.of(head, 0.99)
    assert Band.of(make_distribution("quantile", [0.5])) is None
    for level in (0, 1, 90):
        with pytest.raises(ValueError, match="level of a band must lie between 0 and 1"):
            Band.of(make_distribution("gaussian"), level)


def test_a_band_that_diverges_covers_nothing():
    band = Band.of(make_distribution("gaussian"))
    found = band.scores([np.zeros((4, 1))], [np.full((4, 1, len(band.levels)), np.nan)])
    assert found == {"coverage_90": 0.0, "pinball": math.inf}


def test_the_washout_is_no_target():
    part = recordings(sizes=(20,), start=3)[0]
    assert forecasts.beginning(part, 8).start == 8 and forecasts.beginning(part, 2).start == 3
