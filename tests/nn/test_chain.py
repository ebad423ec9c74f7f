"""`Chain`: several blocks as one. The contract of sequence blocks is proved for it in `test_contract.py`."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn


def test_is_one_block_behind_the_other():
    first, second = nn.LSTM(4, bidirectional=True, input_size=3), nn.GRU(5)
    chain = nn.Chain([first, second])
    chain.initialize()
    inputs, lengths = mx.nd.random.normal(shape=(6, 2, 3)), mx.nd.array([6, 3])
    outputs, states = chain(inputs, chain.begin_state(2), lengths)
    between, begin = first(inputs, first.begin_state(2), lengths)
    wanted, end = second(between, second.begin_state(2), lengths)
    for got, want in zip([outputs, *states], [wanted, *begin, *end]):
        np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())
    assert (chain.input_size, chain.hidden_size, chain.output_size, chain.causal) == (3, 5, 5, False)
    assert second.input_size == 8 and nn.Chain([nn.LSTM(4), nn.GRU(5)]).causal


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("make", [
    lambda size: [nn.TDNN(4, input_size=size), nn.GRU(4)], lambda size: [nn.DelayLine(2, size), nn.GRU(4)],
    lambda size: [nn.QRNN(4, window=2, input_size=size), nn.LSTM(3)],
    lambda size: [nn.DelayLine(2, size), nn.TDNN(4), nn.GRU(4)]])
def test_an_open_size_is_that_of_the_first_inputs(make, hybrid):
    """States of the blocks inside are past inputs, so they have to know it before they run."""
    chain, known, inputs = nn.Chain(make(0)), nn.Chain(make(3)), mx.nd.random.normal(shape=(5, 2, 3))
    chain.initialize()
    if hybrid:
        chain.hybridize()
    outputs = chain(inputs)
    known.initialize()
    for mine, its in zip(known.collect_params().values(), chain.collect_params().values()):
        mine.set_data(its.data())
    np.testing.assert_array_equal(outputs.asnumpy(), known(inputs).asnumpy())


def test_loops_where_a_block_does_now():
    chain = nn.Chain([nn.Jordan(4, activation="relu", input_size=3), nn.LSTM(4)])
    assert not chain.loops
    chain.cast("float64")                                                 # the fused relu is good to float32 only
    assert chain.loops


@pytest.mark.parametrize("option, same_at_all_steps", [("dropout", False), ("drop_h", True)])
def test_dropout_is_between_the_blocks(option, same_at_all_steps):
    copy = nn.RNN(64, activation="relu", h2h_weight_initializer="zeros", input_size=64)
    ones = nn.RNN(64, activation="relu", i2h_bias_initializer="ones", input_size=1)
    chain = nn.Chain([ones, copy], **{option: 0.5})
    chain.initialize()
    copy.parts()["l0_i2h_weight"][:] = mx.nd.eye(64)                      # what it reads is what it returns
    chain.l0.parts()["l0_h2h_weight"][:] = 0
    inputs = mx.nd.zeros((8, 1, 1))
    with autograd.train_mode():
        outputs = chain(inputs).asnumpy()
    assert set(np.unique(outputs)) == {0, 2}
    assert (outputs == outputs[0]).all() is np.bool_(same_at_all_steps)
    assert (chain(inputs).asnumpy() == 1).all()


@pytest.mark.parametrize("blocks, match", [
    (list, "needs at least one block, got none"),
    (lambda: [nn.LSTM(4, layout="NTC")], "must have layout 'TNC', got LSTM"),
    (lambda: [nn.LSTM(4), nn.GRU(4, dtype="float64")], "must have one dtype, got float32 and float64"),
    (lambda: [nn.LSTM(4), nn.GRU(4, input_size=5)], "5 input features|belongs to a layer of 5 input features, got 4")])
def test_blocks_that_do_not_fit(blocks, match):
    with pytest.raises(ValueError, match=match):
        nn.Chain(blocks())


def test_a_file_of_its_parameters(tmp_path):
    chain, other = (nn.Chain([nn.LSTM(4, input_size=3), nn.GRU(5)]) for _ in range(2))
    chain.initialize()
    chain.save_parameters(str(tmp_path / "chain.params"))
    other.load_parameters(str(tmp_path / "chain.params"))
    inputs = mx.nd.random.normal(shape=(6, 2, 3))
    np.testing.assert_array_equal(chain(inputs).asnumpy(), other(inputs).asnumpy())
    assert repr(chain).startswith("Chain([LSTM(3 -> 4, ") and "GRU(4 -> 5, " in repr(chain)
