"""Probabilities against SciPy's, at sizes where a naive formula overflows."""
import numpy as np
import pytest
import scipy.special

from gluon_rnn.answers.arithmetic import log_mean_probabilities, log_softmax, median, sigmoid, softmax

EXACT = {"rtol": 1e-13, "atol": 1e-13}          # a few roundings of float64 in another order


@pytest.mark.parametrize("scale", [1, 1e3])
def test_against_scipy(scale):
    logits = (scale * np.random.randn(3, 4, 5)).astype(np.float32)
    values = logits.astype(np.float64)
    np.testing.assert_allclose(softmax(logits), scipy.special.softmax(values, axis=-1), **EXACT)
    np.testing.assert_allclose(log_softmax(logits, axis=1), scipy.special.log_softmax(values, axis=1), **EXACT)
    mean = scipy.special.logsumexp(scipy.special.log_softmax(values, axis=-1), axis=0) - np.log(3)
    np.testing.assert_allclose(log_mean_probabilities(list(logits)), mean, **EXACT)
    np.testing.assert_array_equal(log_mean_probabilities([logits]), log_softmax(logits))


def test_sigmoid_keeps_the_dtype_and_does_not_overflow():
    for dtype, rounding in ((np.float32, 1e-6), (np.float64, 1e-15)):
        values = np.array([-1e4, -90, -1, 0, 1, 90, 1e4], dtype=dtype)
        with np.errstate(over="raise"):
            found = sigmoid(values)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, scipy.special.expit(values), rtol=rounding, atol=1e-38)


@pytest.mark.parametrize("members, expected", [
    ([[1, np.nan], [3, 2], [2, 4]], [2, 4]), ([[np.nan, 1], [np.nan, 3]], [np.nan, 2]), ([[np.nan, 5]], [np.nan, 5]),
    ([[np.nan, 1], [1, np.nan], [3, 2], [2, 4]], [2.5, 3]), ([[np.nan, 1], [2, -np.inf]], [np.inf, -np.inf]),
    ([[np.nan, -np.inf], [np.nan, 3], [1, 3], [7, np.inf]], [np.inf, 3])])
def test_a_median_outvotes_the_nan_of_fewer_than_half(members, expected):
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(median([np.array(each, dtype=np.float64) for each in members]), expected)
