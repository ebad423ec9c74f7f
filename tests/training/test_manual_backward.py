"""Steps by a manual backward pass, against the same steps by autograd and MXNet's own Adam.

All in float64, except that a step by autograd adds loss and squares of the gradient in float32, and that MXNet's
optimisers take scalars as float32.
"""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.config import Training
from gluon_rnn.data.batching import Batch
from gluon_rnn.models import NARX
from gluon_rnn.nn import numpy_ops
from gluon_rnn.optim import optimizers
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from gluon_rnn.training.step import DivergedError, TrainStep
from tests.reference import rounding

BATCHES = [mx.nd.random.normal(shape=(22, 4, 2), dtype="float64") for _ in range(6)]
RATE = 1e-2


class ByAutograd(SeriesLoss):
    loss_and_gradients = property()   # hasattr() is False


def run(kind, batches=BATCHES, like=None, state=None, devices=None, **settings):
    """Make a step for each of `batches`; return losses and norms, the model and the TrainStep."""
    model = NARX(1, 2, (5,), skip=True, dtype="float64")
    devices = devices or [mx.cpu()]
    mx.random.seed(0)
    np.random.seed(0)
    model.initialize(mx.init.Normal(0.3), ctx=devices)
    for name, parameter in model._reg_params.items():
        if like is not None:
            parameter.set_data(like._reg_params[name].data())
    settings.setdefault("optimizer", dict(name="adam", learning_rate=RATE))
    step = TrainStep(kind(model, model.memory, 20), devices, Training(**settings))
    if state:
        optimizers.set_arrays(step.trainer, state[0])
        optimizers.set_numbers(step.trainer, state[1])
    seen = [step(Batch((batch,), (1,), 80), [[] for _ in devices], RATE)[:2] for batch in batches]
    return seen, model, step


def state_of(step):
    arrays = {key: array.copy() for key, array in optimizers.arrays(step.trainer).items()}
    return arrays, optimizers.numbers(step.trainer)


def values(model):
    return {name: parameter.list_data()[0].asnumpy() for name, parameter in model._reg_params.items()}


def scalar_error(model):
    """Return the relative error of a step by autograd: a sum of n positive squares in float32 is its largest part."""
    return rounding("float32", sum(value.size for value in values(model).values()))


def assert_same_updates(model, other, steps, largest=2 * RATE):
    """Compare the parameters after so many steps, whose updates are at most `largest`, off by `scalar_error`.

    `largest` is that of Adam without clipping: the rate, for a quotient of two averages with an error each.
    """
    for name, value in values(model).items():
        np.testing.assert_allclose(value, values(other)[name], rtol=0, atol=steps * largest * scalar_error(model))


SETTINGS = {
    "adam": {}, "clip_norm": dict(clip_norm=0.05), "clip_value": dict(clip_value=0.01), "decay": dict(weight_decay=0.1),
    "sgd": dict(optimizer=dict(name="sgd", learning_rate=RATE, momentum=0.9)),
    "nag": dict(optimizer=dict(name="nag", learning_rate=RATE, momentum=0.9)),   # MXNet's RMSProp is float32 only
}


@pytest.mark.parametrize("name", SETTINGS)
def test_steps_equal_those_by_autograd(name):
    seen, model, step = run(SeriesLoss, **SETTINGS[name])
    expected, other, plain = run(ByAutograd, **SETTINGS[name])
    assert step._manual is not None and plain._manual is None
    np.testing.assert_allclose(seen, expected, rtol=scalar_error(model))
    assert_same_updates(model, other, len(BATCHES))


def test_a_run_goes_on_from_its_state_bit_for_bit():
    _, whole, _ = run(SeriesLoss)
    _, half, step = run(SeriesLoss, BATCHES[:3])
    _, resumed, _ = run(SeriesLoss, BATCHES[3:], like=half, state=state_of(step))
    assert all(np.array_equal(value, values(resumed)[name]) for name, value in values(whole).items())


def test_a_state_that_autograd_left_behind_is_taken_on():
    _, half, step = run(ByAutograd, BATCHES[:3])
    state = state_of(step)
    _, resumed, _ = run(SeriesLoss, BATCHES[3:], like=half, state=state)
    _, whole, _ = run(ByAutograd)
    assert_same_updates(whole, resumed, len(BATCHES))


def test_divergence_changes_nothing():
    _, model, step = run(SeriesLoss, BATCHES[:1])
    before = values(model)
    with pytest.raises(DivergedError, match="loss is nan"):
        step(Batch((BATCHES[0] * float("nan"),), (1,), 80), [[]], RATE)
    assert all(np.array_equal(value, values(model)[name]) for name, value in before.items())


def test_two_devices_take_autograd():
    seen, model, step = run(SeriesLoss, devices=[mx.cpu(0), mx.cpu(1)])
    expected, other, _ = run(SeriesLoss)
    assert step._manual is None
    np.testing.assert_allclose(seen, expected, rtol=scalar_error(model))
    assert_same_updates(model, other, len(BATCHES))


@pytest.mark.parametrize("clip_value", [None, 0.3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_in_numpy_is_mxnets_bit_for_bit(dtype, clip_value):
    generator = np.random.default_rng(0)
    ours, mxnets = (optimizers.build("adam", clip_value, in_numpy=own, learning_rate=RATE) for own in (True, False))
    weight = mx.nd.array(generator.standard_normal((7, 5)), dtype=dtype)
    other, state, states = weight.copy(), mxnets.create_state(0, weight), ours.create_state(0, weight)
    for _ in range(50):
        gradient = generator.standard_normal((7, 5)).astype(dtype)
        mxnets.update(0, other, mx.nd.array(gradient, dtype=dtype), state)
        ours.update_in_numpy(0, numpy_ops.view(weight), gradient)
        for found, expected in zip((weight, *states), (other, *state)):
            assert np.array_equal(found.asnumpy(), expected.asnumpy())
