"""Gradients against central differences in float64: along random directions, which no wrong entry escapes.

A gradient that is off by e gives e . v along a direction v of independent normal numbers, which is 0 with probability
0; with `DIRECTIONS` of them, all below a hundredth of |e| once in 10^8. One direction costs two calls whatever the size
of a variable, where entry by entry costs two for each number.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

DIRECTIONS = 4
STEP = 1e-6
# the rounding noise of a central difference of O(1) values with this step in float64, whose square bounds its error
TOLERANCE = dict(rel=1e-6, abs=1e-7)


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

    def objective():
        return sum((value * head).sum() for value, head in zip(call(), heads))

    for variable in variables:
        variable.attach_grad()
    with autograd.record():
        loss = objective()
    loss.backward()
    named = [(f"variable {i}", variable, variable.grad) for i, variable in enumerate(variables)]
    named += [(name, p.data(), p.grad()) for name, p in block.collect_params().items()]
    assert named, "nothing to differentiate by"
    for name, variable, gradient in named:
        gradient = gradient.asnumpy().copy()
        for _ in range(DIRECTIONS):
            direction = np.random.standard_normal(variable.shape)
            got, want = (gradient * direction).sum(), _slope(objective, variable, direction)
            assert got == pytest.approx(want, **TOLERANCE), name


def _slope(objective, variable, direction):
    """Return the central difference of ``objective()`` along `direction` from where `variable` stands."""
    begin, sides = variable.asnumpy(), []
    for step in (STEP, -STEP):
        variable[:] = mx.nd.array(begin + step * direction, dtype="float64")
        sides.append(objective().asscalar())
    variable[:] = mx.nd.array(begin, dtype="float64")
    return (sides[0] - sides[1]) / (2 * STEP)
