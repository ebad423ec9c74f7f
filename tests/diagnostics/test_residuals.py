"""Correlations of residuals: against loops, of white and coloured residuals, across recordings."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import autocorrelation, correlate_residuals, cross_correlation


def loop(later, earlier, lag):
    """Sum of later[t] earlier[t - lag] over all pairs that exist."""
    return sum(later[t] * earlier[t - lag] for t in range(len(later)) if 0 <= t - lag < len(earlier))


def test_autocorrelation_is_its_definition():
    e = np.random.randn(30) + 5
    centred = e - e.mean()
    expected = [loop(centred, centred, lag) / (centred @ centred) for lag in range(8)]
    np.testing.assert_allclose(autocorrelation(e, 7), expected, atol=1e-13)


def test_cross_correlation_is_its_definition():
    u, e = np.random.randn(2, 25)
    u, e = u - u.mean(), e - e.mean()
    expected = [loop(e, u, lag) / np.sqrt((u @ u) * (e @ e)) for lag in range(-6, 7)]
    np.testing.assert_allclose(cross_correlation(u, e, 6), expected, atol=1e-13)


def test_no_product_crosses_recordings():
    u, e = [np.random.randn(20), np.random.randn(5)], [np.random.randn(20), np.random.randn(5)]
    lifted = [[part - np.concatenate(parts).mean() for part in parts] for parts in (u, e)]
    size = np.sqrt(sum(a @ a for a in lifted[0]) * sum(a @ a for a in lifted[1]))
    expected = [sum(loop(b, a, lag) for a, b in zip(*lifted)) / size for lag in range(-10, 11)]
    np.testing.assert_allclose(cross_correlation(u, e, 10), expected, atol=1e-13)   # longer lags than the short one


def test_an_input_that_acts_three_rows_later_stands_out_at_lag_three():
    u = np.random.randn(500)
    e = np.concatenate([np.zeros(3), u[:-3]])
    correlations = cross_correlation(u, e, 5)
    assert np.argmax(correlations) == 5 + 3 and correlations[8] > 0.95


def test_white_residuals_stay_in_the_band_and_coloured_ones_leave_it():
    white, inputs = np.random.randn(5000), np.random.randn(5000, 2)
    found = correlate_residuals(white, inputs, ["u", "v"], max_lag=200)
    assert found.band == pytest.approx(1.96 / np.sqrt(5000)) and found.max_lag == 200
    # 200 to 401 lags with 5 % outside: three standard deviations of the share are 0.05
    assert all(share < 0.10 for share in found.outside.values()) and set(found.outside) == {"residuals", "u", "v"}
    coloured = np.convolve(white, [1, 0.8, 0.5], "same")
    assert correlate_residuals(coloured, inputs, ["u", "v"], 4).outside["residuals"] >= 0.5
    assert "residuals" in found.summary() and "\n" not in found.summary()


def test_short_records_take_fewer_lags_and_constant_inputs_are_left_out():
    found = correlate_residuals(np.random.randn(40), np.hstack([np.ones((40, 1)), np.random.randn(40, 1)]),
                                ["constant", "u"])
    assert found.max_lag == 10 and list(found.cross) == ["u"]
    assert correlate_residuals(np.random.randn(40), np.zeros((40, 0)), []).cross == {}


@pytest.mark.parametrize("residuals, sentence", [
    (np.array([1.0, np.nan, 2]), "1 that are not finite"), (np.ones(30), "the same in all rows"),
    (np.full(30, 0.1), "the same in all rows"), (np.random.randn(4), "too few for lags up to 5"),
    (np.zeros((30, 1)), r"shape \(T,\)"),
])
def test_mistakes(residuals, sentence):
    with pytest.raises(ValueError, match=sentence):
        autocorrelation(residuals, 5)


def test_rows_must_belong_together():
    with pytest.raises(ValueError, match="same rows"):
        cross_correlation(np.random.randn(20), np.random.randn(21), 3)
