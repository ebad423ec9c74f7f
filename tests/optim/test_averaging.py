"""The moving average of weights against NumPy."""
import mxnet as mx
import numpy as np
from mxnet import gluon

from gluon_rnn.optim.averaging import WeightAverage


def make():
    parameter = gluon.Parameter("w", shape=(3, 2))
    parameter.initialize(mx.init.Normal(1.0))
    return {"w": parameter}


def test_average_is_numpys_with_a_warm_up():
    parameters = make()
    average = WeightAverage(parameters, 0.8)
    expected = parameters["w"].data().asnumpy().astype("float64")
    for step in range(1, 60):
        weight = np.random.randn(3, 2)
        parameters["w"].set_data(mx.nd.array(weight))
        average.update()
        keep = min(0.8, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * weight
    np.testing.assert_allclose(average.arrays["w"].asnumpy(), expected, rtol=0, atol=1e-6)   # float32


def test_applied_puts_the_weights_back_bit_for_bit():
    parameters = make()
    average = WeightAverage(parameters, 0.8)
    mean = average.arrays["w"].asnumpy()
    parameters["w"].set_data(mx.nd.random.normal(shape=(3, 2)))
    before = parameters["w"].data().asnumpy()
    with average.applied():
        assert np.array_equal(parameters["w"].data().asnumpy(), mean)
    assert np.array_equal(parameters["w"].data().asnumpy(), before)


def test_off_does_nothing():
    parameters = make()
    average = WeightAverage(parameters, 0.0)
    before = parameters["w"].data().asnumpy()
    average.update()
    with average.applied():
        assert np.array_equal(parameters["w"].data().asnumpy(), before)
    assert average.arrays == {}


def test_frozen_parameters_keep_their_average_bit_for_bit():
    parameters = make()
    parameters["v"] = make()["w"]
    average = WeightAverage(parameters, 0.8)
    before = {name: array.asnumpy() for name, array in average.arrays.items()}
    average.frozen = {"v"}
    for parameter in parameters.values():
        parameter.set_data(mx.nd.random.normal(shape=(3, 2)))
    average.update()
    assert [np.array_equal(average.arrays[name].asnumpy(), before[name]) for name in ("w", "v")] == [False, True]


def test_a_checkpoint_without_averages_begins_them_with_the_weights_as_they_are():
    """Those of parameters that are frozen would else stay what they were before the weights were read."""
    parameters = make()
    average = WeightAverage(parameters, 0.8)
    parameters["w"].set_data(mx.nd.array([[1, 2], [3, 4], [5, 6]]))
    average.set_state({}, {"updates": 7})
    assert average.arrays["w"].asnumpy().tolist() == [[1, 2], [3, 4], [5, 6]] and average.state() == {"updates": 0}
