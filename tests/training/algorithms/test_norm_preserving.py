"""The norm-preserving regulariser against its definition with whole Jacobians, central differences, and whole steps."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.config import ConfigError, Training
from gluon_rnn.data.batching import Batch
from gluon_rnn.nn import LSTM, RNN
from gluon_rnn.training.algorithms.norm_preserving import NormPreservingStep, penalty
from gluon_rnn.training.algorithms.settings import algorithms
from tests.gradients import STEP, central_difference
from tests.reference import EXACT, sigmoid

T, N, H, C = 6, 3, 4, 2
SLOPES = {"tanh": lambda a: 1 - np.tanh(a) ** 2, "relu": lambda a: (a > 0) * 1.0,
          "sigmoid": lambda a: sigmoid(a) * (1 - sigmoid(a))}


class Loss(gluon.HybridBlock):
    """sum_t w_t . h_t, and of the last states too where these are asked for: a small task's graph."""

    def __init__(self, encoder, heads, carries=False):
        super().__init__()
        with self.name_scope():
            self.model = Model(encoder)
        self._heads, self._carries = heads, carries

    def hybrid_forward(self, F, inputs, valid_length, states=None):
        outputs, finals = self.model.encoder(inputs, self.model.encoder.begin_state(N), valid_length)
        loss = F.sum(outputs * self._heads)
        return loss + F.sum(finals[0] * self._heads[0]) if self._carries else loss


class Model(gluon.HybridBlock):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder


def make(activation, lengths, carries=False, weight=0.7):
    layer = RNN(H, activation=activation, input_size=C, dtype="float64")
    graph = Loss(layer, mx.nd.random.normal(shape=(T, N, H), dtype="float64"), carries)
    graph.initialize()
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, shape=parameter.shape, dtype="float64"))
    inputs = mx.nd.random.normal(shape=(T, N, C), dtype="float64")
    settings = Training(norm_preserving=weight, optimizer={"name": "sgd", "learning_rate": 1.0})
    return graph, settings, [inputs, mx.nd.array(lengths, dtype="float64")]


def deltas_of(layer, inputs, lengths, heads, carries):
    """Return a_k (T, N, H), and dL/da_k by autograd on steps that are written out; NaN behind the end of a row."""
    p = {name: parameter.data() for name, parameter in layer._reg_params.items()}
    act, marks, kept, h, loss = getattr(mx.nd, layer.mode[4:]), [], [], mx.nd.zeros((N, H), dtype="float64"), 0
    with autograd.record():
        for t in range(T):
            mark = mx.nd.zeros((N, H), dtype="float64")
            mark.attach_grad()
            marks.append(mark)
            a = (mx.nd.dot(inputs[t], p["l0_i2h_weight"], transpose_b=True) + p["l0_i2h_bias"] + p["l0_h2h_bias"]
                 + mx.nd.dot(h, p["l0_h2h_weight"], transpose_b=True)) + mark
            alive = (lengths > t).astype("float64").expand_dims(1)
            h = alive * act(a) + (1 - alive) * h
            loss = loss + (alive * h * heads[t]).sum()
            kept.append(a)
        if carries:
            loss = loss + (h * heads[0]).sum()
    loss.backward()
    return np.stack([a.asnumpy() for a in kept]), np.stack([mark.grad.asnumpy() for mark in marks])


def omega(weight, slopes, deltas, lengths):
    """Return the terms of Omega with Jacobians in full, deltas and slopes being given."""
    terms = []
    for row in range(N):
        for k in range(int(lengths[row]) - 1):
            after = deltas[k + 1, row]
            jacobian = weight @ np.diag(slopes[k, row])
            if np.linalg.norm(after) and np.linalg.norm(after @ jacobian):
                terms.append((np.linalg.norm(after @ jacobian) / np.linalg.norm(after) - 1) ** 2)
    return np.array(terms)


@pytest.mark.parametrize("carries", [False, True])
@pytest.mark.parametrize("lengths", [[T, T, T], [T, 3, 0]])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_a_step_moves_by_the_central_differences_of_omega(activation, lengths, carries):
    """The gradient of a step less that of the loss is lambda dOmega/dR, with everything but R held constant."""
    graph, settings, arrays = make(activation, lengths, carries)
    layer, weight = graph.model.encoder, graph.model.encoder.l0_h2h_weight
    slopes, deltas = deltas_of(layer, *arrays, graph._heads, carries)
    slopes = SLOPES[activation](slopes)
    with autograd.record():
        loss = graph(*arrays)
    loss.backward()
    begin = {name: (p.data().asnumpy().copy(), p.grad().asnumpy().copy()) for name, p in layer.collect_params().items()}
    step = NormPreservingStep(graph, [mx.cpu()], settings)
    found, _, _ = step(Batch(tuple(arrays), (1, 0), N), [[]], 1.0)
    assert found == pytest.approx(float(loss.asscalar()) / N, rel=1e-6)   # the loss alone
    for name, parameter in layer.collect_params().items():
        value, gradient = begin[name]
        extra = (value - parameter.data().asnumpy()) * N - gradient
        if parameter is not weight:
            np.testing.assert_allclose(extra, 0, atol=1e-6)               # of the optimiser's float32 rate
            continue
        for _ in range(3):
            direction = np.random.standard_normal((H, H))
            terms = [omega(value + side * STEP * direction, slopes, deltas, lengths) for side in (-1, 0, 1)]
            slope, error = central_difference(*terms)
            assert (extra * direction).sum() == pytest.approx(0.7 * slope, rel=1e-6, abs=error + 1e-6)
            assert len(terms[1]) and abs(slope) > 1e-4


def test_omega_and_its_gradient_in_a_closed_form():
    """One unit, h_t = relu(w h_{t-1} + x): each ratio is |w|, so that Omega = (T - 1) (|w| - 1)^2."""
    states, direct = np.ones((T, 1, 1)), np.zeros((T, 1, 1))
    direct[-1] = 1e-200                                                   # what has vanished counts as much
    for w in (0.4, 1.0, 1.5):
        value, gradient = penalty(states, direct, np.array([[w]]), "relu")
        np.testing.assert_allclose([value, gradient[0, 0]], [(T - 1) * (w - 1) ** 2, 2 * (T - 1) * (w - 1)], **EXACT)
    assert penalty(np.zeros((T, 1, 1)), direct, np.array([[0.5]]), "relu")[0] == 0        # dead: no gradient, no NaN


def test_descent_brings_the_norms_together():
    graph, settings, arrays = make("tanh", [T, T, T], weight=1.0)
    step, before = NormPreservingStep(graph, [mx.cpu()], settings), None
    graph._heads = graph._heads * 1e-3                                    # hardly any loss beside the regulariser
    for _ in range(60):
        step(Batch(tuple(arrays), (1, 0), N), [[]], 0.1)
        a, deltas = deltas_of(graph.model.encoder, *arrays, graph._heads, False)
        now = omega(graph.model.encoder.l0_h2h_weight.data().asnumpy(), SLOPES["tanh"](a), deltas, [T] * N).sum()
        before = before or now
    assert now < 0.7 * before


@pytest.mark.parametrize("encoder, devices, words", [
    (lambda: LSTM(4), 1, "got LSTM; choose"), (lambda: RNN(4, num_layers=2), 1, "got RNN"),
    (lambda: RNN(4, bidirectional=True), 1, "got RNN"), (lambda: RNN(4, weight_drop=0.1), 1, "got RNN"),
    (lambda: None, 1, "got no encoder"), (lambda: RNN(4), 2, "expected one device, got 2")])
def test_other_encoders_are_refused_in_a_sentence(encoder, devices, words):
    graph = Loss(encoder(), None)
    with pytest.raises(ConfigError, match=f"training.norm_preserving: .*{words}"):
        algorithms.build("bptt").make_step(graph, [mx.cpu()] * devices, Training(norm_preserving=1.0))
