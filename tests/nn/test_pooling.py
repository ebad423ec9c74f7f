"""Pooling: the equations row by row, weights of attention, padding, empty rows, gradients."""
import doctest

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import GRU, LSTM, TDNN, Bidirectional, BidirectionalStack, Chain, Conditioned, Pooling, pooling
from gluon_rnn.nn.pooling import POOLINGS, forward_size_of
from tests.gradients import assert_central_differences
from tests.reference import EXACT

T, N, H = 6, 4, 4
LENGTHS = [6, 3, 1, 0]


def build(kind, forward_size=None, dtype="float64"):
    block = Pooling(kind, H, forward_size, dtype)
    block.initialize()
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.normal(shape=parameter.shape, dtype=dtype))
    return block


def masked_sequence(lengths=LENGTHS):
    values = np.random.normal(size=(T, N, H))
    for row, length in enumerate(lengths):
        values[length:, row] = 0
    return values


def by_hand(block, row):
    """The equations for one row (L, H) in NumPy."""
    if len(row) == 0:
        return np.zeros(H)
    if block.kind == "last":
        return np.concatenate([row[-1, :block._forward_size], row[0, block._forward_size:]])
    if block.kind != "attention":
        return {"mean": np.mean, "max": np.max}[block.kind](row, axis=0)
    weight, bias, query = (getattr(block, f"attention_{name}").data().asnumpy() for name in ("weight", "bias", "query"))
    scores = np.exp([query[0] @ np.tanh(weight @ step + bias) for step in row])
    return scores @ row / scores.sum()


def test_example():
    assert doctest.testmod(pooling).failed == 0


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("kind, forward_size", [*((kind, None) for kind in POOLINGS), ("last", 2), ("last", 1),
                                                ("max", 2)])
def test_equations(kind, forward_size, hybrid):
    block, values = build(kind, forward_size), masked_sequence()
    if hybrid:
        block.hybridize()
    pooled = block(mx.nd.array(values, dtype="float64"), mx.nd.array(LENGTHS)).asnumpy()
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(pooled[row], by_hand(block, values[:length, row]), **EXACT)


@pytest.mark.parametrize("kind", POOLINGS)
def test_no_lengths_are_full_lengths(kind):
    block, values = build(kind), mx.nd.random.normal(shape=(T, N, H), dtype="float64")
    np.testing.assert_allclose(block(values).asnumpy(), block(values, mx.nd.full((N,), T)).asnumpy(), **EXACT)


def test_attention_weights_sum_to_1_over_valid_steps():
    block = build("attention")
    weights = block.weights(mx.nd, mx.nd.array(masked_sequence(), dtype="float64"), mx.nd.array(LENGTHS),
                            **{name: parameter.data() for name, parameter in block._reg_params.items()}).asnumpy()
    np.testing.assert_allclose(weights.sum(axis=(0, 2)), [1, 1, 1, 0], **EXACT)
    assert all(not weights[length:, row].any() for row, length in enumerate(LENGTHS))


@pytest.mark.parametrize("kind", POOLINGS)
def test_gradients(kind):
    block, sequence = build(kind), mx.nd.array(masked_sequence(), dtype="float64")
    # The sequence is masked here too: central differences would otherwise move what encoders keep at 0.
    lengths = mx.nd.array(LENGTHS)
    masked = lambda: mx.nd.SequenceMask(sequence, lengths, use_sequence_length=True)  # noqa: E731
    assert_central_differences(lambda: [block(masked(), lengths)], block, [sequence])


@pytest.mark.parametrize("encoder, want", [
    (LSTM(4), None), (GRU(4, bidirectional=True, num_layers=2), 4), (Bidirectional(GRU(3), LSTM(5)), 3),
    (BidirectionalStack(4, 2), 4), (TDNN(4, contexts=[[-1, 1]]), None),
    (Chain([GRU(3), LSTM(4, bidirectional=True)]), 4), (Chain([LSTM(4, bidirectional=True), GRU(3)]), None),
    (Conditioned(LSTM(4, bidirectional=True), 2), 4), (Conditioned(Chain([Bidirectional(GRU(3), LSTM(5))]), 2), 3)])
def test_what_was_read_from_the_start(encoder, want):
    assert forward_size_of(encoder) == want


def test_the_last_of_a_chain_is_the_last_of_its_last_block():
    encoder = LSTM(4, bidirectional=True, input_size=3, dtype="float64")
    chain, sequence = Chain([encoder]), mx.nd.random.normal(shape=(T, 2, 3), dtype="float64")
    encoder.initialize()
    outputs = chain(sequence, None, mx.nd.array([6, 3])).asnumpy()
    pooled = Pooling("last", 8, forward_size_of(chain), "float64")(mx.nd.array(outputs, dtype="float64"), [6, 3])
    want = [np.concatenate([outputs[length - 1, row, :4], outputs[0, row, 4:]]) for row, length in enumerate((6, 3))]
    np.testing.assert_array_equal(pooled.asnumpy(), want)


def test_unknown_kind():
    with pytest.raises(ValueError, match="one of last, mean, max, attention, got 'first'"):
        Pooling("first", H)
