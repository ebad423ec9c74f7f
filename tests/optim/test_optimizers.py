"""Optimiser state as arrays and numbers: out, in, and on with the same bits, for every optimiser that is offered."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.optim import optimizers


def trainer_of(name, weights):
    parameters = {}
    for key, weight in weights.items():
        parameters[key] = gluon.Parameter(key, shape=weight.shape)
        parameters[key].initialize(mx.init.Zero())
        parameters[key].set_data(mx.nd.array(weight))
    return parameters, gluon.Trainer(parameters, optimizers.build(name, learning_rate=0.01))


def steps(parameters, trainer, numbers):
    for number in numbers:
        mx.random.seed(number)   # sgld draws noise
        with autograd.record():
            loss = sum(((parameter.data() - number) ** 2).sum() for parameter in parameters.values())
        loss.backward()
        trainer.step(1)
    return {key: parameter.data().asnumpy() for key, parameter in parameters.items()}


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_state_goes_out_and_in(name):
    weights = {"a": np.random.randn(3, 2), "b": np.random.randn(4)}
    parameters, trainer = trainer_of(name, weights)
    middle = steps(parameters, trainer, range(3))
    arrays = {key: array.copy() for key, array in optimizers.arrays(trainer).items()}
    numbers = optimizers.numbers(trainer)
    expected = steps(parameters, trainer, range(3, 6))
    fresh, other = trainer_of(name, middle)
    optimizers.set_arrays(other, arrays)
    optimizers.set_numbers(other, numbers)
    found = steps(fresh, other, range(3, 6))
    assert all(np.array_equal(found[key], expected[key]) for key in weights)
    assert all(np.isfinite(value).all() for value in found.values())


def test_unknown_name_and_misplaced_key():
    with pytest.raises(ValueError, match="unknown optimizer 'adm'; did you mean 'adam'"):
        optimizers.parameters("adm")
    with pytest.raises(ValueError, match="'wd' is not set here; use training.weight_decay"):
        optimizers.check_keys({"wd": 0.1})
    with pytest.raises(ValueError, match="learning_rate: expected a finite number above 0, got -1"):
        optimizers.build("adam", learning_rate=-1)
