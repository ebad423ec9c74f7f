"""An encoder step by step is the encoder; and what instruments refuse."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.diagnostics import NotRecurrentError, gradient_through_time
from gluon_rnn.diagnostics.unrolled import Unrolled, in_place_of_calls, layers_of, measure
from gluon_rnn.nn import GRU, LSTM, RNN, TDNN, Chain
from gluon_rnn.nn.jordan import Jordan
from gluon_rnn.registry import encoders

RECURRENT = [name for name in encoders.names() if name not in {"tdnn", "bidirectional"}]
# Sums of some ten products of size 1 in another order differ by a few units in the last place of float32.
CLOSE = {"rtol": 1e-5, "atol": 2e-6}


def built(name):
    stack = {} if name == "jordan" else {"num_layers": 2}
    block = encoders.get(name)(5, input_size=3, **stack)
    block.initialize(mx.init.Uniform(0.5))
    return block


def compare(block):
    """Compare all call forms of a block with those of the block unrolled."""
    x, lengths = mx.nd.random.normal(shape=(7, 4, 3)), mx.nd.array([7, 3, 0, 5])
    begin = [mx.nd.random.normal(shape=state.shape) for state in block.begin_state(4)]
    np.testing.assert_allclose(Unrolled(block)(x).asnumpy(), block(x).asnumpy(), **CLOSE)
    np.testing.assert_allclose(Unrolled(block)(x, None, lengths).asnumpy(), block(x, None, lengths).asnumpy(), **CLOSE)
    outputs, states = Unrolled(block)(x, begin, lengths)
    expected, finals = block(x, begin, lengths)
    for found, wanted in zip([outputs, *states], [expected, *finals]):
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), **CLOSE)


@pytest.mark.parametrize("name", RECURRENT)
def test_an_unrolled_encoder_is_the_encoder(name):
    compare(built(name))


@pytest.mark.parametrize("block", [RNN(5, activation="relu", input_size=3), RNN(5, activation="sigmoid", input_size=3),
                                   Jordan(5, 2, input_size=3, decay=0.5, output_activation="tanh"),
                                   Chain([LSTM(5, 2, input_size=3), Jordan(4, 2), GRU(3)])],
                         ids=["relu", "sigmoid", "jordan", "chain"])
def test_kinds_of_one_encoder(block):
    block.initialize(mx.init.Uniform(0.5))
    compare(block)


def test_nan_behind_the_end_of_a_row_stays_out():
    block, x = built("lstm"), mx.nd.ones((4, 2, 3))
    x[2:, 1] = np.nan
    outputs = Unrolled(block)(x, None, mx.nd.array([4, 2]))
    assert np.isfinite(outputs.asnumpy()).all()


def test_layers_have_names_of_states_and_gates():
    layers = layers_of(Chain([LSTM(3, 2, input_size=3), Jordan(4, 3), built("zoneout_gru")]))
    assert [(layer.name, layer.states, layer.gates) for layer in layers] == [
        ("layer 1", ("h", "c"), ("forget", "input", "output")), ("layer 2", ("h", "c"), ("forget", "input", "output")),
        ("layer 3", ("output",), ()), ("layer 4", ("h",), ("reset", "update")),
        ("layer 5", ("h",), ("reset", "update"))]


def test_calls_go_back_to_the_encoder():
    block, x = built("gru"), mx.nd.ones((2, 1, 3))
    with pytest.raises(KeyError), in_place_of_calls(block, lambda *arguments: "taken"):
        assert block(x) == "taken" and type(block).__name__ == "GRU"
        raise KeyError
    assert type(block) is GRU and block(x).shape == (2, 1, 5)


def test_calls_one_after_another_are_one_sequence():
    block, x = built("lstm"), mx.nd.random.normal(shape=(6, 2, 3))

    def in_two(block):
        _, states = block(x[:2], block.begin_state(2))
        return block(x[2:], states)[0].sum()

    assert measure(block, lambda: in_two(block)).tolist() == [6, 6]
    whole, parts = (gradient_through_time(block, loss).norms["layer 2 h"]
                    for loss in (lambda: block(x).sum(), lambda: in_two(block)))
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


def refusal(block, loss, kind=ValueError):
    with pytest.raises(kind) as caught:
        gradient_through_time(block, loss)
    return str(caught.value)


def test_what_is_refused():
    x, lstm = mx.nd.ones((4, 2, 3)), built("lstm")
    tdnn, both = TDNN(5, input_size=3), LSTM(5, bidirectional=True, input_size=3)
    for block in (tdnn, both):
        block.initialize()
    assert "TDNN has no recurrent states" in refusal(tdnn, lambda: tdnn(x).sum(), NotRecurrentError)
    assert "LSTM reads sequences from both ends" in refusal(both, lambda: both(x).sum(), NotRecurrentError)
    assert "did not call the encoder LSTM" in refusal(lstm, lambda: x.sum())
    assert "each call must begin with the states" in refusal(lstm, lambda: lstm(x).sum() + lstm(x).sum())
    jordan = built("jordan")
    assert "forces its outputs" in refusal(jordan, lambda: jordan(x, None, None, mx.nd.ones((4, 2, 5))).sum())
    batch_major = LSTM(5, layout="NTC", input_size=3)
    assert "layout 'TNC'" in refusal(batch_major, lambda: 0)


def test_a_compiled_model_is_refused():
    lstm, x = built("lstm"), mx.nd.ones((4, 2, 3))
    chain = Chain([lstm, GRU(2)])
    chain.l1.initialize()
    chain.hybridize()
    assert "model.hybridize(False)" in refusal(lstm, lambda: chain(x).sum())
    with autograd.pause():
        chain(x)
    assert "model.hybridize(False)" in refusal(lstm, lambda: chain(x).sum())          # its graph is there already
