"""RTRL against backpropagation through the live layer and against central differences; `transitions.py` too.

The layers are float64, and both gradients are sums of the same terms in another order: `EXACT`.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.nn import GRU, LSTM, RNN
from gluon_rnn.training.algorithms import RTRL, EmbeddedTransition, transition_of
from tests.gradients import assert_slopes
from tests.reference import EXACT
from tests.training.algorithms.layers import (LAYERS, by_autograd, example, loss_of, make_layer, named, outputs_of,
                                              slope)


def of_sequence(learner, inputs, weights):
    """Return {name: gradient} of the whole sequence, the sum of all steps'."""
    total = {}
    for x, weight in zip(inputs, weights):
        gradients = learner.gradients(slope(learner.step(x), weight))
        total = {name: total.get(name, 0) + gradient for name, gradient in gradients.items()}
    return total


@pytest.mark.parametrize("name", LAYERS)
def test_equals_full_bptt_and_central_differences(name):
    layer = make_layer(name)
    inputs, weights = example(layer)
    found = of_sequence(RTRL(layer, 3), inputs, weights)
    expected = by_autograd(layer, lambda: loss_of(layer, inputs, weights))
    assert list(found) == list(named(layer))
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], **EXACT)
    assert_slopes(lambda: loss_of(layer, inputs, weights),
                  {key: (parameter.data(), found[key]) for key, parameter in named(layer).items()})


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_and_both_products_with_its_jacobian(name):
    """Of the step behind another one, so that the state is not 0; by autograd of y_1 as the inputs x_1 move."""
    layer = make_layer(name)
    learner, (inputs, _) = RTRL(layer, 3), example(layer, 2)
    learner.step(inputs[0])
    transition, state = learner.transition, learner.state
    y, kept = transition.forward(inputs[1], state)
    moved = mx.nd.array(inputs, dtype="float64")
    moved.attach_grad()
    with autograd.record():
        live = outputs_of(layer, moved)[1]
        first = live[:, 0].sum()
    first.backward()
    np.testing.assert_allclose(y, live.asnumpy(), **EXACT)
    units = np.tile(np.eye(transition.state_size), (3, 1, 1))
    _, jacobian, by_inputs = transition.pull_back(kept, units)
    np.testing.assert_allclose(by_inputs[:, 0], moved.grad.asnumpy()[1], **EXACT)
    tangent = np.random.standard_normal(state.shape)
    np.testing.assert_allclose(transition.push_forward(kept, tangent), (jacobian @ tangent[..., None])[..., 0],
                               **EXACT)


@pytest.mark.parametrize("name", ["tanh", "gru", "jordan_decay"])
def test_embedded_tokens_have_gradients_of_their_rows(name):
    layer = make_layer(name)
    table = mx.gluon.Parameter("embedding_weight", shape=(6, 4), dtype="float64")
    table.initialize(mx.init.Normal(1.0))
    tokens, (_, weights) = np.random.randint(0, 5, (7, 3)), example(layer)
    found = of_sequence(RTRL(EmbeddedTransition(transition_of(layer), table), 3), tokens, weights)

    def loss():
        outputs = layer(mx.nd.Embedding(mx.nd.array(tokens), table.data(), input_dim=6, output_dim=4, dtype="float64"))
        return (mx.nd.array(weights, dtype="float64") * mx.nd.tanh(outputs) ** 2).sum()

    expected = by_autograd(layer, loss)
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], **EXACT)
    np.testing.assert_allclose(found["embedding"], table.grad().asnumpy(), **EXACT)
    assert not found["embedding"][5].any() and found["embedding"][tokens[0]].any()     # word 5 did not come


def test_goes_on_from_what_it_carried():
    layer = make_layer("jordan_decay")
    inputs, weights = example(layer)
    one, other = RTRL(layer, 3), RTRL(layer, 3)
    of_sequence(one, inputs[:4], weights[:4])
    other.carried = [array.copy() for array in one.carried]
    ends = [of_sequence(learner, inputs[4:], weights[4:]) for learner in (one, other)]
    for key in ends[0]:
        np.testing.assert_array_equal(ends[0][key], ends[1][key])


def test_updates_at_every_step_lower_the_loss_of_a_running_sequence():
    """Online: a step of gradient descent at each time step, on a target that needs the input of two steps ago.

    At a rate of 0.1 one seed in ten drives the unit that is the output into saturation; at 0.03 none of 13 does.
    """
    layer = make_layer("tanh", 8, input_size=1)
    learner, losses = RTRL(layer), []
    inputs = np.random.choice([-1.0, 1.0], size=1200)
    for t in range(2, len(inputs)):
        error = learner.step(inputs[t].reshape(1, 1)).copy()
        error[:, 0] -= 0.7 * inputs[t - 2]
        error[:, 1:] = 0
        losses.append(float(error[0, 0] ** 2))
        for name, gradient in learner.gradients(2 * error).items():
            parameter = named(layer)[name]
            parameter.set_data(parameter.data() - 0.03 * mx.nd.array(gradient, dtype="float64"))
    # A network that knows nothing of the past has 0.7^2 = 0.49 at best.
    assert np.mean(losses[-200:]) < 0.05


@pytest.mark.parametrize("layer, message", [
    (LSTM(3, input_size=2), "for the layers RNN, GRU and Jordan, got LSTM"),
    (GRU(3, num_layers=2, input_size=2), "take one layer in one direction"),
    (RNN(3, bidirectional=True, input_size=2), "take one layer in one direction"),
    (GRU(3, weight_drop=0.5, input_size=2), "without weight drop"),
    (GRU(3), "does not know its input size yet")])
def test_layers_without_derivatives_are_refused(layer, message):
    with pytest.raises(ValueError, match=message):
        RTRL(layer)


def test_shapes_are_checked():
    learner = RTRL(make_layer("tanh"), 2)
    with pytest.raises(ValueError, match="expected inputs of 2 rows, got shape"):
        learner.step(np.ones((3, 4)))
    learner.step(np.ones((2, 4)))
    with pytest.raises(ValueError, match="expected the gradient of the loss by the output"):
        learner.gradients(np.ones((2, 4)))
