"""Errors of real numbers that were estimated from sequences, target by target, in the units of the targets."""
import numpy as np

from gluon_rnn.metrics.series import mae, mse

__all__ = ["r2", "value_scores"]


def r2(measured, predicted):
    """Return the coefficient of determination, 1 - MSE / variance of the measured (n,): 1 is perfect, 0 is their mean.

    NaN where the measured are all the same, since then there is no spread to explain.
    """
    variance = np.var(np.asarray(measured, dtype=np.float64))
    return 1 - mse(measured, predicted) / float(variance) if variance > 0 else float("nan")


def value_scores(measured, predicted, names):
    """Return {"mse", "rmse", "mae", "r2"} of one target, {"mse_a", ..., "mse_b", ...} of several called a, b, ....

    `measured` and `predicted` are (n, K) with K `names`.
    """
    found = {}
    for column, name in enumerate(names):
        pair, suffix = (measured[:, column], predicted[:, column]), f"_{name}" if len(names) > 1 else ""
        found[f"mse{suffix}"] = mse(*pair)
        found[f"rmse{suffix}"] = mse(*pair) ** 0.5
        found[f"mae{suffix}"] = mae(*pair)
        found[f"r2{suffix}"] = r2(*pair)
    return found
