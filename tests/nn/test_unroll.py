"""The loop around cells of `mxnet.gluon.rnn`: their own unroll, gradients, sizes, refusals; the contract elsewhere."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn import nn
from tests.reference import EXACT, assert_rounded

N, T, C, H = 3, 5, 3, 6
#: roundings of float32 on the longest path: two cells one behind the other, at each step
TERMS = T * 2 * (C + H)


def sequential(*cells, kind=gluon.rnn.SequentialRNNCell):
    result = kind()
    for cell in cells:
        result.add(cell)
    return result


CELLS = {
    "rnn": lambda: gluon.rnn.RNNCell(H), "lstm": lambda: gluon.rnn.LSTMCell(H), "gru": lambda: gluon.rnn.GRUCell(H),
    "sequential": lambda: sequential(gluon.rnn.LSTMCell(4), gluon.rnn.DropoutCell(0.5), gluon.rnn.GRUCell(H)),
    "hybrid_sequential": lambda: sequential(nn.GRUCell(H), gluon.rnn.ResidualCell(gluon.rnn.LSTMCell(H)),
                                            kind=gluon.rnn.HybridSequentialRNNCell),
    "nested": lambda: sequential(gluon.rnn.RNNCell(4), sequential(gluon.rnn.GRUCell(5), gluon.rnn.GRUCell(H))),
    "residual": lambda: gluon.rnn.ResidualCell(gluon.rnn.GRUCell(C)),
    "zoneout": lambda: gluon.rnn.ZoneoutCell(gluon.rnn.LSTMCell(H), zoneout_states=0.2),
    "projected": lambda: gluon.contrib.rnn.LSTMPCell(8, H),
}


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("name", CELLS)
def test_is_the_cells_own_unroll_with_gradients(name, layout, hybrid):
    cell = CELLS[name]()
    block = nn.Unrolled(cell, layout)
    block.initialize()
    if hybrid:
        block.hybridize()
    inputs, lengths = mx.nd.random.normal(shape=(T, N, C) if layout == "TNC" else (N, T, C)), mx.nd.array([5, 2, 1])
    begin = [mx.nd.random.normal(shape=info["shape"]) for info in block.state_info(N)]
    block(inputs, begin, lengths)                                         # sizes are inferred here

    def unroll():
        return cell.unroll(T, inputs, begin_state=begin, layout=layout, merge_outputs=True, valid_length=lengths)

    results = []
    for run in (lambda: block(inputs, begin, lengths), unroll):
        inputs.attach_grad()
        with autograd.record(train_mode=False):
            outputs, states = run()
            loss = (outputs ** 2).sum() + sum((state ** 3).sum() for state in states)
        loss.backward(train_mode=False)
        gradients = [p.grad().copy() for p in block.collect_params().values() if p.grad_req != "null"]
        results.append([outputs, *states, inputs.grad.copy(), *gradients])
    assert block.output_size == results[0][0].shape[2]
    assert_rounded(*results, TERMS * N)                                   # the gradients are sums over rows too


def test_a_call_says_that_gluons_cells_run_as_one_graph():
    inputs = mx.nd.ones((T, N, C))
    block = nn.Unrolled(gluon.rnn.GRUCell(H))
    block.hybridize()
    assert "a foreach loop in it" in block.explain_backend(inputs)
    assert "a loop in NumPy" in nn.Unrolled(nn.GRUCell(H, C)).explain_backend(inputs)


def test_the_dtype_is_that_of_the_cell_too():
    cell, other = gluon.rnn.GRUCell(H), gluon.rnn.GRUCell(H, prefix="other_")
    block, inputs = nn.Unrolled(cell, dtype="float64"), mx.nd.random.normal(shape=(T, N, C), dtype="float64")
    block.initialize()
    outputs = block(inputs)
    other.cast("float64")
    other.initialize()
    other(inputs[0], other.begin_state(N, dtype="float64"))
    for mine, its in zip(other.collect_params().values(), cell.collect_params().values()):
        mine.set_data(its.data())
    by_hand, _ = other.unroll(T, inputs, other.begin_state(N, dtype="float64"), layout="TNC", merge_outputs=True)
    assert outputs.dtype == np.float64
    np.testing.assert_allclose(outputs.asnumpy(), by_hand.asnumpy(), **EXACT)


@pytest.mark.parametrize("devices", [(1, 2), (0, 1)])
def test_cells_read_the_copies_of_the_device_of_the_inputs(devices):
    """Without gradients, in NumPy; a stand-in for several devices: MXNet takes cpu(1) for another one than cpu(0)."""
    contexts = [mx.cpu(device) for device in devices]
    block, alone = (nn.PeepholeLSTM(H, input_size=C) for _ in range(2))
    block.initialize(ctx=contexts)
    alone.initialize()
    for mine, its in zip(alone.collect_params().values(), block.collect_params().values()):
        for number, copy in enumerate(its.list_data()):
            copy[:] = mx.nd.random.normal(shape=its.shape, ctx=copy.context) + number
        mine.set_data(its.data(contexts[1]).as_in_context(mx.cpu()))
    inputs = mx.nd.random.normal(shape=(T, N, C))
    outputs = block(inputs.as_in_context(contexts[1]))
    assert outputs.context == contexts[1] and "NumPy" in block.explain_backend(inputs.as_in_context(contexts[1]))
    np.testing.assert_array_equal(outputs.asnumpy(), alone(inputs).asnumpy())


def test_a_block_that_runs_in_numpy_alone_has_run():
    """After that its calls are checked without the lock of the process."""
    block = nn.PeepholeLSTM(H, input_size=C)
    block.initialize()
    assert not block._has_run
    block(mx.nd.ones((T, N, C)))
    assert block._has_run and not block._graphs.ready


def test_both_directions_around_gluons_cells():
    block = nn.Bidirectional(*(nn.Unrolled(gluon.rnn.GRUCell(H, input_size=C)) for _ in range(2)))
    block.initialize()
    inputs, lengths = mx.nd.random.normal(shape=(T, N, C)), mx.nd.array([5, 2, 1])
    cell = gluon.rnn.BidirectionalCell(block.forward_block.cell, block.backward_block.cell)
    want, _ = cell.unroll(T, inputs, layout="TNC", merge_outputs=True, valid_length=lengths)
    assert_rounded([block(inputs, None, lengths)], [want], TERMS)


class Counter(gluon.rnn.HybridRecurrentCell):
    """A cell that does not say its sizes: its output is the number of steps so far."""

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, 1), "__layout__": "NC"}]

    def hybrid_forward(self, F, x, states):
        return states[0] + 1, [states[0] + 1]


def test_sizes_may_be_given_for_a_cell_that_does_not_say_them():
    block = nn.Unrolled(Counter(), hidden_size=1, output_size=1)
    outputs = block(mx.nd.zeros((T, N, C)), None, mx.nd.array([5, 2, 0]))
    np.testing.assert_array_equal(outputs[:, :, 0].asnumpy().T, [[1, 2, 3, 4, 5], [1, 2, 0, 0, 0], [0] * 5])


@pytest.mark.parametrize("call,message", [
    (lambda: nn.Unrolled(Counter()), r"Counter does not say its hidden_size; give it: Unrolled\(cell, hidden_size"),
    (lambda: nn.Unrolled(gluon.rnn.BidirectionalCell(gluon.rnn.GRUCell(2), gluon.rnn.GRUCell(2))),
     "BidirectionalCell reads a sequence from its end too and cannot be stepped through"),
    (lambda: nn.Unrolled(sequential(gluon.rnn.ZoneoutCell(gluon.rnn.GRUCell(2), 0.1))),
     "ZoneoutCell with zoneout_outputs keeps its last output on itself"),
    (lambda: nn.Unrolled(gluon.contrib.rnn.VariationalDropoutCell(gluon.rnn.GRUCell(2), 0.1)),
     "VariationalDropoutCell keeps its masks on itself"),
    (lambda: nn.Unrolled(nn.GRUCell(2, 3))(mx.nd.ones((2, 2, 4))), "expects 3 input features"),
    (lambda: nn.Unrolled(gluon.rnn.GRUCell(2)).hybridize(static_shape=True), "static_shape=True"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
