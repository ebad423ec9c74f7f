"""Scores by hand and against scikit-learn; what cannot be scored is refused."""
import numpy as np
import pytest

from gluon_rnn.metrics import series as scores


def test_scores_by_hand():
    measured, predicted = np.array([[1.0], [2], [3], [4]]), np.array([[1.0], [2], [3], [6]])
    assert scores.mse(measured, predicted) == 1 and scores.rmse(measured, predicted) == 1
    assert scores.mae(measured, predicted) == 0.5
    assert scores.nmse(measured, predicted) == pytest.approx(1 / 1.25)          # variance 1.25
    assert scores.nrmse(measured, predicted) == pytest.approx(1 / np.sqrt(1.25))
    assert scores.fit(measured, predicted) == pytest.approx(100 * (1 - 2 / np.sqrt(5)))   # norms 2 and sqrt(5)


def test_the_mean_scores_one_and_fits_nothing():
    measured = np.random.randn(50, 3) * [1, 10, 100]
    mean = np.broadcast_to(measured.mean(axis=0), measured.shape)
    assert scores.nmse(measured, mean) == pytest.approx(1) and scores.nrmse(measured, mean) == pytest.approx(1)
    assert scores.fit(measured, mean) == pytest.approx(0, abs=1e-12)
    assert scores.fit(measured, measured) == 100 and scores.nrmse(measured, measured) == 0


def test_recordings_count_as_one_record():
    measured, predicted = np.random.randn(2, 30, 2)
    whole, parts = (scores.series_scores(*pair) for pair in (
        (measured, predicted), ([measured[:7], measured[7:]], [predicted[:7], predicted[7:]])))
    assert whole == parts and list(whole) == ["rmse", "nrmse", "mse", "nmse", "mae", "fit"]


def test_against_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    measured, predicted = np.random.randn(2, 40, 2)
    assert scores.mse(measured, predicted) == pytest.approx(metrics.mean_squared_error(measured, predicted))
    assert scores.mae(measured, predicted) == pytest.approx(metrics.mean_absolute_error(measured, predicted))
    assert 1 - scores.nmse(measured, predicted) == pytest.approx(metrics.r2_score(measured, predicted))
    levels = [0.1, 0.5, 0.9]
    quantiles = np.random.randn(40, 2, 3)
    expected = [metrics.mean_pinball_loss(measured, quantiles[..., at], alpha=level)
                for at, level in enumerate(levels)]
    assert scores.pinball(measured, quantiles, levels) == pytest.approx(np.mean(expected))


def test_pinball_is_least_at_the_quantile():
    measured = np.random.randn(2001, 1)
    best = np.quantile(measured, 0.8)
    losses = [scores.pinball(measured, np.full((2001, 1, 1), best + step), [0.8]) for step in (-0.05, 0, 0.05)]
    assert losses[1] < losses[0] and losses[1] < losses[2]


def test_coverage():
    measured = np.arange(10.0)[:, None]
    assert scores.coverage(measured, measured * 0 + 2, measured * 0 + 5) == 0.4     # both edges count


def test_a_run_out_of_bounds_scores_inf():
    measured = np.array([[1.0], [2.0]])
    with np.errstate(all="raise"):
        assert scores.rmse(measured, np.array([[1.0], [1e200]])) == np.inf
    assert scores.nrmse(measured, np.array([[1.0], [np.inf]])) == np.inf


@pytest.mark.parametrize("measured, predicted, sentence", [
    ([[1.0], [2]], [[np.nan], [2]], "predicted has 1 NaN, the first in row 0"),
    ([[1.0], [np.nan]], [[1.0], [2]], "measured has 1 NaN, the first in row 1"),
    ([[1.0], [2]], [[1.0, 2], [2, 1]], r"same shape, got \(2, 1\) and \(2, 2\)"),
    (np.zeros((0, 1)), np.zeros((0, 1)), "nothing to score"),
    ([[3.0], [3]], [[1.0], [2]], "no spread"),
])
def test_what_cannot_be_scored(measured, predicted, sentence):
    with pytest.raises(ValueError, match=sentence):
        scores.nrmse(np.array(measured), np.array(predicted))


def test_levels_of_quantiles():
    with pytest.raises(ValueError, match="between 0 and 1"):
        scores.pinball(np.zeros((3, 1)), np.zeros((3, 1, 1)), [50])
    with pytest.raises(ValueError, match=r"shape \(3, 1, 2\)"):
        scores.pinball(np.zeros((3, 1)), np.zeros((3, 1, 1)), [0.1, 0.9])
