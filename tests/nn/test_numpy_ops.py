"""Operators on NumPy arrays against MXNet's own, and blocks with loops that run on them."""
import warnings

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.nn.numpy_ops import F, Views
from gluon_rnn.registry import encoders
from tests.reference import EXACT, condition

CALLS = {
    "sigmoid": lambda F, x, y: F.sigmoid(x),
    "tanh": lambda F, x, y: F.tanh(x),
    "relu": lambda F, x, y: F.relu(x),
    **{f"Activation {kind}": lambda F, x, y, kind=kind: F.Activation(x, act_type=kind)
       for kind in ("tanh", "sigmoid", "relu", "softrelu", "softsign")},
    "broadcast_add": lambda F, x, y: F.broadcast_add(x, F.slice_axis(y, axis=0, begin=0, end=1)),
    "dot": lambda F, x, y: F.dot(F.reshape(x, shape=(-3, 0)), F.reshape(y, shape=(-3, 0)), transpose_b=True),
    "FullyConnected": lambda F, x, y: F.FullyConnected(x, F.reshape(y, shape=(-3, 0)), num_hidden=6, no_bias=True,
                                                       flatten=False),
    "FullyConnected bias": lambda F, x, y: F.FullyConnected(
        F.reshape(x, shape=(-3, 0)), F.reshape(y, shape=(-3, 0)), F.slice_axis(F.reshape(y, shape=(-1,)), axis=0,
                                                                               begin=0, end=6), num_hidden=6),
    "FullyConnected flatten": lambda F, x, y: F.FullyConnected(x, F.reshape(y, shape=(2, -1)), num_hidden=2,
                                                               no_bias=True),
    "split": lambda F, x, y: F.split(F.reshape(x, shape=(-3, 0)), num_outputs=2, axis=1),
    "split axis 0": lambda F, x, y: F.split(x, num_outputs=2, axis=0),
    "slice_axis": lambda F, x, y: F.slice_axis(x, axis=-1, begin=1, end=None),
    "concat": lambda F, x, y: F.concat(x, y, dim=2),
    "stack": lambda F, x, y: F.stack(x, y, axis=1),
    "transpose": lambda F, x, y: F.transpose(x, axes=(2, 0, 1)),
    "swapaxes": lambda F, x, y: F.swapaxes(x, 0, 1),
    "reverse": lambda F, x, y: F.reverse(x, axis=0),
    "expand_dims": lambda F, x, y: F.expand_dims(x, axis=1),
    "where": lambda F, x, y: F.where(x > 0, x, y),
    "broadcast_like": lambda F, x, y: F.broadcast_like(F.slice_axis(x, axis=2, begin=0, end=1), y),
    "LayerNorm": lambda F, x, y: F.LayerNorm(x, *(F.reshape(row, shape=(-1,)) for row in F.split(
        F.reshape(y, shape=(-3, 0)), num_outputs=6, axis=0)[:2])),
    "reshape": lambda F, x, y: F.reshape(x, shape=(0, -1)),
    "reshape code -4": lambda F, x, y: F.reshape(x, shape=(-4, 1, 2, 0, 0)),
    "tile": lambda F, x, y: F.tile(x, reps=(2,)),
    "ones_like": lambda F, x, y: F.ones_like(x),
    "not here": lambda F, x, y: F.smooth_l1(x, scalar=1.0),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", CALLS)
def test_operators_are_those_of_mxnet(call, dtype):
    x, y = (mx.nd.random.normal(shape=(2, 3, 4), dtype=dtype) for _ in range(2))
    exact = [value.astype("float64") for value in (x, y)]

    def results(F, *values):
        found = CALLS[call](F, *values)
        return [one if isinstance(one, np.ndarray) else one.asnumpy()
                for one in (found if isinstance(found, list) else [found])]

    got, want = results(F, x.asnumpy(), y.asnumpy()), results(mx.nd, x, y)
    _, moves = condition(lambda: results(mx.nd, *exact), exact)
    assert len(got) == len(want)
    for a, b, move in zip(got, want, moves):
        assert a.dtype == dtype
        # twelve terms at most, on either side
        np.testing.assert_allclose(a, b, rtol=0, atol=2 * 12 * move if dtype == "float32" else EXACT["atol"])


def test_normalisation_of_tiny_numbers_has_mxnets_epsilon():
    """Where epsilon outweighs the variance, float64 shows that MXNet keeps it in float32."""
    x, gain, bias = (mx.nd.random.normal(shape=shape, dtype="float64") for shape in ((3, 8), (8,), (8,)))
    x *= 1e-4
    want = mx.nd.LayerNorm(x, gain, bias).asnumpy()
    np.testing.assert_allclose(F.LayerNorm(x.asnumpy(), gain.asnumpy(), bias.asnumpy()), want, rtol=0, atol=1e-14)


@pytest.mark.parametrize("size", [4, 1000])
def test_sigmoid_of_large_numbers_is_0_and_1_without_a_warning(size):
    """Both ways to compute it: few numbers and many."""
    data = np.full((size,), 200, dtype="float32")
    with warnings.catch_warnings(), np.errstate(over="ignore"):           # as in a loop
        warnings.simplefilter("error")
        assert (F.sigmoid(-data) == 0).all() and (F.sigmoid(data) == 1).all()


def test_sequence_mask_replaces_nan():
    data = np.full((3, 2, 1), np.nan, dtype="float32")
    masked = F.SequenceMask(data, sequence_length=np.array([0.0, 2.0]), use_sequence_length=True)
    assert (masked[:, 0] == 0).all() and np.isnan(masked[:2, 1]).all() and masked[2, 1] == 0


LOOPED = [name for name in encoders.names() if issubclass(encoders.get(name), nn.unroll.LoopBlock)]


@pytest.mark.parametrize("lengths", [None, [7, 3, 0]])
@pytest.mark.parametrize("name", LOOPED)
def test_a_looped_encoder_in_numpy_is_its_symbol(name, lengths):
    options = dict(activation="relu", output_activation="tanh") if name == "jordan" else {}
    block = encoders.build(name, hidden_size=5, input_size=3, dtype="float64", **options)
    block.initialize(mx.init.Uniform(0.5))
    inputs, states = mx.nd.random.normal(shape=(7, 3, 3), dtype="float64"), block.begin_state(3)
    others = [] if lengths is None else [mx.nd.array(lengths)]
    outputs, finals = block(inputs, states, *others)                      # NumPy
    symbols = [mx.sym.var(f"data{i}") for i in range(1 + len(states) + len(others))]
    traced = block(symbols[0], symbols[1:1 + len(states)], *symbols[1 + len(states):])
    bound = {symbol.name: value for symbol, value in zip(symbols, (inputs, *states, *others))}
    bound.update({parameter.name: parameter.data() for parameter in block.collect_params().values()})
    results = mx.sym.Group([traced[0], *traced[1]]).bind(mx.cpu(), bound).forward()
    assert len(results) == 1 + len(finals)
    for got, want in zip([outputs, *finals], results):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


def test_results_are_arrays_of_their_own():
    """Writing into a returned state changes neither the outputs nor what went in."""
    layer = nn.PeepholeLSTM(4, input_size=3)
    layer.initialize()
    inputs, states = mx.nd.random.normal(shape=(5, 2, 3)), layer.begin_state(2)
    outputs, (h, c) = layer(inputs, states)
    before = outputs.asnumpy()
    h[:] = 7
    c += 1
    np.testing.assert_array_equal(outputs.asnumpy(), before)
    assert (states[0] == 0).asnumpy().all() and (h == 7).asnumpy().all()
    np.testing.assert_array_equal(layer(inputs, states)[0].asnumpy(), before)


def test_training_mode_does_not_run_in_numpy():
    layer = nn.PeepholeLSTM(30, 2, input_size=3, dropout=0.5)
    layer.initialize()
    inputs = mx.nd.random.normal(shape=(5, 2, 3))
    with autograd.train_mode():
        assert (layer(inputs) != layer(inputs)).sum().asscalar() > 0      # dropout is drawn
    np.testing.assert_array_equal(layer(inputs).asnumpy(), layer(inputs).asnumpy())


def test_views_are_of_the_memory_that_parameters_have_now():
    layer = mx.gluon.nn.Dense(3, in_units=2)
    layer.initialize()
    views = Views([layer.weight, layer.bias])
    weight, bias = views(mx.cpu())
    assert views(mx.cpu())[0] is weight and bias.shape == (3,)
    layer.weight.set_data(mx.nd.ones((3, 2)))
    assert (views(mx.cpu())[0] == 1).all()
    layer.initialize(mx.init.Constant(2), force_reinit=True)              # arrays of its own
    assert (views(mx.cpu())[0] == 2).all()
    layer.cast("float64")
    assert views(mx.cpu())[0].dtype == np.float64 and (views(mx.cpu())[0] == 2).all()
