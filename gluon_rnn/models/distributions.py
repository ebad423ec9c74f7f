r"""Output heads of forecasters: how the outputs of a network describe a value, and the loss for it.

With P numbers a_0, ..., a_{P-1} for each output y, and softplus(a) = log(1 + exp(a)):

    point       y = a_0                                                         loss (y - a_0)^2
    gaussian    y ~ N(mu, s^2), mu = a_0, s = softplus(a_1) + floor             loss -log p(y)
    student_t   y ~ mu + s t_nu, nu = 2.01 + softplus(a_2), at most 200         loss -log p(y)
    quantile    the median a_m, others at distances softplus(a_i) from one to   loss mean over q of the pinball loss
                the next, so that quantiles never cross                         max(q (y - y_q), (q - 1) (y - y_q))

All in the units the network was trained in (scaled ones).

References
----------
Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR: probabilistic forecasting with autoregressive recurrent
networks, section 3.1: likelihood heads. Koenker and Bassett (1978), Regression quantiles: the pinball loss.
"""
import math

import numpy as np
from scipy import stats

from gluon_rnn.registry import Registry

__all__ = ["Distribution", "Point", "Gaussian", "StudentT", "Quantile", "distributions", "make_distribution"]

distributions = Registry("distribution")

_SCALE_FLOOR = 1e-4      # a series that is predicted exactly must not make the likelihood infinite
_LEAST_DF, _MOST_DF = 2.01, 200.0     # finite variance; above 200 it is a Gaussian, and float32 cannot tell


class Distribution:
    """What all heads share: the layout of the raw numbers.

    Attributes
    ----------
    mean_place : int
        Which of the P numbers is the point prediction.
    parameters_per_output : int
        P. Raw numbers (..., K * P) hold those of output k in columns k * P to (k + 1) * P - 1.

    Notes
    -----
    F is mx.nd or mx.sym; K may be the product of horizons and outputs, and need not be known.
    """

    parameters_per_output = 1
    #: whether there is a spread around the mean: bands, samples
    probabilistic = True
    #: which of the P numbers is the point prediction
    mean_place = 0

    def loss(self, F, raw, target):
        """Return the loss of each element: raw (T, N, K * P) and target (T, N, K) to (T, N, K)."""
        raise NotImplementedError(f"{type(self).__name__} must define loss()")

    def mean(self, F, raw):
        """Return the point prediction, raw (T, N, K * P) to (T, N, K)."""
        return self._parts(F, raw)[self.mean_place]

    def shift(self, F, raw, offset):
        """Return the raw numbers of the same distribution moved by `offset` (T, N, K)."""
        first, *others = self._parts(F, raw)
        return self._concat(F, [first + offset, *others])

    def quantiles(self, raw, levels):
        """Return the exact quantiles of raw numbers (..., K * P), NumPy or NDArray, as a (..., K, len(levels)) array.

        ValueError for levels outside (0, 1), or where the head has none.
        """
        raise ValueError(f"{self.name} predictions have no bands; train with distribution gaussian, student_t or "
                         "quantile")

    def sample(self, raw, generator):
        """Draw one value of each output from a `numpy.random.Generator`: raw (..., K * P) to (..., K)."""
        self.quantiles(raw, ())                                           # the same refusal

    @property
    def name(self):
        """The name in the registry."""
        return distributions.name_of(type(self))

    def _parts(self, F, raw):
        """Return the P arrays (T, N, K) of raw numbers (T, N, K * P)."""
        count = self.parameters_per_output
        if count == 1:
            return [raw]
        apart = F.reshape(raw, shape=(0, 0, -4, -1, count))               # (T, N, K, P)
        return list(F.split(apart, num_outputs=count, axis=3, squeeze_axis=True))

    def _concat(self, F, parts):
        return parts[0] if len(parts) == 1 else F.reshape(F.stack(*parts, axis=3), shape=(0, 0, -3))

    def _arrays(self, raw):
        """Return the P arrays (..., K) of raw numbers in float64."""
        raw = np.asarray(raw if isinstance(raw, np.ndarray) else raw.asnumpy(), dtype=np.float64)
        apart = raw.reshape((*raw.shape[:-1], -1, self.parameters_per_output))
        return [apart[..., i] for i in range(self.parameters_per_output)]


def _softplus(F, values):
    return F.Activation(values, act_type="softrelu")


def _softplus_array(values):
    return np.logaddexp(0.0, values)


def check_levels(levels):
    """Return `levels` as an array; ValueError unless they lie in (0, 1)."""
    levels = np.asarray(levels, dtype=np.float64)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantile levels must be a list of numbers between 0 and 1, got {levels.tolist()}")
    return levels


@distributions.register("point")
class Point(Distribution):
    """One number a prediction, and the squared error."""

    probabilistic = False

    def loss(self, F, raw, target):
        """Return (raw - target)^2."""
        return F.square(raw - target)


class _LocationScale(Distribution):
    """A location, a scale, and a standard distribution of SciPy."""

    def quantiles(self, raw, levels):
        """Return SciPy's inverse distribution function at each level; see `Distribution`."""
        location, scale, *shape = (part[..., None] for part in self._values(raw))
        return location + scale * self._standard(*shape).ppf(check_levels(levels))

    def sample(self, raw, generator):
        """Draw one value of each output; see `Distribution`."""
        location, scale, *shape = self._values(raw)
        return location + scale * self._standard(*shape).rvs(size=location.shape, random_state=generator)

    def _scale(self, F, raw):
        return _softplus(F, raw) + _SCALE_FLOOR

    def _values(self, raw):
        """Return location, scale and shape parameters (..., K) of raw numbers, in float64."""
        location, scale, *shape = self._arrays(raw)
        return [location, _softplus_array(scale) + _SCALE_FLOOR, *shape]

    def _standard(self):
        raise NotImplementedError


@distributions.register("gaussian")
class Gaussian(_LocationScale):
    """Normal distribution: location and scale."""

    parameters_per_output = 2

    def loss(self, F, raw, target):
        """Return -log p(y) = (z^2 + log 2 pi) / 2 + log s with z = (y - mu) / s."""
        location, scale = self._parts(F, raw)
        scale = self._scale(F, scale)
        return 0.5 * F.square((target - location) / scale) + F.log(scale) + 0.5 * math.log(2 * math.pi)

    def _standard(self):
        return stats.norm()


@distributions.register("student_t")
class StudentT(_LocationScale):
    """Student's t: location, scale and degrees of freedom nu in [2.01, 200], for errors with outliers."""

    parameters_per_output = 3

    def loss(self, F, raw, target):
        """Return -log p(y).

        log G(nu/2) - log G((nu+1)/2) + log(pi nu)/2 + log s + (nu+1)/2 log(1 + z^2/nu), with G the gamma function.
        """
        location, scale, df = self._parts(F, raw)
        scale, df = self._scale(F, scale), F.minimum(_softplus(F, df) + _LEAST_DF, _MOST_DF)
        square = F.square((target - location) / scale)
        return (F.gammaln(df / 2) - F.gammaln((df + 1) / 2) + 0.5 * F.log(math.pi * df) + F.log(scale)
                + (df + 1) / 2 * F.log1p(square / df))

    def _values(self, raw):
        location, scale, df = super()._values(raw)
        return [location, scale, np.minimum(_softplus_array(df) + _LEAST_DF, _MOST_DF)]

    def _standard(self, df):
        return stats.t(df)


@distributions.register("quantile")
class Quantile(Distribution):
    """Quantiles at fixed levels, which do not cross by construction.

    Parameters
    ----------
    quantiles : sequence of float, default (0.1, 0.5, 0.9)
        Levels in (0, 1), rising; 0.5 is among them, being the point prediction.

    Notes
    -----
    Between its levels the distribution is linear; beyond the outermost ones nothing is known. `quantiles` refuses
    levels there, and `sample` draws the outermost values in their place: samples have short tails.
    """

    def __init__(self, quantiles=(0.1, 0.5, 0.9)):
        self.levels = check_levels(quantiles)
        if 0.5 not in self.levels or (np.diff(self.levels) <= 0).any():
            raise ValueError(f"quantiles must rise and include 0.5, the point prediction, got {list(quantiles)}")
        self.parameters_per_output = len(self.levels)
        self.mean_place = int(np.flatnonzero(self.levels == 0.5)[0])

    def loss(self, F, raw, target):
        """Return the mean over all levels of the pinball loss."""
        total = 0
        for level, quantile in zip(self.levels, self._quantiles(self._parts(F, raw), lambda a: _softplus(F, a))):
            error = target - quantile
            total = total + F.maximum(float(level) * error, float(level - 1) * error)
        return total / len(self.levels)

    def shift(self, F, raw, offset):
        """Return the raw numbers of the same distribution moved by `offset` (T, N, K): its median moves."""
        parts = self._parts(F, raw)
        parts[self.mean_place] = parts[self.mean_place] + offset
        return self._concat(F, parts)

    def quantiles(self, raw, levels):
        """Return quantiles, linear between the levels of the head; see `Distribution`."""
        levels = check_levels(levels)
        if len(levels) and (levels.min() < self.levels[0] or levels.max() > self.levels[-1]):
            raise ValueError(f"this model was trained for quantiles from {self.levels[0]:g} to {self.levels[-1]:g}, "
                             f"got levels {levels.tolist()}; stay between, or train with more quantiles")
        return self._interpolated(self._table(raw), levels)

    def sample(self, raw, generator):
        """Draw one value of each output; see `Notes`."""
        table = self._table(raw)
        drawn = np.clip(generator.uniform(size=table.shape[:-1]), self.levels[0], self.levels[-1])
        return self._interpolated(table, drawn[..., None])[..., 0]

    def _quantiles(self, parts, softplus):
        """Return the quantiles in rising order."""
        found = list(parts)
        for i in range(self.mean_place + 1, len(found)):
            found[i] = found[i - 1] + softplus(parts[i])
        for i in range(self.mean_place - 1, -1, -1):
            found[i] = found[i + 1] - softplus(parts[i])
        return found

    def _table(self, raw):
        return np.stack(self._quantiles(self._arrays(raw), _softplus_array), axis=-1)     # (..., K, P)

    def _interpolated(self, table, levels):
        """Return the values at `levels` (..., L) between the columns of `table` (..., K, P): (..., K, L)."""
        right = np.clip(np.searchsorted(self.levels, levels), 1, max(len(self.levels) - 1, 1))
        if len(self.levels) == 1:
            return np.broadcast_to(table, (*table.shape[:-1], np.shape(levels)[-1])).copy()
        share = (levels - self.levels[right - 1]) / (self.levels[right] - self.levels[right - 1])
        right = np.broadcast_to(right, (*table.shape[:-1], right.shape[-1]))
        low, high = (np.take_along_axis(table, index, axis=-1) for index in (right - 1, right))
        return low + share * (high - low)


def make_distribution(name, quantiles=None):
    """Return the head called `name`; ValueError with the nearest name if there is none.

    `quantiles` are the levels of "quantile", and of no other.
    """
    if quantiles is not None and distributions.get(name) is not Quantile:
        raise ValueError(f"quantiles are the levels of distribution 'quantile', and distribution is {name!r}; "
                         "leave one of them out")
    return distributions.build(name, **({} if quantiles is None else {"quantiles": tuple(quantiles)}))
