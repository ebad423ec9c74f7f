"""TDNN against its unfolded feed-forward network in NumPy, central differences, and the notation of contexts."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from omegaconf import OmegaConf

from gluon_rnn import nn
from gluon_rnn.nn.tdnn import offsets_of
from tests.gradients import assert_central_differences
from tests.reference import EXACT

CONTEXTS = [[[-2, 0]], [[-2, 0], {-3, -1}], [[-2, 2], {-1, 2}, {-3, 3}], [{0}, {-4, -1, 0}], [{1}, {2}]]
FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
             "identity": lambda a: a}


def make(contexts, hidden_size=3, dtype="float64", **kwargs):
    network = nn.TDNN(hidden_size, contexts=contexts, input_size=2, dtype=dtype, **kwargs)
    network.initialize()
    for parameter in network.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.8, 0.8, shape=parameter.shape, dtype=dtype))
    return network


def unfolded(network, x, states, function):
    """One row (T, C): every unit of every layer and step computed by itself from the units it is connected to."""
    values, finals, states = list(x), [], list(states)
    for layer, offsets in enumerate(network.offsets):
        weight, bias = (getattr(network, f"l{layer}_{kind}").data().asnumpy() for kind in ("weight", "bias"))
        blocks = weight.reshape(weight.shape[0], len(offsets), -1)
        past = list(states.pop(0)) if offsets[0] < 0 else []
        if past:
            finals.append(np.stack((past + values)[-len(past):]))
        above = []
        for t in range(len(values)):
            total = bias.copy()
            for k, offset in enumerate(offsets):
                at = t + offset
                if at < len(values):
                    total += blocks[:, k] @ (values[at] if at >= 0 else past[len(past) + at])
            above.append(function(total))
        values = above
    return np.stack(values), finals


@pytest.mark.parametrize("contexts", CONTEXTS, ids=str)
@pytest.mark.parametrize("activation", list(FUNCTIONS))
def test_is_its_unfolded_feed_forward_network(contexts, activation):
    network = make(contexts, activation=activation)
    x, lengths = np.random.randn(6, 3, 2), [6, 3, 1]
    states = [np.random.randn(*info["shape"]) * network.causal for info in network.state_info(3)]
    outputs, finals = network(mx.nd.array(x, dtype="float64"), [mx.nd.array(s, dtype="float64") for s in states],
                              mx.nd.array(lengths))
    for n, length in enumerate(lengths):
        expected, expected_finals = unfolded(network, x[:length, n], [s[:, n] for s in states], FUNCTIONS[activation])
        np.testing.assert_allclose(outputs[:length, n].asnumpy(), expected, **EXACT)
        assert not outputs[length:, n].asnumpy().any()
        for final, want in zip(finals, expected_finals):
            np.testing.assert_allclose(final[:, n].asnumpy(), want, **EXACT)


@pytest.mark.parametrize("contexts", CONTEXTS[1:3], ids=str)
def test_gradients_are_central_differences(contexts):
    network, lengths = make(contexts), mx.nd.array([5, 2])
    x = mx.nd.random.normal(shape=(5, 2, 2), dtype="float64")
    states = [state + 0.3 * network.causal for state in network.begin_state(2)]

    def call():
        outputs, finals = network(x, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, network, [x, *(states if network.causal else [])])


def test_brackets_are_intervals_and_braces_are_sets_in_yaml_too():
    text = "contexts: [[-2, 2], {-1, 2}, {-7, 0, 2}, {0}]"
    contexts = OmegaConf.to_container(OmegaConf.create(text))["contexts"]
    expected = [(-2, -1, 0, 1, 2), (-1, 2), (-7, 0, 2), (0,)]
    assert [offsets_of(context) for context in contexts] == expected
    assert nn.TDNN(4, contexts=contexts).offsets == expected
    assert nn.TDNN(4, contexts=contexts).receptive_field == (-10, 6)


def test_defaults_dilation_and_sizes():
    network = nn.TDNN([4, 5, 6], dilation=[1, 2, 4], input_size=2)
    assert network.offsets == [(-2, -1, 0), (-4, -2, 0), (-8, -4, 0)] and network.causal
    assert network.receptive_field == (-14, 0) and network.output_size == network.hidden_size == 6
    assert [info["shape"] for info in network.state_info(7)] == [(2, 7, 2), (4, 7, 4), (8, 7, 5)]
    assert nn.TDNN(4, 2).offsets == [(-2, -1, 0)] * 2
    assert not nn.TDNN(4, contexts=[[-2, 0], {-2, 1}]).causal


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_network_without_delays_has_no_states(hybrid):
    network = make([{0}])
    if hybrid:
        network.hybridize()
    x = mx.nd.random.normal(shape=(4, 3, 2), dtype="float64")
    outputs, states = network(x, [])
    assert list(states) == [] and (outputs.asnumpy() == network(x).asnumpy()).all()


def test_dropout_acts_between_layers_in_training_alone():
    network, plain = make([[-1, 0]] * 2, dropout=0.5), make([[-1, 0]] * 2)
    for ours, theirs in zip(plain.collect_params().values(), network.collect_params().values()):
        ours.set_data(theirs.data())
    x = mx.nd.random.normal(shape=(6, 4, 2), dtype="float64")
    assert (network(x).asnumpy() == plain(x).asnumpy()).all()
    with autograd.record():
        trained = network(x).asnumpy()
    assert np.abs(trained - plain(x).asnumpy()).max() > 1e-3


def test_deferred_input_size_and_loading(tmp_path):
    network, other = nn.TDNN(4, 2), nn.TDNN(4, 2)
    network.initialize()
    x = mx.nd.random.normal(shape=(5, 3, 7))
    outputs = network(x)
    assert network.input_size == 7 and network.l0_weight.shape == (4, 21)
    network.save_parameters(str(tmp_path / "p"))
    other.load_parameters(str(tmp_path / "p"))
    assert other.input_size == 7 and (other(x).asnumpy() == outputs.asnumpy()).all()


@pytest.mark.parametrize("call,message", [
    (lambda: nn.TDNN(4, contexts=[[-3, 0, 3]]), r"in braces a set of them .*; got \[-3, 0, 3\]"),
    (lambda: nn.TDNN(4, contexts=[[2, -2]]), r"an interval \[first, last\].*; got \[2, -2\]"),
    (lambda: nn.TDNN(4, contexts=[{-1: 2}]), "a context is an interval"),
    (lambda: nn.TDNN(4, contexts=[{-0.5}]), "a context is an interval .* whole offsets"),
    (lambda: nn.TDNN(4, contexts=[]), "disagree on the number of layers: contexts says 0"),
    (lambda: nn.TDNN(4, 3, [[-1, 0]]), "disagree on the number of layers: contexts says 1, num_layers says 3"),
    (lambda: nn.TDNN([4, 0]), "hidden_size must be a whole number of at least 1, got 0"),
    (lambda: nn.TDNN(4, dilation=0), "dilation must be a whole number of at least 1"),
    (lambda: nn.TDNN(4, activation="tan"), "activation must be one of tanh, relu"),
    (lambda: nn.TDNN(4).begin_state(1), "needs its input size"),
    (lambda: nn.TDNN(4, input_size=3)(mx.nd.ones((5, 1, 4))), "expects 3 input features"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("contexts", CONTEXTS, ids=str)
@pytest.mark.parametrize("hybrid", [False, True])
def test_a_call_without_states_is_one_with_zeros_in_turns_too(contexts, hybrid):
    network, lengths = make(contexts), mx.nd.array([6, 2, 0])
    if hybrid:
        network.hybridize(static_alloc=True)
    x = mx.nd.random.normal(shape=(6, 3, 2), dtype="float64")
    head = mx.nd.random.normal(shape=(6, 3, 3), dtype="float64")
    for valid_length in (None, lengths, None):
        gradients = []
        for states in (None, network.begin_state(3)):
            with autograd.record():
                outputs = network(x, states, valid_length)
                outputs = outputs if states is None else outputs[0]
            outputs.backward(head)
            gradients.append([outputs.asnumpy(), network.l0_weight.grad().asnumpy()])
        for alone, given in zip(*gradients):
            np.testing.assert_allclose(alone, given, **EXACT)
