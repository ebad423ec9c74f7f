"""Attention against NumPy loops; weights sum to 1 and are 0 on padding, and the padding changes nothing."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.nn.attention import BahdanauAttention, LuongAttention
from tests.gradients import assert_central_differences
from tests.reference import EXACT, rounding

Q, M, T, S, N = 5, 4, 3, 6, 4
LENGTHS = [6, 3, 1, 0]
KINDS = {"bahdanau": lambda **o: BahdanauAttention(Q, M, 7, **o), "general": lambda **o: LuongAttention(Q, M, **o),
         "dot": lambda **o: LuongAttention(M, M, "dot", **o)}


def build(kind, dtype):
    block = KINDS[kind](dtype=dtype)
    block.initialize(mx.init.Normal(0.7))
    return block


@pytest.fixture(params=KINDS)
def attention(request):
    return build(request.param, "float64")


def arrays(attention, dtype="float64"):
    query_size = M if getattr(attention, "key", 0) is None else Q
    return (mx.nd.random.normal(shape=(T, N, query_size), dtype=dtype),
            mx.nd.random.normal(shape=(S, N, M), dtype=dtype), mx.nd.array(LENGTHS))


def score(attention, query, memory):
    weights = {name.split(".")[0]: p.data().asnumpy() for name, p in attention._collect_params_with_prefix().items()}
    if "score" in weights:
        return float(weights["score"][0] @ np.tanh(weights["query"] @ query + weights["key"] @ memory))
    return float(query @ (weights["key"] @ memory if weights else memory))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_equations_against_a_numpy_loop(kind, dtype):
    attention = build(kind, dtype)
    query, memory, lengths = arrays(attention, dtype)
    context, weights = (value.asnumpy() for value in attention(query, memory, lengths))
    query, memory = query.asnumpy(), memory.asnumpy()
    for row, length in enumerate(LENGTHS):
        for t in range(T):
            scores = [score(attention, query[t, row], memory[s, row]) for s in range(length)]
            want = np.exp(scores) / np.exp(scores).sum() if scores else np.zeros(0)
            # a weight is off by what its score is off by: a score of Q, M and 7 terms, twice as the softmax divides
            bound = rounding(dtype, 2 * (Q + M + 7 + S), 1 + np.abs(scores).max(initial=0))
            np.testing.assert_allclose(weights[t, row, :length], want, rtol=0, atol=bound)
            of_memory = bound * np.abs(memory[:length, row]).sum(axis=0).max(initial=0)
            np.testing.assert_allclose(context[t, row], want @ memory[:length, row], rtol=0, atol=of_memory)


def test_rows_sum_to_one_and_are_zero_on_padding(attention):
    _, weights = attention(*arrays(attention))
    weights = weights.asnumpy()
    np.testing.assert_allclose(weights.sum(axis=2), np.array([[1, 1, 1, 0]] * T), **EXACT)
    for row, length in enumerate(LENGTHS):
        assert not weights[:, row, length:].any()
        assert (weights[:, row, :length] > 0).all()


@pytest.mark.parametrize("filler", [99.0, float("nan")])
@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind, filler, hybrid):
    attention = build(kind, "float32")
    query, memory, lengths = arrays(attention, "float32")
    filled = memory.copy()
    for row, length in enumerate(LENGTHS):
        filled[length:, row] = filler
    if hybrid:
        attention.hybridize()
    results = []
    for values in (memory, filled):
        for array in (query, values):
            array.attach_grad()
        with autograd.record():
            context, weights = attention(query, values, lengths)
            loss = (context ** 2).sum() + (weights ** 2).sum()
        loss.backward()
        gradients = [p.grad().copy() for p in attention.collect_params().values()]
        results.append([context, weights, query.grad.copy(), values.grad.copy(), *gradients])
    for plain, with_filler in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), with_filler.asnumpy())


def test_a_row_alone_and_no_lengths(attention):
    query, memory, lengths = arrays(attention)
    context, weights = attention(query, memory, lengths)
    for row, length in enumerate(LENGTHS[:3]):
        alone = attention(query[:, row:row + 1], memory[:length, row:row + 1])
        np.testing.assert_allclose(alone[0].asnumpy(), context[:, row:row + 1].asnumpy(), **EXACT)
        np.testing.assert_allclose(alone[1].asnumpy(), weights[:, row:row + 1, :length].asnumpy(), **EXACT)


def test_hybrid_is_imperative_at_two_sizes(attention):
    cases = [arrays(attention)]
    cases.append((cases[0][0][:2, :3], cases[0][1][:4, :3], mx.nd.array([4, 2, 1])))
    want = [attention(*case) for case in cases]
    attention.hybridize()
    for case, values in zip(cases, want):
        for got, value in zip(attention(*case), values):
            np.testing.assert_allclose(got.asnumpy(), value.asnumpy(), **EXACT)


def test_gradients_against_central_differences(attention):
    query, memory, lengths = arrays(attention)
    assert_central_differences(lambda: attention(query, memory, lengths), attention, [query, memory])


@pytest.mark.parametrize("build, message", [
    (lambda: LuongAttention(5, 4, "dot"), "'dot' needs a query as long as the memory's vectors, got 5 and 4"),
    (lambda: LuongAttention(5, 4, "sum"), "must be 'general' or 'dot', got 'sum'"),
    (lambda: BahdanauAttention(5, 0), "memory_size must be a whole number of at least 1")])
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
