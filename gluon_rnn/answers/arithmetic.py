"""Probabilities in NumPy: softmax, and means of probabilities in log space."""
import numpy as np

__all__ = ["log_mean_probabilities", "log_softmax", "sigmoid", "softmax"]


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


def sigmoid(logits):
    """Return 1 / (1 + exp(-x)) of an array in its own dtype, without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    powers = np.exp(-np.abs(logits))                                      # in (0, 1]
    return np.where(logits >= 0, 1, powers) / (1 + powers)
