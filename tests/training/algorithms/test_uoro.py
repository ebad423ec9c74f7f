"""UORO's estimates have RTRL's gradient as their mean; what is forgotten by going back one step only is far outside."""
import numpy as np
import pytest

from gluon_rnn.training.algorithms import RTRL, UORO
from tests.training.algorithms.layers import LAYERS, example, make_layer, slope

DRAWS = 4000


def estimates_of(learner, inputs, weights):
    """Return the gradient of each row by the parameters, (N, P), of the loss at the last step of a sequence."""
    for x in inputs:
        y = learner.step(np.repeat(x, len(learner.state), axis=0))
    return learner.row_gradients(slope(y, weights[-1]))


@pytest.mark.parametrize("name", LAYERS)
def test_the_mean_over_draws_is_rtrls_gradient(name):
    """Within six standard errors of the mean for each of some 60 numbers: 1e-7 of a right method is refused.

    The rows of one batch are the draws. The loss is that of the last step, so that all of it but the last summand
    rests on the random vectors.
    """
    np.random.seed(7)                                                     # no rectifier is off at all steps
    layer = make_layer(name)
    inputs, weights = example(layer, steps=5, rows=1)
    exact = estimates_of(RTRL(layer), inputs, weights)[0]
    estimates = estimates_of(UORO(layer, DRAWS, np.random.RandomState(1)), inputs, weights)
    mean, error = estimates.mean(axis=0), estimates.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(mean - exact) <= 6 * error + 1e-9).all()
    last = RTRL(layer)
    last.state = _state_before(layer, inputs)
    alone = last.step(inputs[-1])
    one_step = last.row_gradients(slope(alone, weights[-1]))[0]          # gradients one step back: k2 = 1
    assert (np.abs(one_step - exact) > 10 * error + 1e-6).any()


def _state_before(layer, inputs):
    learner = RTRL(layer)
    for x in inputs[:-1]:
        learner.step(x)
    return learner.state


def test_one_seed_gives_one_estimate_and_it_goes_on_from_what_it_carried():
    layer = make_layer("gru")
    inputs, weights = example(layer, steps=6, rows=1)
    whole = UORO(layer, 2, np.random.RandomState(3))
    expected = estimates_of(whole, inputs, weights)
    random = np.random.RandomState(3)
    begin, end = UORO(layer, 2, random), UORO(layer, 2, random)
    estimates_of(begin, inputs[:4], weights[:4])
    end.carried = begin.carried
    np.testing.assert_array_equal(estimates_of(end, inputs[4:], weights[4:]), expected)


def test_gradients_are_the_sum_of_the_rows():
    layer = make_layer("jordan_decay")
    learner = UORO(layer, 4, np.random.RandomState(0))
    for x in np.random.standard_normal((3, 4, 4)):
        y = learner.step(x)
    rows = learner.row_gradients(y)
    total = np.concatenate([gradient.ravel() for gradient in learner.gradients(y).values()])
    np.testing.assert_allclose(total, rows.sum(axis=0), rtol=1e-12)
