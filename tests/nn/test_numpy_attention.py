"""A GRU with Bahdanau's attention in NumPy: central differences, and the same model as a loop of MXNet's operators."""
import gluon_rnn  # noqa: F401
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.config import Training
from gluon_rnn.models import Seq2Seq
from gluon_rnn.nn import numpy_attention, numpy_ops
from gluon_rnn.nn.numpy_attention import PARAMETERS, AttentiveGRU
from gluon_rnn.training.step import TrainStep
from gluon_rnn.data.batching import Batch
from gluon_rnn.tasks.translation.batches import valid_places
from gluon_rnn.tasks.translation.loss import TranslationLoss
from tests.gradients import assert_numpy_central_differences

T, N, S, K, H = 4, 3, 5, 6, 7
SHAPES = {"x": (T, N, 3 * H), "h": (N, H), "keys": (N, S, K), "products": (N, S, 3 * H), "query_weight": (K, H),
          "score_weight": (1, K), "h2h_weight": (3 * H, H), "h2h_bias": (3 * H,)}
LENGTHS = np.array([5.0, 2.0, 0.0])


@pytest.fixture
def in_shares(monkeypatch):
    """Return a function that has so many threads share the rows."""
    def share(count):
        monkeypatch.setattr(AttentiveGRU, "_count", lambda *_: count)
        monkeypatch.setattr(numpy_attention, "blas_threads", lambda: count)
    return share


def draw():
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape) for name, shape in SHAPES.items()}


def parts(arrays):
    return [*(arrays[name] for name in list(SHAPES)[:4]), LENGTHS], {name: arrays[name] for name in PARAMETERS}


@pytest.mark.parametrize("threads", [1, 3])
def test_gradients_are_central_differences(in_shares, threads):
    in_shares(threads)
    arrays, random = draw(), np.random.default_rng(1)
    heads = random.standard_normal((T, N, H)), random.standard_normal((T, N, S))

    def loss():
        run = AttentiveGRU(*parts(arrays))
        return (run.outputs * heads[0]).sum() + (run.weights * heads[1]).sum()

    found = AttentiveGRU(*parts(arrays)).backward(*parts(arrays), *heads)
    assert [gradient.shape for gradient in found] == list(SHAPES.values())
    assert_numpy_central_differences(loss, arrays, dict(zip(SHAPES, found)), every=5)


def test_attention_looks_at_valid_steps_alone():
    arrays = draw()
    run = AttentiveGRU(*parts(arrays))
    np.testing.assert_allclose(run.weights.sum(axis=2), np.repeat([[1.0, 1.0, 0.0]], T, axis=0), rtol=1e-12)
    assert not run.weights[:, np.arange(S) >= LENGTHS[:, np.newaxis]].any()
    for name in ("keys", "products"):
        arrays[name][np.arange(S) >= LENGTHS[:, np.newaxis]] = 1e3
    np.testing.assert_array_equal(AttentiveGRU(*parts(arrays)).outputs, run.outputs)


def test_large_scores_neither_overflow_nor_vanish():
    arrays = draw()
    arrays["score_weight"] *= 1e4
    arrays["x"] *= 1e4
    with np.errstate(all="raise", under="ignore"):
        run = AttentiveGRU(*parts(arrays))
    assert np.isfinite(run.outputs).all()
    np.testing.assert_allclose(run.weights[:, :2].sum(axis=2), 1, rtol=1e-12)


def make_model(decoder, dtype="float64"):
    options = dict(dtype=dtype)
    return Seq2Seq(9, 11, nn.GRU(3, bidirectional=True, **options), decoder(5, **options), attention="bahdanau",
                   embed_size=4, drop_i=0.0)


class Graph(mx.gluon.HybridBlock):
    """A model inside a larger graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def hybrid_forward(self, F, *arrays):
        logits, weights = self.model(*arrays)
        return logits, weights


@pytest.fixture
def ran(monkeypatch):
    """The passes that were made in NumPy."""
    made, plain = [], AttentiveGRU.__init__
    monkeypatch.setattr(AttentiveGRU, "__init__", lambda self, *arrays: made.append(1) or plain(self, *arrays))
    return made


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("decoder, in_numpy", [(nn.GRU, True), (nn.LSTM, False)])
def test_a_model_computes_the_same_without_its_loop(ran, in_shares, decoder, in_numpy, threads):
    """Logits, attention and all gradients, against `foreach`; NaN in nobody's way; an empty source among the rows."""
    in_shares(threads)
    model = make_model(decoder)
    model.initialize(mx.init.Uniform(0.7))
    random = np.random.default_rng(0)
    source, target = (mx.nd.array(random.integers(9, size=(steps, 3)), dtype="int32") for steps in (6, 4))
    lengths = mx.nd.array([6, 3, 0], dtype="float64"), mx.nd.array([4, 4, 2], dtype="float64")
    found = []
    for wanted in (False, True):
        graph = Graph(model)
        graph.hybridize(static_alloc=True)
        with autograd.record(), numpy_ops.as_operators(wanted):
            logits, weights = graph(source, target, *lengths)
        autograd.backward([logits, weights], [mx.nd.cos(logits), mx.nd.sin(weights)])
        gradients = [parameter.grad() for parameter in model.collect_params().values()]
        found.append([array.asnumpy() for array in (logits, weights, *gradients)])
        assert len(ran) == (wanted and in_numpy)
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)     # float64, sums in another order


def test_training_takes_it_and_what_leaves_does_not(ran, monkeypatch, tmp_path):
    updated = []
    for wanted in (True, False):
        if not wanted:
            monkeypatch.setattr("gluon_rnn.training.step.as_operators", lambda _: numpy_ops.as_operators(False))
        mx.random.seed(0)
        np.random.seed(0)
        model = make_model(nn.GRU, "float32")
        model.initialize(mx.init.Uniform(0.5))
        graph = TranslationLoss(model, 0.1)
        graph.hybridize(static_alloc=True)
        step = TrainStep(graph, [mx.cpu()], Training(optimizer=dict(name="sgd", learning_rate=0.1)))
        source, target = (mx.nd.ones((steps, 2), dtype="int32") for steps in (5, 3))
        places = mx.nd.array(valid_places(np.array([3, 2])), dtype="int32")
        arrays = (source, mx.nd.array([5, 4]), target, target, mx.nd.array([3, 2]), places)
        for _ in range(3):
            step(Batch(arrays, (1, 0, 1, 1, 0, 1), 5), [[]], 0.1)
        updated.append([parameter.data().asnumpy() for parameter in model.collect_params().values()])
        assert len(ran) == 3
    for one, other in zip(*updated):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)         # rounding of float32
    model.hybridize()
    model(source, target)
    model.export(str(tmp_path / "model"))
    assert '"Custom"' not in (tmp_path / "model-symbol.json").read_text()


def test_two_ways_back_from_one_pass(ran):
    model = make_model(nn.GRU)
    model.initialize()
    ones = mx.nd.ones((3, 2), dtype="int32")
    with autograd.record(), numpy_ops.as_operators():
        loss = Graph(model)(ones, ones, mx.nd.array([3, 2], dtype="float64"), mx.nd.array([3, 3], dtype="float64"))[0]
    found = []
    for _ in range(2):
        loss.backward(retain_graph=True)
        found.append([parameter.grad().asnumpy() for parameter in model.collect_params().values()])
    assert len(ran) == 2 and all(map(np.array_equal, *found))


@pytest.mark.parametrize("rows, steps, threads, expected", [(64, 10, 2, 1), (64, 20, 2, 2), (64, 20, 1, 1),
                                                            (8, 400, 2, 1), (64, 400, 4, 4), (1, 1, 2, 1)])
def test_threads_that_are_worth_having(monkeypatch, rows, steps, threads, expected):
    monkeypatch.setattr("gluon_rnn.nn.threads.blas_threads", lambda: threads)
    run = AttentiveGRU.__new__(AttentiveGRU)
    run._matrix = np.empty((1024, 256))
    assert run._count(steps, rows, 12) == expected
