"""One update against NumPy: the norm, clipping by norm and by value, decay that spares biases, several devices.

Everything is float64, except numbers that the step makes of a whole gradient: `TrainStep` adds the squares in float32,
and MXNet's optimisers take 1 / size as a float32.
"""
import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.data.batching import Batch
from gluon_rnn.recipes import build_task
from gluon_rnn.training import loop
from tests.reference import EXACT, rounding

SCALARS = rounding("float32", 4)   # of an update, relative: the factor, the rate and their products with the gradient


@pytest.fixture
def make_step(make_config):
    """Return a function that gives a Loop of the small recipe without dropout, and its first batch."""
    def make(changes):
        config = make_config({"model.dropout": 0.0, "model.encoder.dropout": 0.0, "model.encoder.dtype": "float64",
                              "training.clip_norm": None, "training.optimizer": {"name": "sgd", "learning_rate": 1.0},
                              **changes})
        run = loop.Loop(build_task(config))
        return run, *next(iter(run.task.train_batches(0))).arrays
    return make


def values(run):
    return {name: parameter.list_data()[0].asnumpy() for name, parameter in run.parameters.items()}


def norm_error(run):
    """Return the relative error of the gradient's norm, whose squares are n positive numbers added in float32."""
    return rounding("float32", sum(value.size for value in values(run).values()))


def start_from(run, start):
    for name, parameter in run.parameters.items():
        parameter.set_data(mx.nd.array(start[name], dtype="float64"))


def gradients(run, data, target):
    """The gradient of the mean loss by plain autograd, without the code under test."""
    with autograd.record():
        logits, _ = run.task.model(data, run.task.model.begin_state(data.shape[1]))
        chosen = mx.nd.pick(mx.nd.log_softmax(logits), target)
        (-chosen.mean()).backward()
    return {name: parameter.grad().asnumpy() for name, parameter in run.parameters.items()}


def one_step(run, data, target, rate=0.5):
    states = run.task.begin_states(data.shape[1], run.devices)
    return run.step(Batch((data, target), (1, 1), data.size), states, rate)


@pytest.mark.parametrize("clip_norm", [None, 1e6, 0.01])
def test_clipping_by_norm_is_numpys(make_step, clip_norm):
    run, data, target = make_step({"training.clip_norm": clip_norm})
    before, slopes = values(run), gradients(run, data, target)
    _, norm, _ = one_step(run, data, target)
    expected = math.sqrt(sum((slope ** 2).sum() for slope in slopes.values()))
    assert norm == pytest.approx(expected, rel=norm_error(run))
    scale = min(1.0, clip_norm / norm) if clip_norm else 1.0
    for name, after in values(run).items():
        np.testing.assert_allclose(before[name] - after, 0.5 * scale * slopes[name], rtol=SCALARS, atol=EXACT["atol"])


def test_clipping_by_value_is_numpys(make_step):
    limit = 1e-3
    run, data, target = make_step({"training.clip_value": limit})
    before, slopes = values(run), gradients(run, data, target)
    assert any((abs(slope) > limit).any() for slope in slopes.values())
    one_step(run, data, target)
    for name, after in values(run).items():
        np.testing.assert_allclose(before[name] - after, 0.5 * np.clip(slopes[name], -limit, limit), rtol=SCALARS,
                                   atol=EXACT["atol"])


def test_decay_shrinks_weights_and_leaves_biases_alone(make_step):
    plain, data, target = make_step({})
    decayed, _, _ = make_step({"training.weight_decay": 0.1})
    before = values(plain)
    start_from(decayed, before)
    for run in (plain, decayed):
        one_step(run, data, target)
    without, withdecay = values(plain), values(decayed)
    for name in without:
        mask = np.full(before[name].shape, before[name].ndim > 1)
        assert mask.all() == name.endswith("weight")
        np.testing.assert_allclose(withdecay[name], without[name] - 0.5 * 0.1 * mask * before[name], **EXACT)
        assert np.array_equal(withdecay[name][~mask], without[name][~mask])


def test_states_are_carried_and_detached(make_step):
    run, _, _ = make_step({})
    batches = iter(run.task.train_batches(0))
    states = run.task.begin_states(8, run.devices)
    expected = states[0]
    for _ in range(3):
        data, target = next(batches).arrays
        _, expected = run.task.model(data, expected)
        expected = [state.copy() for state in expected]
        _, _, states = run.step(Batch((data, target), (1, 1), data.size), states, 1e-30)   # a rate that changes nothing
        for state, other in zip(states[0], expected):
            np.testing.assert_allclose(state.asnumpy(), other.asnumpy(), **EXACT)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_two_devices_equal_one(make_step, optimizer):
    change = {"training.optimizer": {"name": optimizer, "learning_rate": 0.01}, "training.clip_norm": 0.1,
              "training.weight_decay": 0.1}
    one, _, _ = make_step(change)
    two, _, _ = make_step({**change, "device": "cpu(0),cpu(1)"})
    start_from(two, values(one))
    states = [run.task.begin_states(8, run.devices) for run in (one, two)]
    for batch in list(one.task.train_batches(0))[:4]:
        results = [run.step(batch, states[i], 0.01) for i, run in enumerate((one, two))]
        states = [result[2] for result in results]
        assert results[0][:2] == pytest.approx(results[1][:2], rel=norm_error(one))
    first, second = values(one), values(two)
    # Clipping divides by the norm. An update is at most the rate times 0.1, the clipped norm, under SGD. Under Adam it
    # is at most the rate, and a quotient of two averages that are both off by the norm's error.
    largest = 0.01 * (0.1 if optimizer == "sgd" else 2)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=0, atol=4 * largest * norm_error(one))
    for parameter in two.parameters.values():
        assert np.array_equal(*(array.asnumpy() for array in parameter.list_data()))


def test_devices_without_a_row_of_the_last_batch_have_a_gradient_of_0(make_config):
    """Three devices and two rows equal one device; what the third one computed before is forgotten."""
    config = {"task": "regression", "model": {"encoder": {"name": "rnn", "hidden_size": 3}},
              "training.optimizer": {"name": "sgd", "learning_rate": 0.1}, "training.clip_norm": None,
              "data": {"name": "adding_problem", "length": 3, "train": 8, "valid": 4, "test": 4, "batch_size": 6}}
    runs = [loop.Loop(build_task(make_config({**config, "device": device}))) for device in
            ("cpu", "cpu(0),cpu(1),cpu(2)")]
    for name, parameter in runs[1].parameters.items():
        parameter.set_data(runs[0].parameters[name].data())
    batches = list(runs[0].task.train_batches(0))
    assert [len(batch.arrays[0][0]) for batch in batches] == [6, 2]
    for batch in batches:
        states = [run.task.begin_states(len(batch.arrays[0][0]), run.devices) for run in runs]
        found = [run.step(batch, state, 0.1)[:2] for run, state in zip(runs, states)]
        assert found[1] == pytest.approx(found[0], rel=norm_error(runs[0]))
    first, second = map(values, runs)
    for name in first:                        # float32: weights below 2, and gradients that are sums over 18 steps
        np.testing.assert_allclose(second[name], first[name], rtol=0, atol=2 * rounding("float32", 2 + 18))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_dtype_trains(make_step, dtype):
    run, data, target = make_step({"model.encoder.dtype": dtype, "training.average": 0.5})
    loss, norm, _ = one_step(run, data, target)
    run.average.update()
    assert math.isfinite(loss) and norm > 0 and values(run)
