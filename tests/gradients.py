"""Gradients against central differences in float64, with a tolerance that is derived from the difference itself.

`assert_slopes` compares given gradients with differences; `assert_central_differences` takes gradients from autograd.

Differences are taken along random directions. A gradient that is off by e gives e . v along a direction v of
independent normal numbers, which is 0 with probability 0; with `DIRECTIONS` of them, both are below a hundredth of |e|
once in 16,000. One direction costs two calls whatever the size of a variable; entry by entry costs two for each number.
"""
import math

import mxnet as mx
import numpy as np
from mxnet import autograd

DIRECTIONS = 2
STEP = 1e-6
ROUNDINGS = 16


def central_difference(before, here, after):
    """Return the central difference of an objective, and how far it may lie from the slope.

    The objective f is a sum of terms. ``d = (f(h) - f(-h)) / (2 h)``, h = `STEP`, differs from f'(0) for two reasons:

    - *Rounding.* A term that rests on n rounded operations, on numbers of at most its own size or 1 (activations,
      weights), is off by at most n u max(1, |term|), u = eps / 2. The terms are added exactly (``math.fsum``). Both
      sides of the difference are off by this much, which is n u sum(max(1, |term|)) / h after the division by 2 h. The
      bound assumes that all roundings have one sign. They do not: those of n operations add up as sqrt(n), and those
      of different terms cancel, so that n = `ROUNDINGS` covers terms that rest on some hundred operations.
    - *Curvature.* f'(0) lies between the two one-sided slopes (f(h) - f(0)) / h and (f(0) - f(-h)) / h wherever f' is
      monotone within the step, and d lies half-way: they are off by at most half of their distance, which is
      ``|f(h) - 2 f(0) + f(-h)| / (2 h)``. For a smooth f this is h |f''| / 2, more than the h^2 |f'''| / 6 of Taylor's
      series, as long as f'' does not vanish; and it holds at a kink within the step (rectifier, pinball loss), too.

    Parameters
    ----------
    before, here, after : arrays of NumPy, float64
        The terms of the objective a step before the point, at the point, and a step behind it.

    Returns
    -------
    slope, error : float

    References
    ----------
    Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1; Nocedal & Wright (2006), Numerical
    Optimization, section 8.1.
    """
    low, middle, high = (math.fsum(np.ravel(terms)) for terms in (before, here, after))
    size = max(np.maximum(1, np.abs(terms)).sum() for terms in (before, here, after))
    rounding = ROUNDINGS * np.finfo("float64").eps / 2 * size / STEP
    return (high - low) / (2 * STEP), rounding + abs(high - 2 * middle + low) / (2 * STEP)


def assert_slopes(terms, gradients, gradient_error=0.0):
    """Compare gradients with central differences of ``terms().sum()`` along random directions.

    At least one direction a variable has to be measured to four digits of the slope or the objective: where none is,
    the objective has kinks everywhere or random numbers in it, and the comparison would prove nothing.

    Parameters
    ----------
    terms : function without arguments
        Returns an NDArray of the objective's terms, float64, any shape.
    gradients : {name: (variable, gradient)}
        `variable` is a float64 NDArray that `terms` reads, moved in place and put back; `gradient` an array of NumPy.
    gradient_error : float, default 0
        Known error of each entry of a gradient, where an operator of MXNet has less than float64's digits.
    """
    assert gradients, "nothing to differentiate by"
    here = terms().asnumpy()
    for name, (variable, gradient) in gradients.items():
        slopes, errors = [], []
        for _ in range(DIRECTIONS):
            direction = np.random.standard_normal(variable.shape)
            got = (gradient * direction).sum()
            before, after = (_moved(terms, variable, sign * direction) for sign in (-1, 1))
            slope, error = central_difference(before, here, after)
            error += gradient_error * np.abs(direction).sum()
            assert abs(got - slope) <= error, f"{name}: gradient {got}, central difference {slope} +- {error}"
            slopes.append(slope), errors.append(error)
        assert min(errors) <= 1e-4 * max(np.abs(slopes).max(), np.maximum(1, np.abs(here)).sum()), f"{name}: {errors}"


def assert_central_differences(call, block, variables):
    """Compare the gradient of a random weighting of ``call()``, a list of arrays, with central differences.

    Parameters
    ----------
    call : function without arguments
        Returns a list of float64 arrays computed from `variables` and the parameters of `block`.
    block : Block
    variables : list of NDArray, float64
        Moved in place and put back.
    """
    heads = [mx.nd.random.normal(shape=value.shape, dtype="float64") for value in call()]

    def terms():
        return mx.nd.concat(*[(value * head).reshape((-1,)) for value, head in zip(call(), heads)], dim=0)

    for variable in variables:
        variable.attach_grad()
    with autograd.record():
        loss = terms().sum()
    loss.backward()
    pairs = [(f"variable {i}", variable, variable.grad) for i, variable in enumerate(variables)]
    pairs += [(name, p.data(), p.grad()) for name, p in block.collect_params().items()]
    assert_slopes(terms, {name: (variable, gradient.asnumpy().copy()) for name, variable, gradient in pairs})


def _moved(terms, variable, direction):
    """Return ``terms()`` with `variable` moved by `STEP` along `direction`, and put it back."""
    begin = variable.asnumpy()
    variable[:] = mx.nd.array(begin + STEP * direction, dtype="float64")
    found = terms().asnumpy()
    variable[:] = mx.nd.array(begin, dtype="float64")
    return found
