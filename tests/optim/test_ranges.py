"""Ranges belong to keys: what is out of them is refused with the key, the range and what came."""
import math

import pytest

from gluon_rnn.optim import optimizers, schedules
from gluon_rnn.optim.ranges import check


@pytest.mark.parametrize("key, value", [
    ("learning_rate", 0), ("learning_rate", math.inf), ("learning_rate", True), ("learning_rate", "0.1"),
    ("momentum", 1.0), ("beta1", -0.1), ("epsilon", 0), ("final_learning_rate", -5.0),
    ("final_learning_rate", math.nan),
    ("warmup_steps", -1), ("patience", -1), ("factor", 0)])
def test_a_number_out_of_its_range(key, value):
    with pytest.raises(ValueError, match=f"{key}: expected a finite number .*, got"):
        check({key: value})


def test_edges_and_other_keys_are_let_through():
    check({"momentum": 0, "beta1": 0.999, "final_learning_rate": 0, "learning_rate": 1e-9, "centered": True,
           "epochs": [1, 2], "clip_weights": None})


@pytest.mark.parametrize("call", [
    lambda: optimizers.build("sgd", learning_rate=0.1, momentum=1.5),
    lambda: schedules.build("cosine", 0.1, 10, 5, final_learning_rate=-5.0),
    lambda: schedules.build("multifactor", 0.1, 10, 5, epochs=[-1]),
    lambda: schedules.build("multifactor", 0.1, 10, 5, epochs=["a"])])
def test_builders_check(call):
    with pytest.raises(ValueError, match="expected"):
        call()
