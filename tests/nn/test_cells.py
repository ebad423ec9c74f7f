"""Cells as cells of Gluon: against `mxnet.gluon.rnn`'s own with the same parameters, and inside its combinations."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn import nn
from gluon_rnn.nn.cells import activate
from gluon_rnn.nn.checks import ACTIVATIONS
from tests.reference import EXACT, assert_rounded, rounding, sigmoid

N, T, C, H = 3, 5, 3, 6
#: roundings of float32 on the longest path: two cells one behind the other, at each step
TERMS = T * 2 * (C + H)
TWINS = {
    "rnn": (nn.RNNCell, gluon.rnn.RNNCell, {}), "lstm": (nn.LSTMCell, gluon.rnn.LSTMCell, {}),
    "gru": (nn.GRUCell, gluon.rnn.GRUCell, {}), "rnn_relu": (nn.RNNCell, gluon.rnn.RNNCell, {"activation": "relu"}),
    "rnn_sigmoid": (nn.RNNCell, gluon.rnn.RNNCell, {"activation": "sigmoid"}),
    "rnn_softsign": (nn.RNNCell, gluon.rnn.RNNCell, {"activation": "softsign"}),
    "rnn_softrelu": (nn.RNNCell, gluon.rnn.RNNCell, {"activation": "softrelu"}),
}
CELLS = {
    "rnn": lambda size: nn.RNNCell(size), "lstm": lambda size: nn.LSTMCell(size), "gru": lambda size: nn.GRUCell(size),
    "peephole": lambda size: nn.PeepholeLSTMCell(size), "reset_before": lambda size: nn.ResetBeforeGRUCell(size),
    "projected": lambda size: nn.ProjectedLSTMCell(8, projection_size=size),
    "layer_norm": lambda size: nn.LayerNormLSTMCell(size), "zoneout": lambda size: nn.ZoneoutCell(nn.LSTMCell(size)),
    "jordan": lambda size: nn.JordanCell(4, size, decay=0.5),
}


def sequence(*, like_layout="NTC"):
    inputs = mx.nd.random.normal(shape=(N, T, C))
    return inputs if like_layout == "NTC" else inputs.swapaxes(0, 1)


def twins(name):
    """A cell of ours and one of Gluon's with the same random parameters."""
    ours, gluons, options = TWINS[name]
    pair = ours(H, C, **options), gluons(H, input_size=C, **options)
    for cell in pair:
        cell.initialize()
    for part in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        value = mx.nd.random.uniform(-0.7, 0.7, shape=getattr(pair[0], part).shape)
        for cell in pair:
            getattr(cell, part).set_data(value)
    return pair


def flat(outputs, states):
    return [*(outputs if isinstance(outputs, list) else [outputs]), *states]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("merge_outputs", [True, False, None])
@pytest.mark.parametrize("lengths", [None, [5, 2, 1]])
@pytest.mark.parametrize("name", TWINS)
def test_unroll_is_that_of_gluons_cell(name, lengths, merge_outputs, hybrid):
    cells, lengths = twins(name), None if lengths is None else mx.nd.array(lengths)
    for layout in ("NTC", "TNC"):
        inputs, begin = sequence(like_layout=layout), [mx.nd.random.normal(shape=(N, H)) for _ in cells[1].state_info()]
        results = []
        for cell in cells:
            if hybrid:
                cell.hybridize()
            results.append(flat(*cell.unroll(T, inputs, begin_state=begin, layout=layout, merge_outputs=merge_outputs,
                                             valid_length=lengths)))
        assert len(results[0]) == len(results[1])
        for got, want in zip(*results):
            assert_rounded([got], [want], TERMS)


@pytest.mark.parametrize("name", CELLS)
def test_first_states_reset_and_step_counter_are_gluons(name):
    cell = CELLS[name](H)
    states = cell.begin_state(N, mx.nd.ones, dtype="float64")
    assert [state.shape for state in states] == [info["shape"] for info in cell.state_info(N)]
    assert all((state.asnumpy() == 1).all() and state.dtype == np.float64 for state in states)
    symbols = cell.begin_state(0, mx.sym.var)
    assert len({symbol.name for symbol in symbols}) == len(states)
    cell.cast("float64")
    assert cell.begin_state(N)[0].dtype == np.float64
    cell.initialize()
    cell(mx.nd.ones((N, C), dtype="float64"), cell.begin_state(N))
    assert cell._counter == 0
    cell.reset()
    assert cell._counter == -1


def combinations(make):
    """Gluon's combinations of a cell that puts out as many features as it reads."""
    sequential = gluon.rnn.HybridSequentialRNNCell()
    for part in (make(), gluon.rnn.DropoutCell(0.3), gluon.rnn.ResidualCell(make())):
        sequential.add(part)
    return {"sequential": sequential, "residual": gluon.rnn.ResidualCell(make()),
            "zoneout": gluon.rnn.ZoneoutCell(make(), 0.3, 0.2),
            "bidirectional": gluon.rnn.BidirectionalCell(make(), nn.GRUCell(4))}


class Net(gluon.HybridBlock):
    """Unrolls a cell from zeros, whose batch size a graph has to infer."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def hybrid_forward(self, F, inputs):
        outputs, states = self.cell.unroll(T, inputs, layout="NTC", merge_outputs=True)
        return [outputs, *states]


@pytest.mark.parametrize("name", CELLS)
def test_gluons_combinations_take_the_cell_eagerly_and_hybridized(name):
    for cell in (CELLS[name](C), *combinations(lambda: CELLS[name](C)).values()):
        net, inputs = Net(cell), sequence()
        net.initialize()
        net.hybridize()
        graph = net(inputs)                                               # sizes are inferred from the graph, too
        net.hybridize(False)
        for got, want in zip(graph, net(inputs)):
            assert_rounded([got], [want], TERMS)


def test_a_residual_cell_adds_its_input():
    cell = nn.GRUCell(C)
    wrapped = gluon.rnn.ResidualCell(cell)
    cell.initialize()
    inputs = sequence()
    outputs, _ = wrapped.unroll(T, inputs, merge_outputs=True)
    x, states, want = inputs.swapaxes(0, 1), [mx.nd.zeros((N, C))], []
    for t in range(T):
        output, states = cell(x[t], states)
        want.append(output + x[t])
    assert_rounded([outputs], [mx.nd.stack(*want, axis=1)], TERMS)


def test_gradients_through_unroll_are_those_of_the_loop():
    cell = nn.LSTMCell(H, C)
    loop = nn.Unrolled(cell, layout="NTC")
    loop.initialize()
    inputs, gradients = sequence(), []
    for run in (lambda: cell.unroll(T, inputs, merge_outputs=True)[0], lambda: loop(inputs)):
        inputs.attach_grad()
        with autograd.record():
            loss = (run() ** 2).sum()
        loss.backward()
        gradients.append([inputs.grad.asnumpy(), *(p.grad().asnumpy().copy() for p in cell.collect_params().values())])
    assert_rounded(*gradients, TERMS * N)


@pytest.mark.parametrize("name", ["lstm", "gru", "peephole", "jordan"])
def test_gradients_in_a_foreach_of_the_users_are_those_of_unroll(name):
    """An elementwise sum of two parameters in a loop's body gets each gradient twice in MXNet 1.9.1."""
    class Loop(gluon.HybridBlock):
        def __init__(self, cell, foreach):
            super().__init__()
            self.cell, self.foreach = cell, foreach

        def hybrid_forward(self, F, inputs, states):
            if self.foreach:
                return F.contrib.foreach(self.cell, inputs, states)
            return self.cell.unroll(T, inputs, states, "TNC", merge_outputs=True)

    cell, inputs, gradients = CELLS[name](H), sequence(like_layout="TNC"), []
    cell.initialize()
    cell(inputs[0], cell.begin_state(N))
    for foreach in (True, False):
        loop = Loop(cell, foreach)
        loop.hybridize()
        with autograd.record():
            loss = (loop(inputs, cell.begin_state(N))[0] ** 2).sum()
        loss.backward()
        gradients.append([parameter.grad().asnumpy().copy() for parameter in cell.collect_params().values()])
    assert_rounded(*gradients, TERMS * N)


# ---- activations and initializers -----------------------------------------------------------------------------------

def test_every_activation_is_its_equation():
    values = np.linspace(-3, 3, 13)
    expected = {"tanh": np.tanh(values), "relu": np.maximum(values, 0), "sigmoid": sigmoid(values),
                "softrelu": np.log1p(np.exp(values)), "softsign": values / (1 + np.abs(values)), "identity": values}
    assert set(expected) == set(ACTIVATIONS)
    for name, want in expected.items():
        np.testing.assert_allclose(activate(mx.nd, mx.nd.array(values, dtype="float64"), name).asnumpy(), want, **EXACT)


@pytest.mark.parametrize("make", [
    lambda **options: nn.RNNCell(H, C, **options), lambda **options: nn.LSTMCell(H, C, **options),
    lambda **options: nn.ProjectedLSTMCell(H, C, h2r_weight_initializer=None, **options),
    lambda **options: nn.PeepholeLSTM(H, input_size=C, peephole_initializer=None, **options),
    lambda **options: nn.ZoneoutGRU(H, 2, **options),
    lambda **options: nn.Jordan(H, 2, input_size=C, h2o_weight_initializer=None, h2o_bias_initializer=None, **options)])
def test_none_takes_the_initializer_of_initialize(make):
    names = [f"{product}_{kind}_initializer" for product in ("i2h", "h2h") for kind in ("weight", "bias")]
    block = make(**dict.fromkeys(names))
    block.initialize(mx.init.Constant(0.25))
    if isinstance(block, nn.ZoneoutGRU):
        block(mx.nd.ones((2, 1, C)))
    for parameter in block.collect_params().values():
        assert (parameter.data().asnumpy() == 0.25).all(), parameter.name


def test_by_default_a_block_has_its_own_initializers():
    cell = nn.LSTMCell(H, C)
    for init in ((), (nn.OwnDefaults("zeros"),)):
        cell.initialize(*init, force_reinit=True)
        np.testing.assert_array_equal(cell.i2h_bias.data().asnumpy(), [0] * H + [1] * H + [0] * 2 * H)
        recurrent = cell.h2h_weight.data().asnumpy()[:H]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(H), rtol=0, atol=rounding("float32", 2 * H))
        assert np.unique(cell.i2h_weight.data().asnumpy()).size > H
    cell.initialize(mx.init.Constant(0.25), force_reinit=True)           # one that is asked for by name
    assert (cell.i2h_weight.data().asnumpy() == 0.25).all() and (cell.h2h_weight.data().asnumpy() == 0.25).all()


def test_rates_and_sizes_as_gluon_and_numpy_give_them():
    block = nn.PeepholeLSTM(np.int64(H), num_layers=2, dropout=False, zoneout_h=False, input_size=C)
    block.initialize()
    inputs = mx.nd.ones((T, N, C))
    with autograd.record():
        first, second = block(inputs), block(inputs)
    np.testing.assert_array_equal(first.asnumpy(), second.asnumpy())


@pytest.mark.parametrize("call,message", [
    (lambda: nn.RNNCell(4, activation="gelu"), "activation must be one of tanh, relu, sigmoid, .*got 'gelu'"),
    (lambda: nn.RNNCell(4, "relu"), "input_size must be a whole number of at least 0, got 'relu'"),
    (lambda: nn.PeepholeLSTM(4, dropout=True), "dropout must be a rate of at least 0 and below 1, got True"),
    (lambda: nn.PeepholeLSTMCell(4, peephole_initializer=3), "unknown initializer 3"),
    (lambda: nn.ProjectedLSTMCell(4, projection_size=0), "projection_size must be a whole number of at least 1"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
