"""Concatenation in every form, and looking words up with whole words left out, against NumPy, forward and backward."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.nn.functional import concat, concat_vectors, embed, reversal_indices, reverse, steps_at
from gluon_rnn.nn.numpy_ops import F as numpy_ops
from tests.reference import rounding

IDS = np.array([[3, 0, 3], [5, 3, 0]])


class Graph(gluon.HybridBlock):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def hybrid_forward(self, F, *arrays):
        return self.function(F, *arrays)


def arrays(*shapes):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("dim, shapes", [(0, [(2, 3, 4), (1, 3, 4)]), (1, [(2, 3, 4), (2, 1, 4), (2, 2, 4)]),
                                         (2, [(2, 3, 4), (2, 3, 1)]), (2, [(2, 3, 4)])])
@pytest.mark.parametrize("hybrid", [False, True])
def test_join_is_concatenation_and_its_gradient_a_slice(dim, shapes, hybrid):
    values = arrays(*shapes)
    inputs, graph = [mx.nd.array(value) for value in values], Graph(lambda F, *parts: concat(F, *parts, dim=dim))
    for one in inputs:
        one.attach_grad()
    if hybrid:
        graph.hybridize(static_alloc=True)
    expected = np.concatenate(values, dim)
    head, = arrays(expected.shape)
    with autograd.record():
        joined = graph(*inputs)
    joined.backward(mx.nd.array(head))
    np.testing.assert_array_equal(joined.asnumpy(), expected)
    edges = np.cumsum([shape[dim] for shape in shapes])[:-1]
    for one, gradient in zip(inputs, np.split(head, edges, dim)):
        np.testing.assert_array_equal(one.grad.asnumpy(), gradient)
    np.testing.assert_array_equal(concat(numpy_ops, *values, dim=dim), expected)


def test_vectors_are_joined_one_behind_the_other():
    values = arrays(5, 1, 3)
    joined = concat_vectors(mx.nd, *map(mx.nd.array, values))
    np.testing.assert_array_equal(joined.asnumpy(), np.concatenate(values))


def table():
    return mx.nd.array(np.random.default_rng(0).uniform(1, 2, size=(40, 4)))


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_prediction_looks_up(rate):
    rows = table()
    np.testing.assert_array_equal(embed(mx.nd, mx.nd.array(IDS, dtype="int32"), rows, rate).asnumpy(),
                                  rows.asnumpy()[IDS])


def test_a_word_is_left_out_wherever_it_stands_and_its_gradient_too():
    rate, rows, ids = 0.4, table(), np.arange(120).reshape(3, 40) % 40
    rows.attach_grad()
    head = np.random.default_rng(1).normal(size=(*ids.shape, 4)).astype("float32")
    with autograd.record():
        found = embed(mx.nd, mx.nd.array(ids, dtype="int32"), rows, rate)
    found.backward(mx.nd.array(head))
    factors = found.asnumpy() / rows.asnumpy()[ids]
    kept = factors[0, :, :1]                                              # of word n at column n
    few = rounding("float32", 4)                                          # a product, a quotient, the rate and 1 - rate
    np.testing.assert_allclose(factors, np.broadcast_to(kept, factors.shape), rtol=few)
    assert np.all((kept == 0) | np.isclose(kept, 1 / (1 - rate), rtol=few, atol=0))
    assert 5 < (kept == 0).sum() < 29                                     # 16 on average, standard deviation 3.1
    expected = np.zeros((40, 4))
    np.add.at(expected, ids, head * factors)
    np.testing.assert_allclose(rows.grad.asnumpy(), expected, rtol=0,
                               atol=rounding("float32", 4 + 3, 3 * np.abs(head * factors).max()))


@pytest.mark.parametrize("hybrid", [False, True])
def test_reversal_moves_whole_steps_and_its_gradient_moves_them_back(hybrid):
    lengths, random = [4, 2, 0], np.random.default_rng(0)
    sequence, head = random.normal(size=(2, 4, 3, 2)).astype("float32")
    places = [[length - 1 - t if t < length else t for length in lengths] for t in range(4)]
    block = gluon.nn.HybridLambda(lambda F, x, n: reverse(F, x, reversal_indices(F, x, n)))
    block.hybridize(hybrid)
    x = mx.nd.array(sequence)
    x.attach_grad()
    with autograd.record():
        found = block(x, mx.nd.array(lengths))
    found.backward(mx.nd.array(head))
    for array, source in ((found, sequence), (x.grad, head)):             # a reversal is its own inverse
        np.testing.assert_array_equal(array.asnumpy(), np.take_along_axis(source, np.array(places)[:, :, None], 0))


def test_steps_are_found_by_t_and_n_and_their_gradients_add_up():
    t, n = [2, 0, 2, 1], [1, 0, 1, 2]                                     # one step twice
    sequence = np.random.default_rng(0).normal(size=(3, 3, 2)).astype("float32")
    x = mx.nd.array(sequence)
    x.attach_grad()
    with autograd.record():
        found = steps_at(mx.nd, x, mx.nd.array([t, n], dtype="int32"))
    found.backward()
    counts = np.zeros_like(sequence)
    np.add.at(counts, (t, n), 1)
    np.testing.assert_array_equal(found.asnumpy(), sequence[t, n])
    np.testing.assert_array_equal(x.grad.asnumpy(), counts)
