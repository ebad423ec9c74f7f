"""Teacher forcing: each schedule begins at 1, falls, and is where it shall be after its epochs."""
import math

import pytest

from gluon_rnn.tasks.translation.teacher_forcing import TeacherForcing


@pytest.mark.parametrize("name", ["linear", "exponential", "inverse_sigmoid"])
@pytest.mark.parametrize("end, epochs", [(0.5, 10), (0.1, 3), (0.95, 40)])
def test_from_one_to_the_end(name, end, epochs):
    rate = TeacherForcing(name, end=end, epochs=epochs)
    rates = [rate(epochs * part / 20) for part in range(61)]
    assert rates[0] == 1
    assert rates[20] == pytest.approx(end, abs=1e-9)
    assert all(before >= after for before, after in zip(rates, rates[1:]))
    assert all(0 <= value <= 1 for value in rates)
    assert (rates[-1] == end) == (name == "linear")
    assert not rate.always


def test_the_formulas():
    assert TeacherForcing("linear", end=0.2, epochs=4)(3) == pytest.approx(1 - 0.8 * 3 / 4)
    assert TeacherForcing("exponential", end=0.25, epochs=2)(1) == pytest.approx(0.5)
    rate = TeacherForcing("inverse_sigmoid", end=0.5, epochs=10)
    k = rate._k
    assert rate(7) == pytest.approx((k + 1) / (k + math.exp(7 / k)))
    assert rate(1e6) == pytest.approx(0, abs=1e-12)


def test_constant_and_always():
    assert TeacherForcing()(3) == 1 and TeacherForcing().always
    assert TeacherForcing(end=0.7)(0) == 0.7 and not TeacherForcing(end=0.7).always
    assert TeacherForcing("linear", end=1).always


@pytest.mark.parametrize("options, message", [
    ({"name": "sigmoid"}, "name must be one of constant, linear"), ({"end": 1.5}, "end must be a rate from 0 to 1"),
    ({"epochs": 0}, "epochs must be a number above 0"), ({"name": "exponential", "end": 0}, "needs an end above 0")])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        TeacherForcing(**options)
