"""Small TDNNs with gradients in NumPy: against differences, the block unhybridized, and what else autograd may ask."""
from concurrent.futures import ThreadPoolExecutor

import gluon_rnn  # noqa: F401
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.nn import small_tdnn
from tests.gradients import assert_numpy_central_differences

NETWORKS = {"causal": [[-2, 0], {-3, 0}], "ahead": [[-1, 2], {0}, {-2, 1}], "uneven": [{-3, 0, 1}, {-2}],
            "further than a sequence": [{-30, 3}, {20}]}
ACTIVATIONS = ("tanh", "relu", "sigmoid", "softrelu", "softsign", "identity")


def make(name="causal", hidden_size=(6, 4, 5), **kwargs):
    network = nn.TDNN(list(hidden_size[:len(NETWORKS[name])]), contexts=NETWORKS[name], input_size=3,
                      bias_initializer=mx.init.Uniform(0.5), weight_initializer=mx.init.Uniform(0.7), **kwargs)
    network.initialize()
    return network


def hybridized(network, inputs, **flags):
    """Hybridize the `network` and let it make its graphs, in two calls."""
    network.hybridize(**flags)
    network(inputs)
    network(inputs)
    return network


def is_small(network, inputs):
    """Whether a recorded call with `inputs` runs in NumPy."""
    with autograd.record():
        return network._fastest(inputs, inputs.shape, inputs.context) is network._small


def everything(network, inputs):
    """Outputs and the gradients of all parameters and, if it has one, the inputs."""
    with autograd.record():
        outputs = network(inputs)
    outputs.backward(mx.nd.cos(outputs))
    gradients = [parameter.grad() for parameter in network.collect_params().values() if parameter.grad_req != "null"]
    return [array.asnumpy() for array in [outputs, *gradients, *([] if inputs.grad is None else [inputs.grad])]]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)      # float32, sums over at most 40 steps


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_differences(name, activation):
    draw, contexts = np.random.default_rng(1), NETWORKS[name]
    sizes, arrays = [3, 5, 4, 2], {"inputs": draw.normal(size=(6, 2, 3))}
    for place, context in enumerate(contexts):
        count = len(nn.tdnn.offsets_of(context))
        arrays[f"weight{place}"] = draw.normal(size=(sizes[place + 1], count * sizes[place]))
        arrays[f"bias{place}"] = draw.normal(size=sizes[place + 1])
    layers = [small_tdnn.Layer(nn.tdnn.offsets_of(context), arrays[f"weight{place}"], arrays[f"bias{place}"])
              for place, context in enumerate(contexts)]
    head = draw.normal(size=(6, 2, sizes[len(contexts)]))
    outputs, trace = small_tdnn.forward(layers, activation, arrays["inputs"])
    gradients = small_tdnn.backward(layers, activation, trace, head)
    assert_numpy_central_differences(
        lambda: (small_tdnn.forward(layers, activation, arrays["inputs"])[0] * head).sum(), arrays,
        dict(zip(arrays, gradients, strict=True)), every=3)


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_block_unhybridized(name, activation, layout):
    network = make(name, activation=activation, layout=layout)
    inputs = [mx.nd.random.normal(shape=shape) for shape in [(7, 2, 3), (1, 1, 3), (4, 5, 3), (7, 2, 3)]]
    expected = [everything(network, one) for one in inputs]
    hybridized(network, inputs[0])
    for one, others in zip(inputs, expected):
        assert is_small(network, one)
        assert_same(everything(network, one), others)


def test_forward_passes_may_wait_for_their_backward_passes():
    network, inputs = make(), [mx.nd.random.normal(shape=(5, 2, 3)) for _ in range(12)]      # 8 traces are kept
    expected = [everything(network, one) for one in inputs]
    hybridized(network, inputs[0])
    with autograd.record():
        waiting = [network(one) for one in inputs]
    for outputs, others in reversed(list(zip(waiting, expected))):
        outputs.backward(mx.nd.cos(outputs))
        assert_same([p.grad().asnumpy() for p in network.collect_params().values()], others[1:])


def test_twice_in_a_graph_and_twice_through_it():
    network, inputs = make(), mx.nd.random.normal(shape=(5, 2, 3))

    def both():
        with autograd.record():
            hidden = network(inputs)
            loss = (hidden * network(inputs * 2)).sum()
        loss.backward(retain_graph=True)
        first = [parameter.grad().asnumpy() for parameter in network.collect_params().values()]
        loss.backward()
        return [*first, *(parameter.grad().asnumpy() for parameter in network.collect_params().values())]

    expected = both()
    hybridized(network, inputs)
    assert_same(both(), expected)
    assert_same(expected[:4], expected[4:])


@pytest.mark.parametrize("grad_req", ["write", "add"])
def test_gradients_of_inputs_are_written_or_added_up(grad_req):
    network, inputs = make(), mx.nd.random.normal(shape=(5, 2, 3))
    inputs.attach_grad()
    expected = everything(network, inputs)
    hybridized(network, inputs)
    inputs.attach_grad(grad_req)
    for times in range(1, 5):                                             # asked for at the second one
        found = everything(network, inputs)
        total = expected[-1] * (times if grad_req == "add" else 1)
        assert_same(found, [*expected[:-1], total])
    assert is_small(network, inputs) == (grad_req == "write")


def test_to_ask_changes_no_gradient_and_a_new_one_is_asked_again():
    network, inputs = make(), mx.nd.random.normal(shape=(5, 2, 3))
    hybridized(network, inputs)
    for grad_req in ("write", "add", "write"):
        inputs.attach_grad(grad_req)
        inputs.grad[:] = 7
        assert not is_small(network, inputs)                              # the first time it is not asked
        assert is_small(network, inputs) == (grad_req == "write") == is_small(network, inputs)
        assert (inputs.grad.asnumpy() == 7).all() and not inputs._fresh_grad


def test_gradients_of_parameters_are_left_out_or_added_up():
    network, inputs = make(), mx.nd.random.normal(shape=(5, 2, 3))
    hybridized(network, inputs)
    _, weight, bias, *_ = expected = everything(network, inputs)
    network.l0_weight.grad_req = "null"
    assert is_small(network, inputs)
    assert_same(everything(network, inputs), [expected[0], bias, *expected[3:]])
    network.l0_weight.grad_req = "add"
    assert not is_small(network, inputs)
    network.l0_weight.zero_grad()
    for times in (1, 2):
        assert_same(everything(network, inputs)[:2], [expected[0], weight * times])


def test_new_weights_are_seen_and_training_goes_as_without_it():
    networks, inputs = [make(), make()], mx.nd.random.normal(shape=(9, 4, 3))
    for one, other in zip(*(network.collect_params().values() for network in networks)):
        other.set_data(one.data())
    hybridized(networks[1], inputs, static_alloc=True)
    trainers = [mx.gluon.Trainer(network.collect_params(), "adam", kvstore=None) for network in networks]
    for _ in range(10):
        found = []
        for network, trainer in zip(networks, trainers):
            found.append(everything(network, inputs))
            trainer.step(1)
        assert_same(*found)


def test_threads_share_the_operator():
    """Networks of the same sizes are one operator: shapes and traces of one thread are none of another's."""
    networks = [make() for _ in range(3)]
    inputs = [[mx.nd.random.normal(shape=(steps + place, 2, 3)) for steps in range(3, 9)] for place in range(3)]
    expected = [[everything(network, one) for one in own] for network, own in zip(networks, inputs)]
    for network, own in zip(networks, inputs):
        hybridized(network, own[0])

    def run(place):
        return [[everything(networks[place], one) for one in inputs[place]] for _ in range(5)]

    with ThreadPoolExecutor(3) as threads:
        for found, others in zip(threads.map(run, range(3)), expected):
            for times in found:
                for one, other in zip(times, others):
                    assert_same(one, other)


def test_dropout_other_dtypes_and_larger_networks_take_the_graph():
    inputs = mx.nd.random.normal(shape=(5, 2, 3))
    dropping = hybridized(make(dropout=0.5), inputs)
    assert not is_small(dropping, inputs)
    with autograd.record(train_mode=False):
        assert dropping._fastest(inputs, inputs.shape, inputs.context) is dropping._small
    double = make(dtype="float64")
    hybridized(double, inputs.astype("float64"))
    assert not is_small(double, inputs.astype("float64"))
    large = mx.nd.ones((500, 200, 3))
    assert not is_small(hybridized(make(), large), large)
    assert not is_small(hybridized(make(hidden_size=(128, 128)), inputs), inputs)


def test_what_is_raised_in_numpy_is_an_error_of_mxnet(monkeypatch, capfd):
    network, inputs = make(), mx.nd.random.normal(shape=(5, 2, 3))
    hybridized(network, inputs)

    def fail(*_):
        raise ArithmeticError("no such sum")

    monkeypatch.setattr(small_tdnn, "backward", fail)
    with autograd.record():
        loss = network(inputs).sum()
    with pytest.raises(mx.MXNetError):
        loss.backward()
        network.l0_weight.grad().wait_to_read()
    assert "ArithmeticError: no such sum" in capfd.readouterr().err
