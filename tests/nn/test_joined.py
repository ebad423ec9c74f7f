"""Joining is concatenation, in every form in which a block may ask for it."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.nn.joined import join, join_vectors
from gluon_rnn.nn.numpy_ops import F as numpy_ops


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
    inputs, graph = [mx.nd.array(value) for value in values], Graph(lambda F, *parts: join(F, *parts, dim=dim))
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
    np.testing.assert_array_equal(join(numpy_ops, *values, dim=dim), expected)


def test_vectors_are_joined_one_behind_the_other():
    values = arrays(5, 1, 3)
    joined = join_vectors(mx.nd, *map(mx.nd.array, values))
    np.testing.assert_array_equal(joined.asnumpy(), np.concatenate(values))
