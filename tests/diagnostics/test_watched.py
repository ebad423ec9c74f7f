"""What is noted of an encoder against its own outputs and states."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import NotRecurrentError, outputs_of, states_of
from gluon_rnn.diagnostics.watched import with_inputs
from gluon_rnn.nn import GRU, LSTM, TDNN, Chain, Jordan


@pytest.fixture
def x():
    return mx.nd.random.normal(shape=(5, 3, 2))


def made(encoder):
    encoder.initialize()
    return encoder


@pytest.mark.parametrize("kind", [lambda: LSTM(4, bidirectional=True), lambda: TDNN(4)])
def test_outputs_of_any_encoder(kind, x):
    encoder = made(kind())
    outputs, lengths = outputs_of(encoder, lambda: encoder(x, None, mx.nd.array([5, 2, 3])))
    np.testing.assert_array_equal(outputs, encoder(x, None, mx.nd.array([5, 2, 3])).asnumpy())
    assert lengths.tolist() == [5, 2, 3]
    assert outputs_of(encoder, lambda: encoder(x))[1].tolist() == [5, 5, 5]
    with pytest.raises(ValueError, match="must call the encoder .* once, and called it 2 times"):
        outputs_of(encoder, lambda: [encoder(x), encoder(x)])


@pytest.mark.parametrize("kind, names", [
    (lambda: LSTM(4, num_layers=2, input_size=2), ["layer 1 h", "layer 1 c", "layer 2 h", "layer 2 c"]),
    (lambda: Chain([GRU(3, input_size=2), LSTM(4, input_size=3)]), ["layer 1 h", "layer 2 h", "layer 2 c"]),
    (lambda: Jordan(3, 2, input_size=2), ["layer 1 output"])])
def test_states_are_those_that_a_shorter_sequence_ends_in(kind, names, x):
    encoder = made(kind())
    found = states_of(encoder, lambda: encoder(x))
    assert list(found) == names
    last = list(found)[-1]
    for t in range(5):
        outputs, states = encoder(x[:t + 1], encoder.begin_state(3))
        if last.endswith("c"):
            # Float32 sums of a handful of products, in another order.
            np.testing.assert_allclose(found[last][t], states[-1][-1].asnumpy(), rtol=1e-4, atol=1e-6)
        if not last.endswith("output"):
            top = next(name for name in reversed(names) if name.endswith("h"))
            np.testing.assert_allclose(found[top][t], outputs[-1].asnumpy(), rtol=1e-4, atol=1e-6)


def test_states_past_a_length_are_zero(x):
    encoder = made(LSTM(4, input_size=2))
    found = states_of(encoder, lambda: encoder(x, None, mx.nd.array([5, 2, 3])))
    alone = states_of(encoder, lambda: encoder(x[:2, 1:2]))
    for name in found:
        assert not found[name][2:, 1].any()
        np.testing.assert_allclose(found[name][:2, 1:2], alone[name], rtol=1e-5, atol=1e-7)
    with pytest.raises(NotRecurrentError):
        states_of(made(TDNN(4)), lambda: None)
    with pytest.raises(ValueError, match="the run did not call the encoder LSTM"):
        states_of(encoder, lambda: None)


def test_inputs_may_be_replaced(x):
    encoder = made(LSTM(4, input_size=2))
    answer, seen = with_inputs(encoder, lambda: encoder(x).sum())
    assert seen is x and float(answer.asscalar()) == float(encoder(x).sum().asscalar())
    answer, _ = with_inputs(encoder, lambda: encoder(x).sum(), 2 * x)
    assert float(answer.asscalar()) == float(encoder(2 * x).sum().asscalar())
