"""Both directions around any causal block: the fused layers' own, blocks by hand, gradients; the contract elsewhere."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import GRU, LSTM, RNN, TDNN, Bidirectional, BidirectionalStack, PeepholeLSTM
from gluon_rnn.registry import encoders
from tests.gradients import assert_central_differences
from tests.reference import EXACT

LENGTHS = [None, [6, 3, 1]]


def batch(steps=6, rows=3):
    return mx.nd.random.normal(shape=(steps, rows, 3), dtype="float64")


def set_direction(block, fused, direction):
    """Give a one-directional fused layer the parameters of one direction of a bidirectional one."""
    for name, value in fused.parts().items():
        if name[0] == direction:
            block._reg_params[f"l{name[1:]}"].set_data(value)


@pytest.mark.parametrize("layer", [RNN, LSTM, GRU])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_is_the_fused_layer_that_has_it_built_in(layer, lengths):
    fused = layer(4, bidirectional=True, input_size=3, dtype="float64")
    block = Bidirectional(*(layer(4, input_size=3, dtype="float64") for _ in range(2)))
    for one in (fused, block):
        one.initialize()
    set_direction(block.forward_block, fused, "l")
    set_direction(block.backward_block, fused, "r")
    inputs, lengths = batch(), None if lengths is None else mx.nd.array(lengths)
    want, want_states = fused(inputs, fused.begin_state(3), lengths)
    got, states = block(inputs, block.begin_state(3), lengths)
    np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)
    per_state = len(want_states)
    for i, state in enumerate(want_states):                               # (2, N, H): one direction a row
        for d in range(2):
            np.testing.assert_allclose(states[d * per_state + i].asnumpy(), state[d:d + 1].asnumpy(), **EXACT)


@pytest.mark.parametrize("cell", [name for name in encoders.names() if name != "bidirectional"])
def test_stack_is_each_direction_by_hand(cell):
    stack = BidirectionalStack(4, 2, cell=cell, input_size=3, dtype="float64")
    stack.initialize()
    inputs, lengths = batch(), [6, 3, 1]
    outputs = stack(inputs, None, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        values = inputs[:length, row:row + 1]
        for pair in (stack.l0, stack.l1):
            back = pair.backward_block(values.flip(axis=0)).flip(axis=0)
            values = mx.nd.concat(pair.forward_block(values), back, dim=2)
        np.testing.assert_allclose(outputs[:length, row:row + 1].asnumpy(), values.asnumpy(), **EXACT)
        assert not outputs[length:, row].asnumpy().any()


@pytest.mark.parametrize("lengths", [None, [3, 1]])
def test_gradients_are_central_differences(lengths):
    block = BidirectionalStack(2, cell="jordan", input_size=2, dtype="float64")
    block.initialize()
    inputs = mx.nd.random.normal(shape=(3, 2, 2), dtype="float64")
    lengths = None if lengths is None else mx.nd.array(lengths)
    assert_central_differences(lambda: [block(inputs, None, lengths)], block, [inputs])


def test_options_reach_the_cell_and_dropout_stands_between_layers():
    stack = BidirectionalStack(6, 2, cell="projected_lstm", cell_options={"projection_size": 2}, dropout=0.5)
    stack.initialize()
    inputs = mx.nd.ones((4, 2, 3))
    assert stack(inputs).shape == (4, 2, 4) and stack.l1.input_size == 4
    with mx.autograd.record():
        first, second = stack(inputs), stack(inputs)
    assert not np.allclose(first.asnumpy(), second.asnumpy())


@pytest.mark.parametrize("cell,options", [("tdnn", {}), ("qrnn", {"window": 2})])
def test_an_open_size_is_that_of_the_first_inputs(cell, options):
    """States of these cells are past inputs, so they have to know it before they run."""
    stack, known = (BidirectionalStack(4, cell=cell, cell_options=options, input_size=size) for size in (0, 3))
    pair, inputs = Bidirectional(TDNN(4), TDNN(4)), mx.nd.random.normal(shape=(5, 2, 3))
    for block in (stack, pair):
        block.initialize()
    outputs, _ = stack(inputs), known.initialize()
    for mine, its in zip(known.collect_params().values(), stack.collect_params().values()):
        mine.set_data(its.data())
    np.testing.assert_array_equal(outputs.asnumpy(), known(inputs).asnumpy())
    back = pair.backward_block(inputs.flip(axis=0)).flip(axis=0)
    by_hand = mx.nd.concat(pair.forward_block(inputs), back, dim=2)
    np.testing.assert_array_equal(pair(inputs).asnumpy(), by_hand.asnumpy())


@pytest.mark.parametrize("call,message", [
    (lambda: Bidirectional(LSTM(2), LSTM(2, bidirectional=True)), "a direction must be a causal block of layout 'TNC'"),
    (lambda: Bidirectional(LSTM(2, layout="NTC"), LSTM(2)), "a direction must be a causal block of layout 'TNC'"),
    (lambda: Bidirectional(LSTM(2), GRU(2, dtype="float64")), "must have one dtype, got float32 and float64"),
    (lambda: Bidirectional(LSTM(2, input_size=3), TDNN(2, input_size=4)), "expects 4 input features"),
    (lambda: BidirectionalStack(2, cell="peephole"), "did you mean 'peephole_lstm'"),
    (lambda: BidirectionalStack(2, cell="bidirectional"), "a direction must be a causal block"),
    (lambda: BidirectionalStack(2, cell="tdnn", cell_options={"context": []}), "did you mean 'contexts'"),
    (lambda: BidirectionalStack(2, cell_options={"hidden_size": 9}), "cell_options holds hidden_size, which"),
    (lambda: BidirectionalStack(2, cell_options={"input_size": 9}), "cell_options holds input_size, which"),
    (lambda: BidirectionalStack(2, 0), "num_layers must be a whole number of at least 1"),
    (lambda: Bidirectional(PeepholeLSTM(2, input_size=3), GRU(2))(mx.nd.ones((2, 2, 4))), "expects 3 input features"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
