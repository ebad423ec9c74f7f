"""Live blocks as networks: the block's own numbers, states on its device, rows of states, dtypes."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.live import LiveNetwork, TaggerNetwork
from gluon_rnn.models import SequenceTagger
from gluon_rnn.nn import GRU, LSTM, PeepholeLSTM

LENGTHS = np.array([5, 0, 3], dtype=np.float32)


def blocks():
    return {"lstm": LSTM(4, num_layers=2, input_size=3), "gru": GRU(4, input_size=3),
            "peephole": PeepholeLSTM(4, 2, input_size=3)}


@pytest.mark.parametrize("name", blocks())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_and_states_are_the_blocks(name, dtype):
    block = blocks()[name]
    block.cast(dtype)
    block.initialize(mx.init.Normal(1))
    network, inputs = LiveNetwork(block), np.random.randn(5, 3, 3)
    expected, states = block(mx.nd.array(inputs, dtype=dtype), block.begin_state(3), mx.nd.array(LENGTHS))
    outputs, ends = network(inputs, None, LENGTHS)
    assert isinstance(outputs, np.ndarray) and outputs.dtype == dtype and network.causal
    np.testing.assert_array_equal(outputs, expected.asnumpy())
    for one, other in zip(ends, states):
        np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())
    alone = block(mx.nd.array(inputs, dtype=dtype), None, mx.nd.array(LENGTHS))
    np.testing.assert_array_equal(network.outputs(inputs, LENGTHS), alone.asnumpy())


@pytest.mark.parametrize("name", blocks())
def test_rows_of_states_go_on_as_sequences_of_their_own(name):
    block = blocks()[name]
    block.initialize(mx.init.Normal(1))
    network, first = LiveNetwork(block), np.random.randn(4, 3, 3)
    rows, then = [2, 0, 0, 1, 2], np.random.randn(2, 5, 3)
    _, states = network(first)
    outputs, _ = network(then, network.rows(states, rows))
    whole = network.outputs(np.concatenate([first[:, rows], then]))
    np.testing.assert_allclose(outputs, whole[4:], rtol=1e-5, atol=1e-6)  # float32, batches of another size


def test_a_block_that_looks_ahead_says_so():
    block = LSTM(2, bidirectional=True, input_size=1)
    block.initialize()
    network = LiveNetwork(block)
    assert not network.causal and network.name == "LSTM"
    assert network(np.zeros((3, 2, 1)))[0].shape == (3, 2, 4)


def test_a_tagger_with_a_crf_has_its_labels_beside_the_scores():
    model = SequenceTagger(LSTM(4), 3, vocab_size=6, embed_size=3, crf=True)
    model.initialize(mx.init.Normal(1))
    model.crf.transition_weight.set_data(mx.nd.random.normal(scale=3, shape=(3, 3)))
    network, words = TaggerNetwork(model), np.random.randint(0, 6, (5, 3))
    (scores, labels), states = network(words, None, LENGTHS)
    expected = model(mx.nd.array(words, dtype="int32"), None, mx.nd.array(LENGTHS))
    np.testing.assert_allclose(scores, expected.asnumpy(), rtol=1e-6, atol=1e-6)   # float32; states kept or not
    np.testing.assert_array_equal(labels, model.decode(expected, mx.nd.array(LENGTHS)).asnumpy())
    assert labels.shape == (5, 3) and len(states) == 2
    np.testing.assert_array_equal(network.outputs(words, LENGTHS)[1], labels)


def test_another_device_can_be_named():
    block = LSTM(2, input_size=1)
    block.initialize(ctx=[mx.cpu(0), mx.cpu(1)])
    for device in (mx.cpu(0), mx.cpu(1)):
        network = LiveNetwork(block, device)
        assert network.device == device and network(np.zeros((1, 1, 1)))[1][0].context == device
    assert LiveNetwork(block).device == mx.cpu(0)
