"""A TDNN called by itself: the graph that is given what depends on the shape alone, and the one that computes it."""
import gluon_rnn  # noqa: F401
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.nn import numpy_tdnn, placed

NETWORKS = {"causal": [[-2, 0], {-3, 0}], "ahead": [[-1, 2], {0}, {-2, 1}], "only ahead": [{1, 3}], "one step": [{0}],
            "one delay": [{-2}]}


def make(name, **kwargs):
    network = nn.TDNN(6, contexts=NETWORKS[name], activation="sigmoid", input_size=3, **kwargs)
    network.initialize(mx.init.Uniform(1.0))
    return network


def draw(steps, rows, layout="TNC", dtype="float32"):
    return mx.nd.random.normal(shape=(steps, rows, 3) if layout == "TNC" else (rows, steps, 3)).astype(dtype)


def everything(network, inputs):
    inputs.attach_grad()
    with autograd.record():
        outputs = network(inputs)
    outputs.backward(mx.nd.cos(outputs))
    arrays = [outputs, inputs.grad, *(parameter.grad() for parameter in network.collect_params().values())]
    return [array.asnumpy() for array in arrays]


@pytest.mark.parametrize("static_shape", [False, True])
@pytest.mark.parametrize("layout, dtype", [("TNC", "float32"), ("NTC", "float64")])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_graph_of_any_shape(name, layout, dtype, static_shape, monkeypatch):
    monkeypatch.setattr(numpy_tdnn, "_SMALL", 0)                          # so small networks run in NumPy
    network = make(name, layout=layout, dtype=dtype)
    shapes = [(7, 2), (7, 2), (1, 1), (4, 5), (7, 2)]
    inputs = [draw(*shape, layout, dtype) for shape in shapes]
    expected = [everything(network, one) for one in inputs]               # not hybridized: no graph at all
    network.hybridize(static_alloc=True, static_shape=static_shape)
    network(inputs[0])
    assert network._placed is None                                        # the first call makes the other graph
    for one, arrays in zip(inputs, expected):
        for found, other in zip(everything(network, one), arrays):
            np.testing.assert_allclose(found, other, rtol=0, atol=1e-5)   # sums over at most 35 steps in float32
    assert network._placed is not None


def test_arrays_of_old_shapes_are_given_up(monkeypatch):
    monkeypatch.setattr(placed, "_SHAPES", 2)
    monkeypatch.setattr(numpy_tdnn, "_SMALL", 0)
    network = make("causal")
    expected = {steps: network(mx.nd.ones((steps, 1, 3))).asnumpy() for steps in (3, 4, 5)}
    network.hybridize()
    for steps in (3, 3, 4, 5, 3):
        found = network(mx.nd.ones((steps, 1, 3))).asnumpy()
        np.testing.assert_allclose(found, expected[steps], rtol=0, atol=1e-6)
    assert [shape[0] for shape, _ in network._placed._arrays] == [5, 3]


def test_other_parameters_and_another_dtype_are_seen():
    network, inputs = make("ahead"), draw(6, 2)
    network.hybridize(static_alloc=True, static_shape=True)
    for _ in range(3):
        network(inputs)
    network.l0_weight.set_data(mx.nd.zeros(network.l0_weight.shape))
    network.l2_bias.set_data(mx.nd.zeros(network.l2_bias.shape))
    found = network(inputs).asnumpy()
    network.hybridize(False)
    np.testing.assert_allclose(found, network(inputs).asnumpy(), rtol=0, atol=1e-6)
    network.cast("float64")
    network.hybridize()
    for _ in range(3):
        assert network(inputs.astype("float64")).dtype == np.float64


def test_exports_states_and_listeners_take_the_other_graph(tmp_path):
    network, inputs = make("causal"), draw(6, 2)
    network.hybridize()
    for _ in range(3):
        network(inputs)
    network.export(str(tmp_path / "network"))
    again = mx.gluon.SymbolBlock.imports(str(tmp_path / "network-symbol.json"), ["data"],
                                         str(tmp_path / "network-0000.params"))
    shorter = draw(4, 3)
    np.testing.assert_allclose(again(shorter).asnumpy(), network(shorter).asnumpy(), rtol=0, atol=1e-6)
    outputs, states = network(inputs, network.begin_state(2))
    np.testing.assert_allclose(outputs.asnumpy(), network(inputs).asnumpy(), rtol=0, atol=1e-6)
    heard = []
    network.register_forward_hook(lambda *arguments: heard.append(1))
    network(inputs)
    assert len(states) == 2 and heard


def test_dropout_between_layers_is_there_in_training():
    network, inputs = make("causal", dropout=0.5), mx.nd.ones((50, 8, 3))
    network.hybridize()
    for _ in range(2):
        still = network(inputs).asnumpy()
    with autograd.record():
        dropped = network(inputs).asnumpy()
    assert network._placed is not None
    assert np.array_equal(still, network(inputs).asnumpy()) and np.abs(dropped - still).max() > 0.01
