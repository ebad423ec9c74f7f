"""Truncated gradients against those of the encoder's own operators, called chunk by chunk; and the sentence."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.diagnostics import Truncation, truncation
from gluon_rnn.nn import GRU, LSTM, RNN, TDNN
from gluon_rnn.registry import encoders


def gradient(block, x, k):
    """Return the gradient of sum(outputs^2) by calls of the block, states detached every k steps from the end."""
    steps, states, loss = len(x), block.begin_state(x.shape[1]), 0
    edges = sorted({0, *range(steps, 0, -k)})
    with autograd.record():
        for begin, end in zip(edges, edges[1:]):
            outputs, states = block(x[begin:end], [state.detach() for state in states])
            loss = loss + (outputs ** 2).sum()
    loss.backward()
    return np.concatenate([p.grad().asnumpy().ravel() for p in block.collect_params().values()]).astype(np.float64)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "jordan", "peephole_lstm"])
def test_truncated_gradients_are_those_of_chunks(name):
    block = encoders.get(name)(4, input_size=2, dtype="float64")
    block.initialize(mx.init.Uniform(0.8))
    x = mx.nd.random.normal(shape=(7, 3, 2), dtype="float64")
    found = truncation(block, lambda: (block(x) ** 2).sum(), bptt=3)
    assert found.k.tolist() == [1, 2, 3, 4, 7] and found.steps == 7 and found.bptt == 3
    full = gradient(block, x, 7)
    for k, cosine, ratio in zip(found.k, found.cosine, found.norm_ratio):
        cut = gradient(block, x, k)
        # Both are sums of products in float64; only their order differs.
        assert cosine == pytest.approx(cut @ full / np.linalg.norm(cut) / np.linalg.norm(full), rel=1e-9)
        assert ratio == pytest.approx(np.linalg.norm(cut) / np.linalg.norm(full), rel=1e-9)
    assert (found.cosine[-1], found.norm_ratio[-1]) == (pytest.approx(1, abs=1e-12), pytest.approx(1, abs=1e-12))
    np.testing.assert_array_equal(found.encoder_cosine, found.cosine)


def test_a_network_without_recurrence_loses_nothing():
    block, x = GRU(4, input_size=2), mx.nd.random.normal(shape=(6, 3, 2))
    block.initialize()
    block.parts()["l0_h2h_weight"][:] = 0
    block.gate("l0_i2h_weight", "z")[:] = 0
    block.gate("l0_i2h_bias", "z")[:] = -60                               # h is the candidate of this step
    found = truncation(block, lambda: block(x).sum())
    np.testing.assert_allclose(found.cosine[1:], 1, rtol=1e-6)            # at k = 1 weights h2h have no gradient
    assert found.enough <= 2 and found.summary().startswith("training goes back through whole sequences; truncated to ")


def test_edges_are_counted_from_the_end_of_each_row():
    """A row's gradient is the same alone and beside a longer one."""
    block, x = RNN(3, input_size=2, dtype="float64"), mx.nd.random.normal(shape=(6, 2, 2), dtype="float64")
    block.initialize()
    both = x.copy()
    both[:, 1] *= 0                                                       # no inputs, no biases: no gradient
    alone = truncation(block, lambda: (block(both[:4, :1]) ** 2).sum())
    beside = truncation(block, lambda: (block(both, None, mx.nd.array([4, 6], dtype="float64")) ** 2).sum())
    assert alone.k.tolist() == [1, 2, 4] and beside.k.tolist() == [1, 2, 4, 6]
    np.testing.assert_allclose(beside.cosine[:3], alone.cosine, rtol=1e-10)


def test_parameters_around_the_encoder_count_too():
    block, dense = LSTM(3, input_size=2), mx.gluon.nn.Dense(1, flatten=False, in_units=3)
    model = mx.gluon.nn.Sequential()
    model.add(block, dense)
    model.initialize()
    x = mx.nd.random.normal(shape=(8, 3, 2))
    found = truncation(block, lambda: (model(x) ** 2).sum(), model)
    assert (found.cosine[:-1] > found.encoder_cosine[:-1]).all()          # the gradient of Dense is the same for all k


def made(cosine, bptt, k=(1, 2, 4, 8)):
    values = np.array(cosine)
    return Truncation(np.array(k), values, values, values - 0.1, values, k[-1], bptt)


@pytest.mark.parametrize("cosine, bptt, sentence", [
    ([0.5, 0.99, 0.995, 1], 4, "your bptt of 4 is long enough: the gradient has a cosine of 0.995 with that of all 8 "
     "steps, that of the encoder alone 0.895; from 2 steps on it is at least 0.99"),
    ([0.5, 0.98, 0.995, 1], 2, "your bptt of 2 is not long enough: the gradient has a cosine of 0.980 with that of all "
     "8 steps, that of the encoder alone 0.880, and 0.98 of its norm; 4 steps reach 0.99"),
    ([0.5, 0.6, 0.7, 1], 2, "your bptt of 2 is not long enough: the gradient has a cosine of 0.600 with that of all 8 "
     "steps, that of the encoder alone 0.500, and 0.60 of its norm; nothing below 8 steps reaches 0.99"),
    ([0.5, 0.6, 0.7, 1], 35, "your bptt of 35 is long enough: no sequence here has more than 8 steps"),
    ([0.995, 0.6, 0.992, 1], None, "training goes back through whole sequences; truncated to 4 steps, the gradient has "
     "a cosine of at least 0.99 with that of all 8 steps")])
def test_the_sentence(cosine, bptt, sentence):
    assert made(cosine, bptt).summary() == sentence


def test_what_is_refused():
    block, x = RNN(3, input_size=2), mx.nd.ones((4, 2, 2))
    block.initialize()
    with pytest.raises(ValueError, match="the gradient of the loss by the encoder is 0"):
        truncation(block, lambda: (0 * block(x)).sum())
    with pytest.raises(ValueError, match="TDNN has no recurrent states"):
        truncation(TDNN(3), lambda: None)
    block.collect_params().setattr("grad_req", "null")
    with pytest.raises(ValueError, match="no parameter of RNN is trained"):
        truncation(block, lambda: block(x).sum())
