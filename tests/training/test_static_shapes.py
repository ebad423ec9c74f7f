"""Plans for frequent shapes of batch: which get one, and that training with them is the same to the last bit."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.config import Training
from gluon_rnn.data.batching import Batch
from gluon_rnn.models import SequenceClassifier
from gluon_rnn.recipes import build_task
from gluon_rnn.tasks.classification.loss import ClassificationLoss
from gluon_rnn.training import loop
from gluon_rnn.training.static_shapes import StaticShapes
from gluon_rnn.training.step import TrainStep


def classifier(encoder):
    """Return the loss graph of a small classifier with dropout, its weights those of a seed."""
    mx.random.seed(0)
    np.random.seed(0)
    graph = ClassificationLoss(SequenceClassifier(encoder, 3, vocab_size=11, embed_size=4, pooling="max", dropout=0.3))
    graph.initialize(mx.init.Xavier())
    graph.hybridize(static_alloc=True)
    return graph


def batch(steps, rows=4):
    random = np.random.default_rng(steps)
    arrays = (mx.nd.array(random.integers(11, size=(steps, rows)), dtype="int32"),
              mx.nd.array(random.integers(1, steps + 1, size=rows)), mx.nd.array(random.integers(3, size=rows)),
              mx.nd.ones((rows,)))
    return Batch(arrays, (1, 0, 0, 0), rows)


def trained(static_shapes, encoder=None, devices=1):
    """Return losses and norms, the parameters after 60 steps on batches of three lengths, and the step."""
    graph = classifier(encoder or nn.LSTM(5, 2, bidirectional=True, dropout=0.2))
    devices = [mx.cpu(number) for number in range(devices)]
    graph.collect_params().reset_ctx(devices)
    step = TrainStep(graph, devices, Training(static_shapes=static_shapes, clip_norm=0.5,
                                              optimizer=dict(name="adam", learning_rate=1e-2)))
    mx.random.seed(1)
    seen = [step(batch(steps), [[] for _ in devices], 1e-2)[:2] for _ in range(15) for steps in (5, 3, 5, 8)]
    parameters = graph._collect_params_with_prefix()
    return seen, {name: parameter.list_data()[0].asnumpy() for name, parameter in parameters.items()}, step


@pytest.mark.parametrize("make", [None, lambda: nn.GRU(5), lambda: nn.TDNN(5, input_size=4)],
                         ids=["lstm", "gru", "tdnn"])
def test_training_is_the_same_to_the_last_bit(make):
    seen, parameters, step = trained(True, make and make())
    expected, others, plain = trained(False, make and make())
    assert len(step._run._plans) == 3 and plain._run is plain.graph
    assert seen == expected
    assert all(np.array_equal(value, others[name]) for name, value in parameters.items())


def test_carried_states_are_the_same_to_the_last_bit(make_config):
    """Two layers with dropout; an epoch of one shape, 30 chunks, and a second one after an evaluation."""
    results = []
    for wanted in (True, False):
        run = loop.Loop(build_task(make_config({"training.static_shapes": wanted})))
        for epoch in range(2):
            run.position.epoch, run.position.step_in_epoch, run.carried = epoch, 0, None
            run.run_epoch(type("NoSignals", (), {"received": False}))
            run.evaluate("valid")
        results.append([*(parameter.data().asnumpy() for parameter in run.parameters.values()),
                        *(state.asnumpy() for state in run.carried[0])])
        assert len(getattr(run.step._run, "_plans", ())) == wanted
    assert all(map(np.array_equal, *results))


def planned(lengths):
    """Return the lengths whose shape has a plan after batches of `lengths`."""
    run = StaticShapes(classifier(nn.GRU(2)))
    for steps in lengths:
        run(*batch(steps).arrays)
    return {shapes[0][0] for shapes in run._plans}


@pytest.mark.parametrize("lengths, expected", [
    ([3] * 7, set()),
    ([3] * 8, {3}),
    ([3, 4] * 8, {3, 4}),
    ([3, 3, 4] * 5, {3}),
    ([*range(2, 15)] * 9, set()),                                         # each once in thirteen batches
    ([*range(2, 11)] * 9, set(range(2, 11))),                             # once in nine
])
def test_shapes_that_come_often_get_a_plan(lengths, expected):
    assert planned(lengths) == expected


def test_counting_ends_somewhere(monkeypatch):
    monkeypatch.setattr("gluon_rnn.training.static_shapes._COUNTED", 5)
    assert planned([*range(2, 30), *[40] * 8]) == {40}
    run = StaticShapes(classifier(nn.GRU(2)))
    for steps in range(2, 30):
        run(*batch(steps).arrays)
        assert len(run._seen) <= 5


def test_plans_do_not_pile_up(monkeypatch):
    """Where shapes go on changing, the plans of those that no longer come are let go."""
    monkeypatch.setattr("gluon_rnn.training.static_shapes._COUNTED", 3)
    assert planned([length for first in range(2, 20) for length in [first] * 8]) <= {17, 18, 19}


@pytest.mark.parametrize("make", [lambda: nn.ZoneoutLSTM(3, zoneout_h=0.1), lambda: nn.PeepholeLSTM(3)],
                         ids=["foreach", "operator in Python"])
def test_a_loop_gets_none(make):
    seen, _, step = trained(True, make())
    assert not step._run._plans and step._run._seen
    assert np.isfinite(seen).all()


def test_a_graph_compiled_anew_begins_anew():
    graph = classifier(nn.GRU(2))
    run = StaticShapes(graph)
    for _ in range(9):
        run(*batch(3).arrays)
    plans = list(run._plans.values())
    graph.hybridize(static_alloc=True)
    before = run(*batch(3).arrays)
    assert len(plans) == 1 and not run._plans
    assert np.array_equal(before.asnumpy(), run(*batch(3).arrays).asnumpy()) and run._plans


@pytest.mark.parametrize("active", [False, True])
def test_a_graph_that_is_not_compiled_or_without_static_memory_runs_as_it_is(active):
    graph = classifier(nn.GRU(2))
    graph.hybridize(active)
    run = StaticShapes(graph)
    for _ in range(9):
        assert run(*batch(3).arrays).shape == graph(*batch(3).arrays).shape
    assert not run._plans


def test_several_devices_share_no_plans():
    _, _, step = trained(True, devices=2)
    assert step._run is step.graph
