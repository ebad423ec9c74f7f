"""Back through time of the peephole LSTM in NumPy: central differences, MXNet's own gradients, graphs of training."""

import gluon_rnn  # noqa: F401
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.config import Training
from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import numpy_lstm, numpy_ops
from gluon_rnn.nn import numpy_lstm_gradients as gradients
from gluon_rnn.training.step import TrainStep
from gluon_rnn.data.batching import Batch
from tests.gradients import assert_numpy_central_differences

SIZES = {"i2h_weight": (24, 5), "h2h_weight": (24, 6), "i2h_bias": (24,), "h2h_bias": (24,), "peephole_i": (6,),
         "peephole_f": (6,), "peephole_o": (6,)}


@pytest.mark.parametrize("small, block, shares", [(10**6, 2**14, 1), (200, 1, 1), (10**6, 40, 3)])
@pytest.mark.parametrize("steps, rows, lengths", [(1, 3, None), (7, 3, None), (7, 3, [7, 2, 0]), (7, 3, [3, 4, 3])])
def test_gradients_are_central_differences(monkeypatch, steps, rows, lengths, small, block, shares):
    monkeypatch.setattr(numpy_lstm, "SMALL", small)
    monkeypatch.setattr(gradients, "_BLOCK", block)
    monkeypatch.setattr(numpy_lstm, "_shares", lambda rows, _: [slice(i, i + rows // shares)
                                                                for i in range(0, rows, rows // shares)])
    draw = np.random.default_rng(0).standard_normal
    arrays = {"inputs": draw((steps, rows, 5)), "h": draw((rows, 6)), "c": draw((rows, 6)),
              **{name: draw(shape) for name, shape in SIZES.items()}}
    heads = draw((steps, rows, 6)), draw((2, rows, 6))
    valid = [] if lengths is None else [(np.arange(steps)[:, np.newaxis] < lengths).astype("float64")]

    def run():
        return gradients.forward(arrays["inputs"], [arrays["h"], arrays["c"]],
                                 {name: arrays[name] for name in SIZES}, *valid)

    def loss():
        outputs, finals, _ = run()
        return (outputs * heads[0]).sum() + (np.stack(finals) * heads[1]).sum()

    inputs, h, c, parameters = gradients.backward(run()[2], {name: arrays[name] for name in SIZES}, *heads)
    found = {"inputs": inputs, "h": h, "c": c, **parameters}
    assert_numpy_central_differences(loss, arrays, found, every=7)


@pytest.fixture
def calls(monkeypatch):
    """The ways back that were taken in NumPy."""
    taken, backward = [], gradients.backward
    monkeypatch.setattr(gradients, "backward", lambda *arguments: taken.append(1) or backward(*arguments))
    return taken


def everything(layer, inputs, states):
    for array in states:
        array.attach_grad()
    with autograd.record():
        outputs, finals = layer(inputs, states)
    autograd.backward([outputs, *finals], [mx.nd.cos(outputs), *map(mx.nd.sin, finals)])
    found = [outputs, *finals, *(state.grad for state in states), *(p.grad() for p in layer.collect_params().values())]
    return [array.asnumpy() for array in found]


# Sums over T, N and H in another order: a few of the last digits.
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 3e-6)])
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("steps, rows, hidden_size", [(1, 1, 4), (7, 3, 6), (12, 40, 50)])
def test_a_hybridized_layer_is_its_loop(calls, steps, rows, hidden_size, layout, dtype, tolerance):
    """The inputs have no gradient here, which must not keep the parameters from theirs."""
    layer = nn.PeepholeLSTM(hidden_size, 2, input_size=3, layout=layout, dtype=dtype,
                            peephole_initializer=mx.init.Uniform(1.0))
    layer.initialize()
    inputs = mx.nd.random.normal(shape=(steps, rows, 3) if layout == "TNC" else (rows, steps, 3)).astype(dtype)
    states = [mx.nd.random.normal(shape=(2, rows, hidden_size)).astype(dtype) for _ in range(2)]
    expected = everything(layer, inputs, states)
    assert not calls                                                      # MXNet's loop
    layer.hybridize(static_alloc=True)
    found = everything(layer, inputs, states)
    assert len(calls) == 2                                                # one a layer
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * (1 + np.abs(other).max()))


def test_gradients_are_added_where_the_parameter_says_so(calls):
    layer = nn.PeepholeLSTM(4, input_size=3, peephole_initializer=mx.init.Uniform(1.0))
    layer.initialize()
    layer.hybridize()
    inputs = mx.nd.random.normal(shape=(5, 2, 3))

    def backward():
        with autograd.record():
            loss = layer(inputs).sum()
        loss.backward()
        return [parameter.grad().asnumpy() for parameter in layer.collect_params().values()]

    once = backward()
    layer.collect_params().setattr("grad_req", "add")
    layer.collect_params().zero_grad()
    backward()
    for one, two in zip(once, backward()):
        np.testing.assert_allclose(two, 2 * one, rtol=1e-6, atol=1e-7)
    assert len(calls) == 3


class Loss(mx.gluon.HybridBlock):
    """The summed loss of a language model, and its states."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def hybrid_forward(self, F, inputs, targets, states):
        logits, states = self.model(inputs, states)
        return F.sum(-F.pick(F.log_softmax(logits), targets)), states


@pytest.mark.parametrize("hidden_size, in_numpy", [(6, True), (300, False)])
def test_training_graphs_have_it_and_exports_do_not(calls, tmp_path, monkeypatch, hidden_size, in_numpy):
    """And training is the same without it: one update at a rate that moves parameters by 0.1."""
    updated = []
    for wanted in (True, False):
        mx.random.seed(0)
        model = LanguageModel(9, nn.PeepholeLSTM(hidden_size), embed_size=5)
        graph = Loss(model)
        graph.initialize()
        graph.hybridize(static_alloc=True)
        tokens = mx.nd.array(np.random.default_rng(0).integers(9, size=(7, 3)), dtype="int32")
        states = model.begin_state(3)
        model(tokens, states)                                             # finds out the sizes
        if not wanted:
            monkeypatch.setattr("gluon_rnn.training.step.as_operators", lambda _: numpy_ops.as_operators(False))
        step = TrainStep(graph, [mx.cpu()], Training(optimizer=dict(name="sgd", learning_rate=0.1)))
        step(Batch((tokens, tokens), (1, 1), 21), [states], 0.1)
        updated.append([parameter.data().asnumpy() for parameter in model.collect_params().values()])
        assert len(calls) == in_numpy
    for one, other in zip(*updated):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)         # rounding of float32
    model.export(str(tmp_path / "model"))
    assert '"Custom"' not in (tmp_path / "model-symbol.json").read_text()


class Around(mx.gluon.HybridBlock):
    """A layer as part of a larger graph."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def hybrid_forward(self, F, inputs, states, valid_length):
        return self.layer(inputs, states, valid_length)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("lengths", [[5, 2, 0], [5, 5, 5]])
def test_rows_of_different_lengths_in_a_graph(calls, lengths, both):
    """Against `foreach`, states and gradients too, NaN behind each row; two layers, or one in each direction."""
    layer = (nn.BidirectionalStack(6, input_size=3, cell="peephole_lstm") if both
             else nn.PeepholeLSTM(6, 2, input_size=3))
    layer.initialize()
    for parameter in layer.collect_params(".*peephole_[ifo]").values():
        parameter.set_data(mx.nd.random.uniform(-1, 1, shape=parameter.shape))
    inputs = np.random.default_rng(0).standard_normal((5, 3, 3)).astype("float32")
    inputs[np.arange(5)[:, np.newaxis] >= np.array(lengths)] = np.nan
    inputs, lengths = mx.nd.array(inputs), mx.nd.array(lengths)
    states = [mx.nd.zeros(info["shape"]) if both else mx.nd.random.normal(shape=info["shape"])
              for info in layer.state_info(3)]
    found = []
    for wanted in (False, True):
        graph = Around(layer)
        graph.hybridize(static_alloc=True)
        for array in [inputs, *states]:
            array.attach_grad()
        with autograd.record(), numpy_ops.as_operators(wanted):
            outputs, finals = graph(inputs, states, lengths)
        autograd.backward([outputs, *finals], [mx.nd.cos(outputs), *map(mx.nd.sin, finals)])
        arrays = [outputs, *finals, *(array.grad for array in [inputs, *states]),
                  *(parameter.grad() for parameter in layer.collect_params().values())]
        found.append([array.asnumpy() for array in arrays])
        assert len(calls) == 2 * wanted
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)         # rounding of float32, five steps


def test_the_context_ends_with_an_error():
    with pytest.raises(KeyError), numpy_ops.as_operators():
        assert numpy_ops.are_operators()
        raise KeyError
    assert not numpy_ops.are_operators()
