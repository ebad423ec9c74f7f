"""Initial states of blocks that look ahead may be any; those that a block returned are refused, in every call form."""
import copy

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn import models, nn
from gluon_rnn.nn import final_states
from tests.gradients import assert_central_differences
from tests.reference import assert_rounded

#: roundings of float32 on the longest path: six steps of two layers of some ten inputs and units
TERMS = 6 * 2 * 10
BLOCKS = {
    "fused": lambda: nn.LSTM(4, 2, bidirectional=True, input_size=3),
    "around": lambda: nn.Bidirectional(nn.PeepholeLSTM(4, input_size=3), nn.Jordan(5, 2, input_size=3)),
    "stack": lambda: nn.BidirectionalStack(4, 2, cell="reset_before_gru", input_size=3),
    "tdnn": lambda: nn.TDNN(4, contexts=[[-2, 1]], input_size=3),
    "ahead_only": lambda: nn.TDNN(4, contexts=[[0, 1]], input_size=3),
    "model": lambda: models.CTCModel(nn.GRU(4, bidirectional=True), 3, input_size=3),
    "pooled": lambda: models.SequenceClassifier(nn.GRU(4), 3, input_size=3, pooling="mean"),
    "conditioned": lambda: nn.Conditioned(nn.GRU(4, bidirectional=True, input_size=5), 2),
}


@pytest.fixture(params=BLOCKS)
def block(request):
    block = BLOCKS[request.param]()
    block.initialize()
    return block


def random_states(block, rows=3, dtype="float32"):
    return [mx.nd.random.normal(shape=info["shape"], dtype=dtype) for info in block.state_info(rows)]


def refused(block, inputs, states):
    with pytest.raises(ValueError, match="cannot be carried into the next; pass whole sequences"):
        block(inputs, states)


@pytest.mark.parametrize("hybrid", [False, True])
def test_any_initial_states_and_never_the_last_ones(block, hybrid):
    if hybrid:
        block.hybridize()
    inputs, begin = mx.nd.random.normal(shape=(6, 3, 3)), random_states(block)
    first, finals = block(inputs, begin)
    again, _ = block(inputs, begin)                                       # still initial ones after the call
    np.testing.assert_array_equal(again.asnumpy(), first.asnumpy())
    refused(block, inputs, finals)
    refused(block, inputs, [*begin[:-1], finals[0]] if len(finals) == len(begin) == 1 else [finals[0], *begin[1:]])


def test_detached_copied_cut_and_moved_states_are_still_the_last_ones(block):
    inputs = mx.nd.random.normal(shape=(6, 3, 3))
    _, finals = block(inputs, block.begin_state(3))
    for carried in ([state.detach() for state in finals], [state.copy() for state in finals],
                    [state.astype("float32") for state in finals], [state[:] for state in finals],
                    [state.as_in_context(mx.cpu()) for state in finals], [state.copyto(mx.cpu()) for state in finals]):
        refused(block, inputs, carried)


def test_what_is_computed_from_last_states_is_an_initial_state(block):
    inputs = mx.nd.random.normal(shape=(6, 3, 3))
    _, finals = block(inputs, block.begin_state(3))
    block(inputs, [mx.nd.tanh(state) for state in finals])


def test_the_last_states_of_another_network_are_initial_ones():
    first, second = (nn.LSTM(4, bidirectional=True, input_size=3) for _ in range(2))
    for block in (first, second):
        block.initialize()
    inputs = mx.nd.random.normal(shape=(6, 3, 3))
    _, finals = first(inputs, first.begin_state(3))
    second(inputs, finals)
    refused(first, inputs, finals)


def test_a_causal_block_carries_its_states():
    block = nn.LSTM(4, input_size=3)
    block.initialize()
    _, finals = block(mx.nd.ones((6, 3, 3)), block.begin_state(3))
    assert all(type(state) is mx.nd.NDArray for state in finals)
    block(mx.nd.ones((6, 3, 3)), finals)


def test_in_a_graph_too():
    block = nn.GRU(4, bidirectional=True, input_size=3)
    inputs, begin = mx.sym.var("data"), [mx.sym.var("state")]
    _, finals = block(inputs, begin)
    refused(block, inputs, finals)
    assert {"data", "state"} < set(block(inputs, [finals[0] * 1])[0].list_arguments())


@pytest.mark.parametrize("lengths", [None, [3, 1]])
@pytest.mark.parametrize("make", [lambda: nn.GRU(2, bidirectional=True, input_size=2, dtype="float64"),
                                  lambda: nn.BidirectionalStack(2, cell="jordan", input_size=2, dtype="float64")])
def test_a_learnt_initial_state_gets_its_gradient(make, lengths):
    block, lengths = make(), None if lengths is None else mx.nd.array(lengths)
    block.initialize()
    inputs, begin = mx.nd.random.normal(shape=(3, 2, 2), dtype="float64"), random_states(block, 2, "float64")
    assert_central_differences(lambda: [block(inputs, begin, lengths)[0]], block, begin)


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_row_alone_begins_with_its_row_of_the_states(block, hybrid):
    if hybrid:
        block.hybridize()
    inputs, begin, lengths = mx.nd.random.normal(shape=(6, 3, 3)), random_states(block), [6, 4, 1]
    outputs, finals = block(inputs, begin, mx.nd.array(lengths))
    axes = [info["__layout__"].index("N") for info in block.state_info()]
    pooled = outputs.ndim == 2
    for row, length in enumerate(lengths):
        mine = [state.slice_axis(axis=axis, begin=row, end=row + 1) for state, axis in zip(begin, axes)]
        want, ends = block(inputs[:length, row:row + 1], mine)
        got = outputs[row:row + 1] if pooled else outputs[:length, row:row + 1]
        assert_rounded([got], [want], TERMS)
        for state, axis, end in zip(finals, axes, ends):
            state = state.slice_axis(axis=axis, begin=row, end=row + 1)
            assert_rounded([state], [end], TERMS)


def test_marked_arrays_are_arrays():
    block = nn.GRU(4, bidirectional=True, input_size=3)
    block.initialize()
    inputs = mx.nd.random.normal(shape=(6, 3, 3))
    inputs.attach_grad()
    with autograd.record():
        _, (h,) = block(inputs, block.begin_state(3))
        loss = (h ** 2).sum()
    loss.backward()
    assert inputs.grad.asnumpy().any()
    assert isinstance(h, mx.nd.NDArray) and type(h + 0) is mx.nd.NDArray
    assert not final_states.are_of(block, [copy.deepcopy(h) * 1])
    np.testing.assert_array_equal(copy.deepcopy(h).asnumpy(), h.asnumpy())


def test_a_parent_that_is_hybridized_returns_ordinary_arrays():
    """What a graph of Gluon's returns is made anew; nothing is known of where it comes from."""
    class Parent(gluon.HybridBlock):
        def __init__(self, block):
            super().__init__()
            self.block = block

        def hybrid_forward(self, F, inputs, states):
            return self.block(inputs, states)

    parent = Parent(nn.GRU(4, bidirectional=True, input_size=3))
    parent.initialize()
    parent.hybridize()
    _, finals = parent(mx.nd.ones((6, 3, 3)), [mx.nd.zeros((2, 3, 4))])
    assert all(type(state) is mx.nd.NDArray for state in finals)


def test_marked_states_are_arrays_wherever_mxnet_asks_for_the_class():
    """Assignment compares classes by ==: a buffer takes a marked state, and a marked state takes an array."""
    layer = nn.LSTM(4, bidirectional=True, input_size=3)
    layer.initialize()
    _, (h, c) = layer(mx.nd.random.normal(shape=(5, 2, 3)), layer.begin_state(2))
    buffer = mx.nd.zeros(h.shape)
    buffer[:] = h
    np.testing.assert_array_equal(buffer.asnumpy(), h.asnumpy())
    buffer[1] = c[0]
    np.testing.assert_array_equal(buffer[1].asnumpy(), c[0].asnumpy())
    np.testing.assert_array_equal(mx.nd.array(c).asnumpy(), c.asnumpy())
    h[:] = buffer
    np.testing.assert_array_equal(h.asnumpy(), buffer.asnumpy())
    assert final_states.are_of(layer, [h]) and not final_states.are_of(layer, [buffer])
