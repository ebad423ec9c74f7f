"""Looking words up, whole words left out: what dropout on the rows of the table gives, forward and backward."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.nn.embedded import look_up
from tests.reference import rounding

IDS = np.array([[3, 0, 3], [5, 3, 0]])


def table():
    return mx.nd.array(np.random.default_rng(0).uniform(1, 2, size=(40, 4)))


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_prediction_looks_up(rate):
    rows = table()
    np.testing.assert_array_equal(look_up(mx.nd, mx.nd.array(IDS, dtype="int32"), rows, rate).asnumpy(),
                                  rows.asnumpy()[IDS])


def test_a_word_is_left_out_wherever_it_stands_and_its_gradient_too():
    rate, rows, ids = 0.4, table(), np.arange(120).reshape(3, 40) % 40
    rows.attach_grad()
    head = np.random.default_rng(1).normal(size=(*ids.shape, 4)).astype("float32")
    with autograd.record():
        found = look_up(mx.nd, mx.nd.array(ids, dtype="int32"), rows, rate)
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
