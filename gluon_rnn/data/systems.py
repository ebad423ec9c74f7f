"""Generated systems with exactly known equations: NARMA-10, Mackey-Glass, and a nonlinear plant with known noise.

Each recording has a random generator of its own, seeded with the seed, the split and its number: the test recordings
do not depend on the size of the training split.
"""
import functools

import numpy as np

from gluon_rnn.data.readers import SPLITS
from gluon_rnn.data.series import Recording, SeriesSet
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest

__all__ = ["NARMA", "MackeyGlass", "Plant", "mackey_glass", "narma", "plant"]

TRIES = 100


class _System(SeriesSet):
    """Recordings drawn split by split."""

    def __init__(self, draw, counts, seed, input_names, target_names, noise):
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"seed must be a whole number of at least 0, got {seed!r}")
        check_sizes(train=counts[0], valid=counts[1])
        if counts[2]:
            check_sizes(test=counts[2])
        parts = {}
        for index, (split, count) in enumerate(zip(SPLITS, counts)):
            for number in range(count):
                x, y = draw(np.random.default_rng([seed, index, number]), split)
                parts.setdefault(split, []).append(Recording(f"{split} {number}", x, y))
        super().__init__(parts, input_names, target_names, noise=noise)


def narma(u, noise):
    """Return y of the NARMA-10 system for inputs u (T,) and noise (T,), from y = u = 0 before the first row; (T,).

    Row t + 1 of y is 0.3 y_t + 0.05 y_t (y_t + ... + y_{t-9}) + 1.5 u_{t-9} u_t + 0.1 + noise_{t+1}.
    """
    y = [0.0] * 10                                               # y_{t-9}, ..., y_t
    past = [0.0] * 9 + [float(value) for value in u]             # past[t] is u_{t-9}
    for t in range(len(u) - 1):
        last = y[-1]
        y.append(0.3 * last + 0.05 * last * sum(y[-10:]) + 1.5 * past[t] * past[t + 9] + 0.1 + float(noise[t + 1]))
        if not abs(y[-1]) < 10:                                  # the stable regime stays below 2
            break
    return np.array(y[9:])


@datasets.register("narma")
class NARMA(_System):
    """The tenth-order nonlinear autoregressive moving average system.

        y_{t+1} = 0.3 y_t + 0.05 y_t sum_{i=0..9} y_{t-i} + 1.5 u_{t-9} u_t + 0.1 + e_{t+1}

    with u uniform on [0, 0.5] and e normal. Row t of a recording holds u_t and y_t, so that a NARX model of it has
    input_delay 1, input_lag 9 and output_lag 10. Rarely a sequence of large inputs drives the system out of its
    stable regime, and it diverges. Such a recording (any |y| of 10 or more; the stable regime stays below 2) is
    discarded and the next one of the same generator is taken: the remaining inputs are uniform, conditional on
    stability.

    Parameters
    ----------
    steps : int, at least 20, default 2000
        Rows of each recording, after a transient of 200 steps from y = 0 that is not kept.
    train, valid, test : int, default 4, 1, 1
        Numbers of recordings; `test` may be 0.
    seed : int, default 0
    noise : float, default 0
        Standard deviation of e, in units of y.

    Attributes
    ----------
    noise : float
        The same: e is independent of everything before it, so no one-step predictor has a smaller error, and the
        equation reaches it.

    References
    ----------
    Atiya and Parlos (2000), New results on recurrent network training: unifying the algorithms and accelerating
    convergence, IEEE Transactions on Neural Networks 11: the tenth-order system of the examples.
    """

    def __init__(self, steps=2000, train=4, valid=1, test=1, seed=0, noise=0.0):
        _check_numbers(steps, noise)
        super().__init__(functools.partial(self._draw, steps, noise), (train, valid, test), seed, ["u"], ["y"],
                         float(noise))

    @staticmethod
    def _draw(steps, noise, rng, split):
        transient = 200
        for _ in range(TRIES):
            u = rng.uniform(0, 0.5, transient + steps)
            y = narma(u, noise * rng.standard_normal(transient + steps))
            if len(y) == len(u) and abs(y[-1]) < 10:
                return u[transient:, None], y[transient:, None]
        raise ValueError(f"NARMA-10 with noise {noise} left its stable regime in {TRIES} draws of {steps} steps; lower "
                         "noise or steps")


def mackey_glass(history, units, step=0.1, tau=17.0, a=0.2, b=0.1, n=10):
    """Return the solution x at 0, step, 2 step, ... up to `units` units of time, from a constant history; 1-D array.

    Runge-Kutta of order 4; the delayed value in the middle of a step is that of the cubic with the values and slopes at
    both ends (Hermite), whose error is of order 4 as well.

    Parameters
    ----------
    history : float
        x(t) for t <= 0.
    units : float
    step : float, default 0.1
        `tau` must be a multiple of it: higher derivatives jump at multiples of tau, which are ends of steps then.
    tau, a, b, n : float
        See `MackeyGlass`.
    """
    delay = round(tau / step)
    if delay < 1 or abs(delay * step - tau) > 1e-9:
        raise ValueError(f"tau must be a multiple of step, got tau {tau} and step {step}")

    def production(late):
        return a * late / (1 + late ** n)

    x, middles = [float(history)] * (delay + 1), [float(history)] * delay
    slope = production(x[0]) - b * x[-1]
    for _ in range(round(units / step)):
        middle, end = production(middles[-delay]), production(x[-delay])
        now = x[-1]
        k2 = middle - b * (now + step * slope / 2)
        k3 = middle - b * (now + step * k2 / 2)
        k4 = end - b * (now + step * k3)
        x.append(now + step * (slope + 2 * k2 + 2 * k3 + k4) / 6)
        before, slope = slope, end - b * x[-1]
        middles.append((now + x[-1]) / 2 + step * (before - slope) / 8)
    return np.array(x[delay:])


@datasets.register("mackey_glass")
class MackeyGlass(_System):
    """The Mackey-Glass delay differential equation, chaotic, without inputs.

        dx/dt = a x(t - tau) / (1 + x(t - tau)^n) - b x(t),        a = 0.2, b = 0.1, n = 10

    Each recording begins from a constant history of its own, drawn from [0.5, 1.5]; the first 1,000 units of time, the
    transient, are discarded.

    Parameters
    ----------
    steps : int, at least 20, default 3000
        Rows of each recording.
    train, valid, test : int, default 1, 1, 1
        Numbers of recordings; `test` may be 0.
    seed : int, default 0
    tau : float, default 17.0
        A multiple of 0.1; 17 is mildly chaotic, 30 more so.
    sampling : int, at least 1, default 1
        Units of time from one row to the next; 6 is common as well.

    Attributes
    ----------
    noise : 0.0
        The next value is a function of the past tau units of time, up to the samples between which it is not seen.

    References
    ----------
    Mackey and Glass (1977), Oscillation and chaos in physiological control systems, Science 197.
    Jaeger and Haas (2004), Harnessing nonlinearity, Science 304: error 84 units of time ahead.
    """

    def __init__(self, steps=3000, train=1, valid=1, test=1, seed=0, tau=17.0, sampling=1):
        _check_numbers(steps, 0.0)
        check_sizes(sampling=sampling)
        super().__init__(functools.partial(self._draw, steps, tau, sampling), (train, valid, test), seed, [], ["x"],
                         0.0)

    @staticmethod
    def _draw(steps, tau, sampling, rng, split):
        transient, step = 1000, 0.1
        x = mackey_glass(rng.uniform(0.5, 1.5), transient + steps * sampling, step, tau)
        rows = round(transient / step) + round(sampling / step) * np.arange(steps)
        return np.zeros((steps, 0)), x[rows, None]


def plant(u, noise):
    """Return y of the plant for inputs u (T,) and noise (T,) in the equation, from rest; (T,). See `Plant`."""
    y, before = [0.0], 0.0
    for u_t, e in zip(u[:-1], noise[1:]):
        last = y[-1]
        y.append(float(last * before * (last + 2.5) / (1 + last ** 2 + before ** 2) + u_t + e))
        before = last
    return np.array(y)


@datasets.register("plant")
class Plant(_System):
    """A nonlinear plant of second order with one input and one output, with noise of known strength.

        z_{t+1} = z_t z_{t-1} (z_t + 2.5) / (1 + z_t^2 + z_{t-1}^2) + u_t + w_{t+1},       y_t = z_t + v_t

    from rest, z_0 = z_{-1} = 0. Either w or v is normal with the standard deviation `noise`, the other is 0. Row t of a
    recording holds u_t and y_t: a NARX model of it has input_delay 1, input_lag 0 and output_lag 2.

    Parameters
    ----------
    steps : int, at least 20, default 2000
        Rows of each recording.
    train, valid, test : int, default 4, 1, 1
        Numbers of recordings; `test` may be 0.
    seed : int, default 0
    noise : float, default 0.1
        In units of y.
    noise_model : {"equation_error", "output_error"}, default "equation_error"
        "equation_error": w, which goes round in the plant as in a NARX model. "output_error": v, only measured.
    test_input : {"uniform", "sine"}, default "uniform"
        "uniform" on [-2, 2], drawn at each step, as in training; "sine" is sin(2 pi t / 25).

    Attributes
    ----------
    noise : float
        Error of the best one-step predictor, exactly `noise`. The noise is independent of all that is known before
        it, so no predictor has a lower error. The equation itself reaches it: fed with the measured y under an
        equation error, in a free run from rest under an output error.
    free_run_noise : float or None
        Error of the best free run: `noise` under an output error. Under an equation error, whose noise stays in the
        plant, it is larger and has no closed form, unless `noise` is 0.

    References
    ----------
    Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks, IEEE
    Transactions on Neural Networks 1: example 2, which is without noise.
    """

    def __init__(self, steps=2000, train=4, valid=1, test=1, seed=0, noise=0.1, noise_model="equation_error",
                 test_input="uniform"):
        _check_numbers(steps, noise)
        _check_choice("noise_model", noise_model, ("equation_error", "output_error"))
        _check_choice("test_input", test_input, ("uniform", "sine"))
        super().__init__(functools.partial(self._draw, steps, noise, noise_model, test_input), (train, valid, test),
                         seed, ["u"], ["y"], float(noise))
        self.free_run_noise = float(noise) if noise_model == "output_error" or not noise else None

    @staticmethod
    def _draw(steps, noise, noise_model, test_input, rng, split):
        u, e = rng.uniform(-2, 2, steps), noise * rng.standard_normal(steps)
        if split == "test" and test_input == "sine":
            u = np.sin(2 * np.pi * np.arange(steps) / 25)
        y = plant(u, e) if noise_model == "equation_error" else plant(u, np.zeros(steps)) + e
        return u[:, None], y[:, None]


def _check_numbers(steps, noise):
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 20:
        raise ValueError(f"steps must be a whole number of at least 20, got {steps!r}")
    if isinstance(noise, bool) or not isinstance(noise, (int, float)) or not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a standard deviation of at least 0, got {noise!r}")


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}; {suggest(value, choices)}")
