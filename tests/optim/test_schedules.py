"""Learning-rate schedules against their formulas."""
import math

import pytest

from gluon_rnn.optim import schedules


def rates(name, steps, **arguments):
    schedule = schedules.build(name, 0.5, steps, 10, **arguments)
    return [schedule(step) for step in range(1, steps + 1)]


def test_constant_with_warm_up():
    found = rates("constant", 30, warmup_steps=10)
    assert found[4] == pytest.approx(0.25) and found[9:] == [0.5] * 21


def test_cosine():
    found = rates("cosine", 110, warmup_steps=10, final_learning_rate=0.1)
    assert found[:9] == pytest.approx([0.5 * step / 10 for step in range(1, 10)])
    expected = [0.1 + 0.4 * (1 + math.cos(math.pi * step / 100)) / 2 for step in range(101)]
    assert found[9:] == pytest.approx(expected)


def test_poly():
    assert rates("poly", 100, power=1) == pytest.approx([0.5 * (1 - step / 100) for step in range(1, 101)])


def test_factor_counts_epochs():
    found = rates("factor", 40, factor=0.1, every_epochs=2)   # an epoch has 10 steps
    assert found[:20] == [0.5] * 20 and found[20:] == pytest.approx([0.05] * 20)


def test_multifactor_counts_epochs():
    found = rates("multifactor", 40, factor=0.1, epochs=[1, 3])
    assert found == pytest.approx([0.5] * 10 + [0.05] * 20 + [0.005] * 10)


def test_factor_does_not_depend_on_where_it_begins():
    once, twice = (schedules.build("factor", 0.5, 40, 10, factor=0.3) for _ in range(2))
    for step in range(1, 36):
        once(step)
    assert once(36) == twice(36)   # a resumed run calls a fresh schedule in the middle


def test_plateau_waits_and_anneals():
    plateau = schedules.build("plateau", 0.5, 40, 10, factor=0.1, patience=1)
    found = []
    for loss in (3.0, 2.0, 2.5, 2.4, 2.3, 1.9):
        plateau.observe(loss)
        found.append(plateau(1))
    assert found == pytest.approx([0.5, 0.5, 0.5, 0.05, 0.05, 0.05])
    again = schedules.build("plateau", 0.5, 40, 10, factor=0.1, patience=1)
    again.set_state(plateau.state())
    for loss in (2.0, 2.0):
        again.observe(loss)
    assert again(1) == pytest.approx(0.005)


@pytest.mark.parametrize("name, arguments, sentence", [
    ("cosine", {"warmup_steps": 40}, "warmup_steps: expected less than the 40 steps"),
    ("plateau", {"factor": 2.0}, "factor: expected a number between 0 and 1, got 2.0"),
    ("multifactor", {"epochs": [3, 1]}, r"epochs: expected increasing numbers of epochs .* got \[3, 1\]"),
    ("cosin", {}, "did you mean 'cosine'"),
])
def test_mistakes(name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        rates(name, 40, **arguments)
