"""Freezing, thawing and a learning rate a group: what learns in which epoch, and by how much."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import recipes
from gluon_rnn.config import ConfigError, Training
from gluon_rnn.data.batching import Batch
from gluon_rnn.models import NARX
from gluon_rnn.recipes import build_task
from gluon_rnn.training import loop
from gluon_rnn.training.parameter_groups import ParameterGroups

ENCODER = [f"encoder._unfused.{layer}.{name}" for layer in (0, 1)
           for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")]
PLAIN = {"model.dropout": 0.0, "model.encoder.dropout": 0.0, "training.clip_norm": None}


def values(run):
    return {name: parameter.list_data()[0].asnumpy().copy() for name, parameter in run.parameters.items()}


def changed(run, before):
    return {name for name, after in values(run).items() if not np.array_equal(after, before[name])}


def epoch_of(run, epoch, steps=3):
    """Make some updates as in an epoch, counted from 0; return the norms."""
    run.position.epoch = epoch
    run._freeze()
    states, norms = run.task.begin_states(8, run.devices), []
    for batch in list(run.task.train_batches(epoch))[:steps]:
        _, norm, states = run.step(batch, states, 0.01)
        run.average.update()
        norms.append(norm)
    return norms


def test_patterns_are_of_beginnings_and_the_earliest_thaw_counts():
    model = {name: mx.gluon.Parameter(name, shape=(1,)) for name in ("a.x", "a.y", "b.x", "b.y", "c")}
    groups = ParameterGroups(model, Training(freeze=["b", "a.x"], thaw=["b.x", "a.y", "b", {
        "epoch": 3, "parameters": "b.x"}]))
    assert [groups.frozen(epoch) for epoch in range(5)] == [
        {"a.x", "a.y", "b.x", "b.y"}, {"a.x", "a.y", "b.y"}, {"a.x", "b.y"}, {"a.x"}, {"a.x"}]
    assert [groups.thawed(epoch) for epoch in range(5)] == [[], ["b.x"], ["a.y"], ["b.y"], []]


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adadelta", "ftml"])
def test_frozen_parameters_do_not_move_by_any_optimizer_decay_or_average(make_config, optimizer):
    run = loop.Loop(build_task(make_config({
        "training.optimizer": {"name": optimizer}, "training.weight_decay": 0.1, "training.average": 0.9,
        "training.freeze": ["embedding", "encoder.*h2h_weight"],
        "training.thaw": [{"epoch": 3, "parameters": "encoder._unfused.0.h2h_weight"}]})))
    before = values(run)
    frozen = {"embedding_weight", "encoder._unfused.0.h2h_weight", "encoder._unfused.1.h2h_weight"}
    epoch_of(run, 0)
    assert changed(run, before) == set(before) - frozen
    names = [parameter.name for parameter in run.step.trainer._params]
    assert len(run.step.trainer._updaters[0].states) == len(names) - 3
    epoch_of(run, 2)
    assert changed(run, before) == set(before) - frozen | {"encoder._unfused.0.h2h_weight"}
    for name in ("embedding_weight", "encoder._unfused.1.h2h_weight"):
        assert np.array_equal(run.average.arrays[name].asnumpy(), before[name])
    assert not np.array_equal(run.average.arrays["encoder._unfused.0.h2h_weight"].asnumpy(),
                              before["encoder._unfused.0.h2h_weight"])


def test_layers_stay_one_vector_where_their_parameters_are_of_one_group(make_config):
    run = loop.Loop(build_task(make_config({"training.freeze": ["encoder._unfused.0", "encoder._unfused.1.i2h"]})))
    names = {name.removeprefix("model.") for name in run.step.parameters}
    assert len(names) == 3 + 1 + 4 and set(ENCODER[4:]) <= names and not set(ENCODER[:4]) & names


def test_the_norm_that_is_clipped_is_of_what_learns(make_config):
    full = loop.Loop(build_task(make_config(PLAIN)))
    part = loop.Loop(build_task(make_config({**PLAIN, "training.freeze": ["encoder"]})))
    (norm,), (smaller,) = epoch_of(full, 0, 1), epoch_of(part, 0, 1)
    size = next(iter(full.task.train_batches(0))).size
    encoder = [full.parameters[name].grad().asnumpy() / size for name in ENCODER]
    rest = norm ** 2 - sum((gradient.astype("float64") ** 2).sum() for gradient in encoder)
    assert smaller == pytest.approx(np.sqrt(rest), rel=1e-4)


def test_rates_scale_updates_and_decay(make_config):
    plain = {**PLAIN, "training.optimizer": {"name": "sgd", "learning_rate": 1.0}, "training.weight_decay": 0.1}
    runs = [loop.Loop(build_task(make_config({**plain, **more}))) for more in (
        {}, {"training.learning_rates": {"encoder": 0.5, "encoder._unfused.1.i2h": 0.25, "embedding": 2.0}})]
    before = values(runs[0])
    for run in runs:
        epoch_of(run, 0, 1)
    one, scaled = map(values, runs)
    for name in before:
        factor = {"encoder._unfused.1.i2h_weight": 0.25, "encoder._unfused.1.i2h_bias": 0.25,
                  "embedding_weight": 2.0}.get(name, 0.5 if name in ENCODER else 1.0)
        # Decay and gradient step follow each other, so that a product of the two, below 1e-3 of the step, is over.
        np.testing.assert_allclose(scaled[name] - before[name], factor * (one[name] - before[name]), rtol=2e-3,
                                   atol=2e-7)
        assert not np.array_equal(one[name], before[name])


def test_a_manual_backward_pass_spares_frozen_parameters():
    config = recipes.from_dict({
        "task": "forecasting", "data": {"name": "narma", "bptt": 20, "batch_size": 8},
        "model": {"name": "narx", "input_lag": 2, "output_lag": 2, "hidden_sizes": [4]},
        "training": {"epochs": 3, "thaw": [{"epoch": 2, "parameters": ".*bias"}]}})
    run = loop.Loop(build_task(config))
    assert isinstance(run.task.model, NARX) and run.step._manual is not None
    before, biases = values(run), {name for name in run.parameters if name.endswith("bias")}
    for epoch, expected in ((0, set(before) - biases), (1, set(before))):
        run.position.epoch = epoch
        run._freeze()
        batch = next(iter(run.task.train_batches(epoch)))
        assert run.step._manual.find(batch) is not None and isinstance(batch, Batch)
        run.step(batch, run.task.begin_states(8, run.devices), 0.01)
        assert biases and changed(run, before) == expected


@pytest.mark.parametrize("keys, sentence", [
    ({"freeze": ["encodr"]}, r"training.freeze.0: 'encodr' matches no parameter; .*encoder._unfused.0.i2h_weight"),
    ({"thaw": [{"epoch": 2, "parameters": "weight"}]}, r"training.thaw.0.parameters: 'weight' matches no parameter"),
    ({"learning_rates": {"embeding_weight": 2.0}}, r"'embeding_weight' matches no .*did you mean 'embedding_weight'"),
    ({"freeze": ["e", "o"]}, r"training.freeze: nothing is left that learns in epoch 1; .*embedding_weight"),
])
def test_patterns_that_make_no_sense_for_the_model_are_refused(make_config, keys, sentence):
    config = make_config({f"training.{key}": value for key, value in keys.items()})
    with pytest.raises(ConfigError, match=sentence):
        loop.Loop(build_task(config))


@pytest.mark.parametrize("keys, sentence", [
    ({"freeze": ["a("]}, r"training.freeze.0: 'a\(' is no regular expression: missing \)"),
    ({"thaw": ["*"]}, r"training.thaw.0.parameters: '\*' is no regular expression"),
    ({"thaw": ["a", "b", "c"]}, r"training.thaw.2.epoch: epoch 4 is after the last of training.epochs, 3"),
    ({"thaw": [{"epoch": 1, "parameters": "a"}]}, r"training.thaw.0.epoch: .*greater than or equal to 2, got 1"),
    ({"thaw": [{"epoch": 2, "patterns": "a"}]}, r"training.thaw.0.(patterns: unknown key|parameters: this key)"),
    ({"learning_rates": {"a": 0.0}}, r"training.learning_rates.a: expected a factor above 0, got 0; training.freeze"),
    ({"start_names": {"a": "b"}}, r"training.start_names: .*start_from, which is missing"),
])
def test_mistakes_are_refused_before_there_is_a_model(make_config, keys, sentence):
    with pytest.raises(ConfigError, match=sentence):
        make_config({f"training.{key}": value for key, value in keys.items()})
