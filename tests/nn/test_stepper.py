"""One step at a time: states that are set and reset, parameters that change, refusals; steps are in `test_contract`."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import GRU, LSTM
from tests.reference import EXACT


@pytest.fixture
def layer():
    block = LSTM(5, num_layers=2, input_size=3, dtype="float64")
    block.initialize()
    return block


def test_states_are_copies_that_can_be_set_again(layer):
    stepper, steps = layer.stepper(2), np.random.standard_normal((4, 2, 3))
    stepper(steps[0])
    before = stepper.states
    first = stepper(steps[1]).copy()
    stepper(steps[2])
    stepper.states = before
    np.testing.assert_array_equal(stepper(steps[1]), first)


def test_it_goes_on_from_states_of_the_block(layer):
    inputs = mx.nd.random.normal(shape=(4, 1, 3), dtype="float64")
    _, states = layer(inputs, layer.begin_state(1))
    stepper = layer.stepper()
    stepper.states = states
    np.testing.assert_allclose(stepper(inputs[0].asnumpy()), layer(inputs[:1], states)[0][0].asnumpy(), **EXACT)


def test_reset_goes_back_to_the_beginning(layer):
    stepper, step = layer.stepper(), np.random.standard_normal((1, 3))
    first = stepper(step).copy()
    assert abs(stepper(step) - first).max() > 0
    stepper.reset()
    np.testing.assert_array_equal(stepper(step), first)


def test_parameters_that_change_are_seen(layer):
    stepper, step = layer.stepper(), np.random.standard_normal((1, 3))
    stepper(step)
    layer.l0_i2h_weight.set_data(layer.l0_i2h_weight.data() * 2)
    stepper.reset()
    np.testing.assert_allclose(stepper(step), layer(mx.nd.array(step[None], dtype="float64"))[0].asnumpy(), **EXACT)


def test_steppers_of_one_block_are_apart(layer):
    one, other, step = layer.stepper(), layer.stepper(), np.random.standard_normal((1, 3))
    first = one(step).copy()
    one(step)
    np.testing.assert_array_equal(other(step), first)


def test_a_block_of_token_ids_whose_sizes_are_open():
    model = LanguageModel(7, GRU(4), embed_size=3)
    model.initialize()
    stepper, ids = model.stepper(2), np.array([[1, 2], [3, 4], [5, 6]])
    steps = np.stack([stepper(step).copy() for step in ids])
    # float32: other operators than those of the whole; a few roundings of sums of four products below 1
    np.testing.assert_allclose(steps, model(mx.nd.array(ids, dtype="int32")).asnumpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (3,)])
def test_another_shape_is_one_sentence(layer, shape):
    stepper = layer.stepper()
    stepper(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"a step of LSTM expects inputs of shape \(1, 3\), got"):
        stepper(np.zeros(shape))


def test_states_of_another_batch_are_refused(layer):
    with pytest.raises(ValueError, match=r"expects states of shapes \[\(2, 1, 5\), \(2, 1, 5\)\], got"):
        layer.stepper().states = layer.begin_state(2)
