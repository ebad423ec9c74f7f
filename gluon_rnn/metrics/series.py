"""Errors of predictions of series, in units of the targets and relative to their spread.

Measured and predicted values are arrays (T, Ky), or lists of them, one a recording, whose rows count alike. Of several
targets each score is the mean, but that root mean square errors are roots of the mean square of all.
"""
import numpy as np

__all__ = ["coverage", "fit", "mae", "mse", "nmse", "nrmse", "pinball", "rmse", "series_scores"]


def mse(measured, predicted):
    """Return the mean square error."""
    return float(np.mean(_squares(*_pair(measured, predicted))))


def rmse(measured, predicted):
    """Return the root mean square error, in units of the target."""
    return float(np.sqrt(mse(measured, predicted)))


def mae(measured, predicted):
    """Return the mean absolute error, in units of the target."""
    measured, predicted = _pair(measured, predicted)
    return float(np.mean(np.abs(measured - predicted)))


def nmse(measured, predicted):
    """Return the mean square error over the variance of the measured target on the same rows; 1 is its mean's."""
    return float(np.mean(_relative(measured, predicted)))


def nrmse(measured, predicted):
    """Return the root of `nmse`: of one target, the root mean square error over the standard deviation."""
    return float(np.sqrt(nmse(measured, predicted)))


def fit(measured, predicted):
    """Return 100 (1 - ||y - prediction|| / ||y - mean(y)||): 100 is perfect, 0 is the mean, below is worse than it."""
    return float(np.mean(100 * (1 - np.sqrt(_relative(measured, predicted)))))


def pinball(measured, quantiles, levels):
    """Return the mean pinball loss, max(q (y - p), (q - 1) (y - p)) for the predicted quantile p of level q.

    Parameters
    ----------
    measured : (T, Ky) array or list of those
    quantiles : (T, Ky, Q) array or list of those
    levels : (Q,) numbers in (0, 1)

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles.
    """
    levels = np.asarray(levels, dtype=np.float64)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"levels of quantiles must lie between 0 and 1, got {levels.tolist()}")
    measured, quantiles = _rows(measured, "measured"), _rows(quantiles, "quantiles")
    if quantiles.shape != (*measured.shape, len(levels)):
        raise ValueError(f"quantiles must have shape {(*measured.shape, len(levels))}, got {quantiles.shape}")
    over = measured[..., None] - quantiles
    return float(np.mean(np.maximum(levels * over, (levels - 1) * over)))


def coverage(measured, lower, upper):
    """Return the share of measured values from `lower` to `upper`, which should be the level of the band."""
    measured, lower = _pair(measured, lower)
    _, upper = _pair(measured, upper)
    return float(np.mean((lower <= measured) & (measured <= upper)))


def series_scores(measured, predicted):
    """Return {"rmse", "nrmse", "mse", "nmse", "mae", "fit"} of one prediction."""
    return {score.__name__: score(measured, predicted) for score in (rmse, nrmse, mse, nmse, mae, fit)}


def _rows(values, name):
    """Return `values` as one float64 array over all recordings, without NaN."""
    parts = values if isinstance(values, (list, tuple)) else [values]
    rows = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if len(parts) else np.zeros(0)
    if not rows.size:
        raise ValueError(f"there is nothing to score: {name} has shape {rows.shape}; lags or washout take every row")
    if np.isnan(rows).any():
        where = int(np.argwhere(np.isnan(rows))[0][0])
        raise ValueError(f"{name} has {int(np.isnan(rows).sum())} NaN, the first in row {where}; a score of what is "
                         "left would flatter, so predict or leave out the same rows for every method")
    return rows


def _pair(measured, predicted):
    measured, predicted = _rows(measured, "measured"), _rows(predicted, "predicted")
    if measured.shape != predicted.shape:
        raise ValueError(f"measured and predicted must have the same shape, got {measured.shape} and "
                         f"{predicted.shape}; score the same rows")
    return measured, predicted


def _squares(measured, predicted):
    with np.errstate(over="ignore"):                 # a free run that goes out of bounds has the error inf
        return (measured - predicted) ** 2


def _relative(measured, predicted):
    """Return the mean square error of each target over its variance, (Ky,)."""
    measured, predicted = _pair(measured, predicted)
    if (measured.max(axis=0) == measured.min(axis=0)).any():
        raise ValueError(f"a measured target is the same in all {len(measured)} rows that are scored, so that there is "
                         "no spread to relate an error to; score more rows, or use rmse")
    return np.mean(_squares(measured, predicted), axis=0) / np.var(measured, axis=0)
