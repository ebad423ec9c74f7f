"""The adding problem: marks, sums, the variance of the target, seeds."""
import doctest

import numpy as np
import pytest

from gluon_rnn.data import AddingProblem, adding
from gluon_rnn.registry import datasets


def test_example_and_name():
    assert doctest.testmod(adding).failed == 0
    assert datasets.get("adding_problem") is AddingProblem


def test_every_target_is_the_sum_of_two_marked_numbers():
    data = AddingProblem(length=11, train=300, valid=20, test=30)
    for split, size in (("train", 300), ("valid", 20), ("test", 30)):
        steps, targets = np.array(data.inputs(split), dtype=np.float64), data.targets(split)
        assert steps.shape == (size, 11, 2) and targets.shape == (size, 1)
        values, marks = steps[:, :, 0], steps[:, :, 1]
        assert set(np.unique(marks)) == {0, 1} and (marks.sum(axis=1) == 2).all()
        np.testing.assert_allclose((values * marks).sum(axis=1), targets[:, 0], atol=1e-6)       # float32 inputs
        assert values.min() >= 0 and values.max() <= 1
    marked = np.array(data.inputs("train"))[:, :, 1].sum(axis=0)
    assert (marked > 0).all()                                             # every place is marked now and then


def test_the_mean_has_an_error_of_a_sixth():
    targets = AddingProblem(length=2, train=40_000, valid=1, test=1).targets("train")
    # the variance of n such sums is 1/6 with a deviation of sqrt((E d^4 - 1/36) / n), E d^4 = 1/15
    assert targets.var() == pytest.approx(1 / 6, abs=4 * np.sqrt((1 / 15 - 1 / 36) / 40_000))


def test_seeds():
    first, again, other = (AddingProblem(length=5, train=8, valid=8, test=8, seed=seed) for seed in (3, 3, 4))
    for split in first.splits:
        np.testing.assert_array_equal(first.inputs(split), again.inputs(split))
        assert (first.targets(split) != other.targets(split)).any()
    assert (first.targets("train") != first.targets("test")).all()


@pytest.mark.parametrize("arguments, message", [
    ({"length": 1}, "length must be a whole number of at least 2"), ({"length": True}, "length must be"),
    ({"valid": 0}, "valid must be a whole number of at least 1")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        AddingProblem(**arguments)
