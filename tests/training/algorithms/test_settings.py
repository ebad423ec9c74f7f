"""Whole recipes by each algorithm: bptt's numbers to the bit, resumes, refusals; `online.py` and `windows.py` too."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import recipes
from gluon_rnn.config import ConfigError
from gluon_rnn.recipes import build_task
from gluon_rnn.training import folder, loop, train
from gluon_rnn.training.algorithms.settings import algorithm_of, algorithms
from gluon_rnn.training.signals import StopSignals
from tests.reference import EXACT, rounding
from tests.training.test_loop import StopAfter, everything, metrics

# 60 sentences are some 10 updates of 10 steps, or 100 of one step, an epoch.
SMALL = {"data.sentences": 200, "training.epochs": 2}
ELMAN = {**SMALL, "data.sentences": 150, "model.dropout": 0.0,
         "model.encoder": {"name": "rnn", "hidden_size": 6, "dtype": "float64"}}
PLAIN = {"training.clip_norm": None, "training.optimizer": {"name": "sgd", "learning_rate": 1.0}}


def gradients(run):
    return {name: parameter.grad().asnumpy().copy() for name, parameter in run.parameters.items()}


@pytest.mark.parametrize("arguments", [{}, {"k1": 10, "k2": 10}])
def test_tbptt_with_k1_and_k2_of_bptt_is_bptt_bit_for_bit(make_config, arguments):
    first, second = (train(build_task(make_config({**SMALL, **change})), "a") for change in (
        {}, {"training.algorithm": {"name": "tbptt", **arguments}}))
    assert everything(first) == everything(second) and metrics(first) == metrics(second)


@pytest.mark.parametrize("k1, k2", [(1, 4), (3, 7), (2, 8), (5, 5)])
def test_gradients_of_windows_are_autograds_with_detached_states(make_config, k1, k2):
    """An independent loop over the stream, at a rate of 0, so that all states belong to the same parameters."""
    config = make_config({**ELMAN, **PLAIN, "training.algorithm": {"name": "tbptt", "k1": k1, "k2": k2}})
    run = loop.Loop(build_task(config))
    chunks = run.task.train_batches(0)
    batches = [*chunks][:7] + [*chunks][-1:]                              # the last one may have fewer than k1 steps
    tokens, targets = chunks.groups._data, chunks.groups._target
    states = run.task.begin_states(8, run.devices)
    for number, batch in zip([*range(7), len(chunks) - 1], batches):
        if number == len(chunks) - 1:                                     # go to the window before it
            begin = max(0, (number + 1) * k1 - k2)
            _, states[0] = run.task.model(mx.nd.array(tokens[:begin], dtype="int32"), run.task.model.begin_state(8))
        loss, _, states = run.step(batch, states, 1e-300)
        found, end, size = gradients(run), min((number + 1) * k1, len(tokens)), len(batch.arrays[1])
        begin = max(0, (number + 1) * k1 - k2)
        state = run.task.model.begin_state(8)
        if begin:
            _, state = run.task.model(mx.nd.array(tokens[:begin], dtype="int32"), state)
        with autograd.record():
            scores, _ = run.task.model(mx.nd.array(tokens[begin:end], dtype="int32"), state)
            target = mx.nd.array(targets[end - size:end])
            total = -mx.nd.pick(mx.nd.log_softmax(scores[-size:]), target).sum()
        total.backward()
        assert loss * batch.size == pytest.approx(total.asscalar(), rel=rounding("float32", 2))   # read as float32
        for name, gradient in gradients(run).items():
            np.testing.assert_allclose(found[name], gradient, **EXACT)


@pytest.mark.parametrize("encoder", [{"name": "rnn"}, {"name": "gru"}, {"name": "jordan", "decay": 0.5}],
                         ids=lambda encoder: encoder["name"])
@pytest.mark.parametrize("tied", [False, True])
def test_rtrl_of_a_language_model_sums_up_to_full_bptt(make_config, encoder, tied):
    """Over 12 steps at a rate of 0: embedding, layer and output layer have the gradient of one chunk of 12 steps."""
    config = {**ELMAN, **PLAIN, "model.encoder": {"hidden_size": 6, "dtype": "float64", **encoder},
              "model.tie_weights": tied}
    run = loop.Loop(build_task(make_config({**config, "training.algorithm": "rtrl"})))
    batches = list(run.task.train_batches(0))[:12]
    states, total = run.task.begin_states(8, run.devices), {}
    for batch in batches:
        _, _, states = run.step(batch, states, 1e-300)
        total = {name: total.get(name, 0) + gradient for name, gradient in gradients(run).items()}
    tokens, targets = (mx.nd.concat(*[batch.arrays[place] for batch in batches], dim=0) for place in (0, 1))
    with autograd.record():
        loss, _ = run.task.model.loss(tokens, targets, run.task.model.begin_state(8))
    loss.backward()
    for name, gradient in gradients(run).items():
        np.testing.assert_allclose(total[name], gradient, **EXACT)


@pytest.mark.parametrize("name, rate", [("rtrl", 0.005), ("uoro", 0.001)])
def test_online_recipes_learn_and_a_resume_goes_on_bit_for_bit(make_config, name, rate):
    """One that was stopped in the middle of an epoch too: what the learner carries is in the checkpoint."""
    config = make_config({**ELMAN, "data.sentences": 80, "training.algorithm": name, "data.batch_size": 2,
                          "training.optimizer": {"name": "adam", "learning_rate": rate}})
    first = train(build_task(config), "a")
    second = loop.Loop(build_task(config))
    second.start(folder.create(config.output_dir, "b"))
    second.epochs = 1
    second.run(StopSignals())
    train(build_task(config), "b", resume=second.path)
    assert everything(first) == everything(second.path) and metrics(first) == metrics(second.path)
    losses = [float(row["valid_loss"]) for row in metrics(first)]
    assert losses[-1] < losses[0] < np.log(len(build_task(config).assets.vocab))
    if name == "rtrl":
        stopped = loop.Loop(build_task(config))
        stopped.start(folder.create(config.output_dir, "c"))
        stopped.run(StopAfter(7))
        assert len(stopped.carried[0]) == 2 and stopped.carried[0][1].shape[:2] == (2, 6)
        train(build_task(config), "c", resume=stopped.path)
        assert everything(stopped.path)[0] == everything(first)[0]


def test_k1_and_k2_are_those_of_data_where_they_are_left_out(make_config):
    windows = [algorithm_of(make_config({"training.algorithm": section})).window(10) for section in (
        "bptt", "tbptt", {"name": "tbptt", "k1": 2}, {"name": "tbptt", "k1": 3, "k2": 20}, "rtrl", "uoro")]
    assert windows == [(10, 10), (10, 10), (2, 10), (3, 20), (1, 1), (1, 1)]


@pytest.mark.parametrize("changes, message", [
    ({"training.algorithm": "rtlr"}, "training.algorithm.name: unknown learning algorithm 'rtlr'"),
    ({"training.algorithm": {"name": "tbptt", "k3": 1}}, "training.algorithm.k3: unknown key"),
    ({"training.algorithm": {"name": "tbptt", "k1": 0}}, "training.algorithm.k1: expected a number of steps"),
    ({"training.algorithm": {"name": "tbptt", "k1": 1.5}}, "training.algorithm.k1: expected"),
    ({"training.algorithm": {"name": "tbptt", "k1": 4, "k2": 3}}, "go back k2 = 3 steps do not reach all losses of k1"),
    ({"training.algorithm": {"name": "rtrl", "max_multiplications": 0}}, "expected a number above 0"),
    ({"training.algorithm": "rtrl"}, "for the layers RNN, GRU and Jordan, got LSTM"),
    ({"training.algorithm": "rtrl", "model.encoder": {"name": "gru", "hidden_size": 6}, "model.drop_i": 0.1},
     "drop_e and drop_i draw another network in every call"),
    ({"training.algorithm": "rtrl", "model.encoder": {"name": "gru", "hidden_size": 200}},
     "rtrl takes N S.2 P multiplications a step, of the order H.4: .* above max_multiplications"),
    ({"training.algorithm": "uoro", "model.encoder": {"name": "gru", "hidden_size": 6},
      "model.output": {"name": "adaptive_softmax", "cutoffs": [4]}}, "need one table"),
    ({"training.algorithm": "uoro", "model.encoder": {"name": "gru", "hidden_size": 6}, "device": "cpu(0),cpu(1)"},
     "uoro runs on one device")])
def test_what_does_not_fit_is_refused_before_training(make_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make_config({**SMALL, **changes}))


def test_sequences_that_begin_anew_have_no_other_algorithm_than_bptt():
    raw = {"task": "forecasting", "data": {"name": "narma"}, "model": {"input_lag": 1, "output_lag": 2},
           "training": {"algorithm": "rtrl"}}
    with pytest.raises(ConfigError, match="training.algorithm: rtrl needs a stream .* the tasks language_model"):
        recipes.from_dict(raw)


def test_a_resume_keeps_its_algorithm(make_config):
    run = train(build_task(make_config(SMALL)), "a")
    with pytest.raises(ValueError, match="training.algorithm is .* but the run to resume has"):
        train(build_task(make_config({**SMALL, "training.algorithm": "tbptt"})), "a", resume=run)


@pytest.mark.parametrize("name", algorithms.names())
def test_docstrings_say_what_a_step_costs(name):
    assert "The cost of a step is" in algorithms.get(name).__doc__
