"""Loops in chunks, unrolled, against the loop of MXNet's: numbers, gradients, lengths, and how many graphs are made."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.models import NARX, ClosedLoop
from gluon_rnn.nn import backend
from gluon_rnn.nn.chunks import lengths_of
from tests.reference import EXACT

CELLS = {"peephole_lstm": lambda **k: nn.PeepholeLSTM(4, 2, input_size=3, peephole_initializer=mx.init.Uniform(1), **k),
         "projected_lstm": lambda **k: nn.ProjectedLSTM(4, input_size=3, **k),
         "reset_before_gru": lambda **k: nn.ResetBeforeGRU(4, input_size=3, **k),
         "layer_norm_lstm": lambda **k: nn.LayerNormLSTM(4, input_size=3, **k),
         "zoneout_gru": lambda **k: nn.ZoneoutGRU(4, input_size=3, zoneout_h=0.0, **k),
         "jordan": lambda **k: nn.Jordan(4, 2, input_size=3, activation="relu", output_activation="tanh", decay=0.5,
                                        **k),
         "narx": lambda **k: ClosedLoop(NARX(1, 2, (4,), "softsign", input_size=3, output_size=2, skip=True, **k))}


def make(name, dtype="float64", **kwargs):
    block = CELLS[name](dtype=dtype, **kwargs)
    block.initialize()
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype=dtype))
    assert block.loops
    return block


def everything(block, inputs, states, lengths=None):
    """Outputs, last states and gradients in training."""
    arrays = [inputs, *states]
    for array in arrays:
        array.attach_grad()
    with autograd.record():
        outputs, finals = block(inputs, states, lengths)
        loss = (outputs * outputs).sum() + sum((state * (i + 2)).sum() for i, state in enumerate(finals))
    loss.backward()
    gradients = [array.grad for array in arrays] + [p.grad() for p in block.collect_params().values()]
    return [array.asnumpy().copy() for array in (outputs, *finals, *gradients)]


def assert_same(got, want):
    """Sums over some twenty steps in another order, relative to the size of the largest number."""
    assert len(got) == len(want)
    for a, b in zip(got, want):
        scale = 1 + np.abs(b).max()
        np.testing.assert_allclose(a / scale, b / scale, **EXACT)


def normal(*shape):
    return mx.nd.random.normal(shape=shape, dtype="float64")


def sequence(steps, rows=3):
    return normal(steps, rows, 3)


@pytest.fixture
def short(monkeypatch):
    """Chunks of at most 8 steps, so that small sequences have several, in all blocks."""
    monkeypatch.setattr(backend, "CHUNK_STEPS", 8)


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("lengths", [None, [21, 9, 0]])
@pytest.mark.parametrize("name", CELLS)
def test_chunks_are_the_loop(name, lengths, few, short, monkeypatch):
    monkeypatch.setattr(backend, "FEW_STATE_NUMBERS", 10**6 if few else 0)
    block, inputs = make(name), sequence(21)
    states = [normal(*info["shape"]) for info in block.state_info(3)]
    lengths = None if lengths is None else mx.nd.array(lengths)
    want = everything(block, inputs, states, lengths)                     # not hybridized: foreach
    assert not block._chunks._graphs
    block.hybridize(static_alloc=True)
    assert_same(everything(block, inputs, states, lengths), want)
    assert {key[0] for key in block._chunks._graphs} == {8, 5}
    assert_same(everything(block, inputs, states, lengths), want)         # and a second time, from the same graphs


@pytest.mark.parametrize("name", ["peephole_lstm", "jordan"])
def test_layout_and_targets(name, short):
    block = make(name, layout="NTC")
    inputs, states = sequence(11).swapaxes(0, 1), block.begin_state(3)
    targets = [None, normal(3, 11, 2)] if name == "jordan" else [None]
    for target in targets:
        arguments = [inputs, states] if target is None else [inputs, states, None, target]
        block.hybridize(False)
        with autograd.record():
            want, _ = block(*arguments)
        block.hybridize()
        with autograd.record():
            got, _ = block(*arguments)
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


def test_inference_of_many_numbers_runs_in_chunks(short, monkeypatch):
    monkeypatch.setattr(backend, "FEW_STATE_NUMBERS", 0)
    block, inputs = make("projected_lstm"), sequence(13)
    want = block(inputs).asnumpy()
    block.hybridize()
    np.testing.assert_allclose(block(inputs).asnumpy(), want, **EXACT)
    assert block._chunks._graphs


def test_new_parameters_other_batches_and_other_graphs_after_a_cast(short):
    block = make("peephole_lstm")
    block.hybridize()
    for rows in (3, 2, 5, 3):
        inputs, states = sequence(10, rows), block.begin_state(rows)
        got = everything(block, inputs, states)
        block.l0.h2h_weight.set_data(block.l0.h2h_weight.data() * 1.1)
        assert np.abs(everything(block, inputs, states)[0] - got[0]).max() > 1e-4
    assert len(block._chunks._graphs) == 2
    block.cast("float32")
    assert not block._chunks._graphs


def test_dropout_is_drawn_in_training_and_not_in_prediction(short):
    layer = nn.PeepholeLSTM(20, 2, input_size=3, dropout=0.5, dtype="float64")
    layer.initialize()
    layer.hybridize()
    inputs = sequence(10)
    with autograd.record():
        first, second = layer(inputs), layer(inputs)
    assert (first != second).sum().asscalar() > 0
    np.testing.assert_array_equal(layer(inputs).asnumpy(), layer(inputs).asnumpy())


def test_lengths_of_chunks():
    for steps in range(1, 300):
        assert sum(lengths_of(steps)) == steps and sum(lengths_of(steps, {44, 3})) == steps
    assert lengths_of(172, {44}) == [128, 44] and lengths_of(172, {45}) == [128, 32, 8, 4]
    assert lengths_of(128) == [128]


def test_few_graphs_whatever_lengths_come(short):
    block = make("reset_before_gru")
    block.hybridize()
    with autograd.record():
        for steps in range(1, 40):
            block(sequence(steps, 1))
    assert {key[0] for key in block._chunks._graphs} == {1, 2, 3, 4, 8}


def test_gluon_export_after_calls_that_need_no_graph(tmp_path):
    block, inputs = make("peephole_lstm"), sequence(5)
    block.hybridize()
    want, _ = block(inputs, block.begin_state(3))
    block.export(str(tmp_path / "net"))
    loaded = mx.gluon.SymbolBlock.imports(str(tmp_path / "net-symbol.json"), ["data0", "data1", "data2"],
                                          str(tmp_path / "net-0000.params"))
    longer = mx.nd.concat(inputs, inputs, dim=0)
    np.testing.assert_allclose(loaded(inputs, *block.begin_state(3))[0].asnumpy(), want.asnumpy(), **EXACT)
    assert loaded(longer, *block.begin_state(3))[0].shape == (10, 3, 4)   # T is free


def test_gradients_of_single_steps_in_a_hybridized_loop():
    """A loop of the caller's around `one_step`: all gradients, of both biases too, which MXNet's + would get wrong."""
    class Stepped(mx.gluon.HybridBlock):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def hybrid_forward(self, F, inputs, states):
            def step(x, before):
                output, after = self.layer.one_step(F, F.expand_dims(x, axis=0), before)
                return F.reshape(output, shape=(-3, 0)), after

            return F.contrib.foreach(step, inputs, states)[0]

    layer = make("peephole_lstm")
    stepped, inputs, states = Stepped(layer), sequence(6), layer.begin_state(3)
    gradients = []
    for hybrid in (False, True):
        stepped.hybridize(hybrid)
        with autograd.record():
            loss = (stepped(inputs, states) ** 2).sum()
        loss.backward()
        gradients.append([parameter.grad().asnumpy().copy() for parameter in layer.collect_params().values()])
    assert_same(gradients[1], gradients[0])
