"""Probabilities in NumPy: softmax, means of probabilities in log space; the median of several models."""
import numpy as np

__all__ = ["log_mean_probabilities", "log_softmax", "median", "sigmoid", "softmax"]


def log_softmax(logits, axis=-1):
    """Return log softmax of logits (..., K), float64, of which the largest is taken away first."""
    values = np.asarray(logits, dtype=np.float64)
    values = values - values.max(axis=axis, keepdims=True)
    return values - np.log(np.exp(values).sum(axis=axis, keepdims=True))


def softmax(logits, axis=-1):
    """Return softmax of logits (..., K), float64.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    values = np.asarray(logits, dtype=np.float64)
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_mean_probabilities(logits):
    """Return log p (..., K) float64, p being the mean over models of softmax of logits, a list of (..., K) arrays."""
    log_p = np.stack([log_softmax(one) for one in logits])                # (M, ..., K)
    return log_p[0] if len(log_p) == 1 else np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p))


def median(predictions):
    """Return the median of the predictions of M models, a list of (...) arrays: (...) in their dtype.

    A free run that diverges overflows, and its infinities then differ by NaN: a model's NaN counts as infinity, so that
    half of the models must diverge before the median does. Where all of them have NaN it is NaN.

    >>> median([np.array([1.0, np.nan]), np.array([2.0, np.nan]), np.array([np.nan, np.nan])]).tolist()
    [2.0, nan]
    """
    values = np.asarray(predictions)
    if len(values) == 1:
        return values[0]
    missing = np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):                    # the mean of two infinities in the middle
        found = np.median(np.where(missing, np.inf, values), axis=0)
    return np.where(missing.all(axis=0), np.nan, found)


def sigmoid(logits):
    """Return 1 / (1 + exp(-x)) of an array in its own dtype, without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    powers = np.exp(-np.abs(logits))                                      # in (0, 1]
    return np.where(logits >= 0, 1, powers) / (1 + powers)
