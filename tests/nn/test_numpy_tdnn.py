"""A TDNN in NumPy against the same block unhybridized, which has none of it: threads, layouts, new weights."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.nn import filtering, numpy_tdnn, tiles

NETWORKS = {"filters": [[-2, 2], {-1, 2}, [-2, 0], {0}], "ahead": [{-3, 3}, {1, 2, 3}, [-1, 1]],
            "delayed": [{-4, -2}, [-1, 0], {-2}]}
ACTIVATIONS = ("tanh", "relu", "sigmoid", "softrelu", "softsign", "identity")


@pytest.fixture
def wide(monkeypatch):
    """Any network is wide, and two threads are worth having."""
    for name, value in (("_SMALL", 0), ("_WIDE", 1), ("_MUCH", 0), ("_FOR_A_THREAD", 1), ("_ROWS", 30)):
        monkeypatch.setattr(numpy_tdnn, name, value)
    monkeypatch.setattr(filtering, "_ROWS", 30)
    monkeypatch.setattr(tiles, "are_fast", lambda: True)
    monkeypatch.setattr(numpy_tdnn, "blas_threads", lambda: 2)
    monkeypatch.setattr(numpy_tdnn, "worth_having", lambda *_: 2)


def make(contexts, activation="tanh", hidden_size=(33, 40, 9, 5), **kwargs):
    network = nn.TDNN(list(hidden_size[:len(contexts)]), contexts=contexts, activation=activation, input_size=3,
                      **kwargs)
    network.initialize(mx.init.Uniform(0.5))
    for name, parameter in network.collect_params().items():
        if name.endswith("bias"):
            parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape))
    return network


def assert_same(network, inputs):
    """Compare the outputs of the hybridized network with those of the other one, in whose place it runs in NumPy."""
    network.hybridize(False)
    expected = network(inputs).asnumpy()
    network.hybridize(static_alloc=True, static_shape=True)
    for _ in range(2):                                                    # the first call makes the graph
        outputs = network(inputs)
    assert network._numpy.is_fast(inputs.shape, mx.cpu())
    np.testing.assert_allclose(outputs.asnumpy(), expected, rtol=0, atol=2e-5)     # float32, sums of up to 120 numbers


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("contexts", NETWORKS.values(), ids=NETWORKS)
def test_small_ones(contexts, activation):
    assert_same(make(contexts, activation), mx.nd.random.normal(shape=(7, 2, 3)))


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("contexts", NETWORKS.values(), ids=NETWORKS)
def test_wide_ones(wide, contexts, activation, layout):
    network = make(contexts, activation, layout=layout)
    for steps, batch in ((23, 5), (1, 2), (40, 16)):
        assert_same(network, mx.nd.random.normal(shape=(steps, batch, 3) if layout == "TNC" else (batch, steps, 3)))


@pytest.mark.parametrize("is_wide", [False, True])
def test_new_weights_are_seen(is_wide, request):
    if is_wide:
        request.getfixturevalue("wide")
    network, inputs = make(NETWORKS["filters"]), mx.nd.random.normal(shape=(15, 4, 3))
    assert_same(network, inputs)
    trainer = mx.gluon.Trainer(network.collect_params(), "sgd", {"learning_rate": 0.01}, kvstore=None)
    with autograd.record():
        loss = network(inputs).sum()
    loss.backward()
    for change in (lambda: trainer.step(1), lambda: network.l1_weight.set_data(mx.nd.zeros(network.l1_weight.shape)),
                   lambda: network.initialize(mx.init.Uniform(0.3), force_reinit=True)):
        before = network(inputs).asnumpy()
        change()
        after = network(inputs).asnumpy()                                 # of the same network in NumPy
        assert np.abs(after - before).max() > 1e-3
        assert_same(network, inputs)
        np.testing.assert_array_equal(network(inputs).asnumpy(), after)


def test_outputs_are_their_own_and_inputs_stay(wide):
    network, inputs = make(NETWORKS["ahead"]), mx.nd.random.normal(shape=(15, 4, 3))
    given = inputs.asnumpy()
    assert_same(network, inputs)
    first = network(inputs)
    values = first.asnumpy()
    network(mx.nd.ones((15, 4, 3)))
    np.testing.assert_array_equal(first.asnumpy(), values)
    np.testing.assert_array_equal(inputs.asnumpy(), given)


def test_rows_that_are_no_numbers_stay_alone(wide):
    network, inputs = make(NETWORKS["filters"]), mx.nd.random.normal(shape=(20, 6, 3))
    assert_same(network, inputs)
    clean = network(inputs).asnumpy()
    inputs[:, 2] = float("nan")
    inputs[:, 5] = float("inf")
    found = network(inputs).asnumpy()
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(found[:, others], clean[:, others])
    assert not np.isfinite(found[:, 2]).any()


def test_gradients_float64_and_other_processors_take_the_graph(monkeypatch):
    network, inputs = make(NETWORKS["filters"]), mx.nd.random.normal(shape=(15, 4, 3))
    assert_same(network, inputs)
    monkeypatch.setattr(network._numpy, "_run", lambda *_: pytest.fail("ran in NumPy"))
    with autograd.record():
        network(inputs)
    with autograd.train_mode():
        network(inputs)
    monkeypatch.setattr(tiles, "are_fast", lambda: False)
    monkeypatch.setattr(numpy_tdnn, "_SMALL", 0)
    monkeypatch.setattr(numpy_tdnn, "_WIDE", 1)
    assert not numpy_tdnn.NumpyTDNN(network).is_fast((500, 500, 3), mx.cpu())
    double = make(NETWORKS["filters"], dtype="float64")
    assert not numpy_tdnn.NumpyTDNN(double).is_fast(inputs.shape, mx.cpu())


def test_few_sequences_leave_the_threads_to_mxnet(monkeypatch):
    monkeypatch.setattr(tiles, "are_fast", lambda: True)
    monkeypatch.setattr(numpy_tdnn, "blas_threads", lambda: 2)
    network = make([[-1, 1], {-1, 1}], hidden_size=(512, 512))
    monkeypatch.setattr(numpy_tdnn, "worth_having", lambda rows, *_: min(rows // 8, 2))
    fast = numpy_tdnn.NumpyTDNN(network).is_fast
    shapes = (100, 16, 3), (800, 2, 3), (10, 16, 3)
    assert [bool(fast(shape, mx.cpu())) for shape in shapes] == [True, False, False]
