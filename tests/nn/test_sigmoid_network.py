"""The logistic Elman network as a tanh network: NumPy equations, cells, central differences."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import RNNCell, Unrolled
from gluon_rnn.nn.sigmoid_network import as_tanh, from_tanh, to_tanh
from tests.gradients import assert_central_differences
from tests.reference import EXACT, sigmoid

NAMES = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")


@pytest.fixture
def loop():
    block = Unrolled(RNNCell(4, 3, activation="sigmoid"), dtype="float64")
    block.initialize()
    block.cast("float64")
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-2, 2, shape=parameter.shape, dtype="float64"))
    return block


def run(F, inputs, h, *parameters):
    """Run the fused operator over (T, N, C) from h (1, N, H)."""
    vector = F.concat(*(F.reshape(part, shape=(-1,)) for part in as_tanh(F, *parameters)), dim=0)
    outputs, last = F.RNN(inputs, vector, to_tanh(h), state_size=4, num_layers=1, mode="rnn_tanh", state_outputs=True)
    return from_tanh(outputs), from_tanh(last)


def parameters_of(loop):
    return [getattr(loop.cell, name) for name in NAMES]


def test_equations(loop):
    inputs, h = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64"), mx.nd.random.uniform(shape=(1, 2, 4),
                                                                                          dtype="float64")
    outputs, last = run(mx.nd, inputs, h, *(parameter.data() for parameter in parameters_of(loop)))
    W, R, b, r = (parameter.data().asnumpy() for parameter in parameters_of(loop))
    state = h[0].asnumpy()
    for t in range(6):
        state = sigmoid(inputs[t].asnumpy() @ W.T + b + state @ R.T + r)
        np.testing.assert_allclose(outputs[t].asnumpy(), state, **EXACT)
    np.testing.assert_allclose(last[0].asnumpy(), state, **EXACT)


def test_is_the_cell_in_a_loop(loop):
    inputs, begin = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64"), loop.begin_state(2)
    want, (state,) = loop(inputs, begin)
    outputs, last = run(mx.nd, inputs, begin[0].expand_dims(0), *(p.data() for p in parameters_of(loop)))
    np.testing.assert_allclose(outputs.asnumpy(), want.asnumpy(), **EXACT)
    np.testing.assert_allclose(last[0].asnumpy(), state.asnumpy(), **EXACT)


def test_gradients_are_central_differences(loop):
    inputs, h = mx.nd.random.normal(shape=(3, 2, 3), dtype="float64"), mx.nd.random.uniform(shape=(1, 2, 4),
                                                                                          dtype="float64")
    assert_central_differences(
        lambda: list(run(mx.nd, inputs, h, *(parameter.data() for parameter in parameters_of(loop)))), loop,
        [inputs, h])


def test_in_a_symbol(loop):
    symbols = [mx.sym.var(name) for name in ("data", "h", *NAMES)]
    inputs, h = mx.nd.random.normal(shape=(3, 2, 3), dtype="float64"), mx.nd.zeros((1, 2, 4), dtype="float64")
    values = [inputs, h, *(parameter.data() for parameter in parameters_of(loop))]
    got = mx.sym.Group(list(run(mx.sym, *symbols))).bind(mx.cpu(), dict(zip(("data", "h", *NAMES), values))).forward()
    for one, want in zip(got, run(mx.nd, *values)):
        np.testing.assert_array_equal(one.asnumpy(), want.asnumpy())
