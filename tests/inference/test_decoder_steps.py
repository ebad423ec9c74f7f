"""Steps of a decoder with bound memory against the decoder's own calls: reordered, repeated and mixed rows, dtypes."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.decoder_steps import DecoderSteps
from gluon_rnn.inference.live import StepNetwork
from gluon_rnn.models import DecodeStep, Seq2Seq, SourceEncoder
from gluon_rnn.nn import GRU, LSTM, QRNN, PeepholeLSTM

N, V = 3, 6
DECODERS = {"lstm": lambda: LSTM(4, num_layers=2), "peephole": lambda: PeepholeLSTM(4),
            "qrnn": lambda: QRNN(4, window=2, input_size=3)}


def decoder(attention="luong", name="lstm"):
    """Return a step of a model, and its states behind a batch of sources of unequal lengths."""
    # Bahdanau's attention asks with h, which is a state of those decoders only
    model = Seq2Seq(7, V, GRU(4), DECODERS[name](), attention=attention, embed_size=3)
    model.initialize(mx.init.Normal(1))
    source = mx.nd.array(np.random.randint(0, 7, (5, N)), dtype="int32")
    return StepNetwork(DecodeStep(model)), SourceEncoder(model)(source, mx.nd.array([5, 2, 4]))


def both(network, states, rows, tokens):
    """Return the logits of each step by the block and by a `DecoderSteps`, rows being taken before each."""
    found, begin = [], states
    for step in (network, network.stepping(len(tokens[0]))):
        states, logits = begin, []
        for indices, token in zip(rows, tokens):
            scores, states = step(np.array(token, dtype=np.int32), step.rows(states, indices))
            logits.append(scores.copy())
        found.append(logits)
    assert isinstance(step, DecoderSteps)
    return found


@pytest.mark.parametrize("attention, name", [
    ("none", "lstm"), ("luong", "lstm"), ("bahdanau", "lstm"), ("luong", "peephole"), ("luong", "qrnn")])
def test_beams_are_reordered_and_sentences_mixed(attention, name):
    network, states = decoder(attention, name)
    rows = [np.repeat(np.arange(N), 2), [1, 1, 2, 3, 5, 4], [5, 0, 0, 2, 3, 1], np.arange(6)]     # the third mixes them
    expected, got = both(network, states, rows, np.random.randint(0, V, (4, 6)))
    # float32: other operators than those of the call; a few roundings of sums of products of numbers about 1
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_states_of_before_can_be_gone_back_to():
    network, begin = decoder()
    step, token = network.stepping(N), np.array([1, 2, 3], dtype=np.int32)
    _, first = step(token, begin)
    scores, second = step(token, first)
    expected = scores.copy()
    step(token, second)
    np.testing.assert_array_equal(step(token, first)[0], expected)
    fewer, _ = step(token[:2], step.rows(first, [0, 1]))                  # and another number of rows
    np.testing.assert_allclose(fewer, expected[:2], rtol=0, atol=1e-5)    # float32, batches of another size


def test_parameters_that_change_are_seen_by_the_next_search():
    network, states = decoder()
    both(network, states, [np.arange(N)], [[1, 2, 3]])
    weight = network.block.collect_params(".*output_weight").values()
    for parameter in weight:
        parameter.set_data(2 * parameter.data())
    expected, got = both(network, states, [np.arange(N)], [[1, 2, 3]])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)          # as above


def test_a_step_that_is_no_block_is_called_as_it_is():
    network = StepNetwork(lambda token, states: (mx.nd.one_hot(token, V), states))
    assert network.stepping(2) is network
