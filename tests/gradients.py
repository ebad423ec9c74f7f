"""Central differences in float64 over every variable of a block, or over NumPy arrays."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd


def assert_central_differences(call, block, variables):
    """Compare the gradient of a random weighting of ``call()``, a list of arrays, with central differences."""
    heads = [mx.nd.random.normal(shape=value.shape, dtype="float64") for value in call()]

    def objective():
        return sum((value * head).sum() for value, head in zip(call(), heads))

    for variable in variables:
        variable.attach_grad()
    with autograd.record():
        loss = objective()
    loss.backward()
    pairs = [(v, v.grad) for v in variables] + [(p.data(), p.grad()) for p in block.collect_params().values()]
    for variable, gradient in pairs:
        flat = variable.reshape((-1,))                                    # a view: writing into it moves the variable
        for i, got in enumerate(gradient.asnumpy().ravel()):
            value, sides = float(flat[i].asscalar()), []
            for shift in (1e-6, -1e-6):
                flat[i] = value + shift
                sides.append(objective().asscalar())
            flat[i] = value
            # 1e-7 is the rounding noise of a central difference of O(1) values with a step of 1e-6 in float64
            assert got == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-7)


def assert_numpy_central_differences(loss, arrays, gradients, every):
    """Compare the `gradients`, by name, of ``loss()`` with central differences at every so many places of `arrays`.

    In float64, with a step of 1e-6, whose square bounds the error of a central difference.
    """
    for name, gradient in gradients.items():
        for place in list(np.ndindex(arrays[name].shape))[::every]:
            value, ends = arrays[name][place], []
            for moved in (value + 1e-6, value - 1e-6):
                arrays[name][place] = moved
                ends.append(loss())
            arrays[name][place] = value
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7), (name, place)
