"""Residual analysis: autocorrelation of residuals, and cross-correlation with the inputs.

With residuals e and an input u, both less their means, over T rows:

    r_ee(k) = sum_t e_t e_{t-k} / sum_t e_t^2                                 k = 0, ..., K
    r_ue(k) = sum_t u_{t-k} e_t / sqrt(sum_t u_t^2 sum_t e_t^2)               k = -K, ..., K

Residuals of the true model are white and independent of the inputs: 95 % of the values at k != 0, and of all r_ue, lie
within +- 1.96 / sqrt(T). r_ee outside the band: the noise model is wrong. r_ue outside at k >= 0: an effect of the
inputs is not modelled; at k < 0: the outputs are fed back to the inputs.

References
----------
Ljung (1999), System identification, section 16.6: residual analysis.
Billings and Voon (1983), Structure detection and model validity tests in the identification of nonlinear systems.
"""
import dataclasses

import numpy as np

__all__ = ["ResidualCorrelations", "autocorrelation", "correlate_residuals", "cross_correlation"]


def autocorrelation(residuals, max_lag):
    """Return r_ee(0), ..., r_ee(max_lag).

    Parameters
    ----------
    residuals : (T,) array, or list of them
        Of one target; of several recordings the sums go over all, and no product crosses from one to the next.
    max_lag : int, at least 1

    Returns
    -------
    (max_lag + 1,) float64 array
    """
    parts = _centred(residuals, max_lag, "residuals")
    sums = sum(_products(part, part, max_lag)[max_lag:] for part in parts)
    return sums / sums[0]


def cross_correlation(inputs, residuals, max_lag):
    """Return r_ue(-max_lag), ..., r_ue(max_lag), (2 * max_lag + 1,), of one input and one target; see the module.

    `inputs` and `residuals` are (T,) arrays or lists of them, one a recording; their rows belong together.
    """
    inputs, residuals = _centred(inputs, max_lag, "inputs"), _centred(residuals, max_lag, "residuals")
    if [len(part) for part in inputs] != [len(part) for part in residuals]:
        raise ValueError(f"inputs and residuals must have the same rows, got {[len(part) for part in inputs]} and "
                         f"{[len(part) for part in residuals]}")
    sums = sum(_products(e, u, max_lag) for u, e in zip(inputs, residuals))
    return sums / np.sqrt(sum(u @ u for u in inputs) * sum(e @ e for e in residuals))


def _centred(values, max_lag, name):
    """Return the parts less the mean of all of them."""
    parts = [np.asarray(part, dtype=np.float64) for part in (values if isinstance(values, (list, tuple)) else [values])]
    for part in parts:
        if part.ndim != 1 or not np.isfinite(part).all():
            raise ValueError(f"{name} must be finite numbers of shape (T,), got shape {part.shape} with "
                             f"{int((~np.isfinite(part)).sum())} that are not finite")
    if max(map(len, parts)) <= max_lag:
        raise ValueError(f"{name} have {max(map(len, parts))} rows at most, too few for lags up to {max_lag}; lower "
                         "max_lag or pass longer records")
    mean = np.concatenate(parts).mean()
    parts = [part - mean for part in parts]
    size = max(np.abs(part).max() for part in parts)
    if size <= 1e-14 * abs(mean):                       # no more than the rounding of a constant
        raise ValueError(f"{name} are the same in all rows, so that they correlate with nothing; leave this column out")
    return parts


def _products(later, earlier, max_lag):
    """Return sum_t later_t earlier_{t-k} for k = -max_lag, ..., max_lag."""
    from scipy.signal import correlate  # takes longer to load than to use
    products = correlate(later, earlier, mode="full")                   # k = -(T - 1), ..., T - 1
    products = np.pad(products, max(0, max_lag + 1 - len(later)))       # a short part has no pairs so far apart
    middle = len(products) // 2
    return products[middle - max_lag:middle + max_lag + 1]


@dataclasses.dataclass
class ResidualCorrelations:
    """The correlations of the residuals of one target.

    Parameters
    ----------
    auto : (K + 1,) array
        r_ee(0), ..., r_ee(K).
    cross : dict of (2 K + 1,) arrays
        r_ue(-K), ..., r_ue(K) by name of the input.
    band : float
        1.96 / sqrt(T).
    """

    auto: np.ndarray
    cross: dict
    band: float

    @property
    def max_lag(self):
        """K."""
        return len(self.auto) - 1

    @property
    def outside(self):
        """Share of lags outside the band, by name; "residuals" for lags 1 to K. About 0.05 is to be expected."""
        shares = {"residuals": self.auto[1:], **self.cross}
        return {name: float(np.mean(np.abs(values) > self.band)) for name, values in shares.items()}

    def summary(self):
        """Return one line of text."""
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.outside.items())
        return f"lags outside the 95 % band of +-{self.band:.3f} (5 % expected of white residuals): {shares}"


def correlate_residuals(residuals, inputs, input_names, max_lag=25):
    """Return the `ResidualCorrelations` of one target.

    Parameters
    ----------
    residuals : (T,) array, or list of them
    inputs : (T, Cx) array, or list of them
        Cx may be 0. An input that never changes is left out, as it correlates with nothing.
    input_names : list of str
    max_lag : int, at least 1, default 25
        K; a shorter record takes fewer, at most a quarter of its rows.
    """
    residuals = list(residuals) if isinstance(residuals, (list, tuple)) else [residuals]
    inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    lags = max(1, min(max_lag, max(map(len, residuals)) // 4))
    cross = {name: cross_correlation([part[:, column] for part in inputs], residuals, lags)
             for column, name in enumerate(input_names) if np.ptp(np.concatenate([part[:, column] for part in inputs]))}
    return ResidualCorrelations(autocorrelation(residuals, lags), cross, 1.96 / np.sqrt(sum(map(len, residuals))))
