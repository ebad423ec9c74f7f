"""The latching problem: the class stands in the first step and nowhere else, noise, seeds."""
import doctest

import numpy as np
import pytest

from gluon_rnn.data import Latching, latching


def test_example():
    assert doctest.testmod(latching).failed == 0


def test_the_first_step_says_the_class_and_nothing_else_does():
    data = Latching(length=9, noise=0.3, train=100, valid=10, test=20)
    for split, size in (("train", 100), ("valid", 10), ("test", 20)):
        steps, classes = np.array(data.inputs(split)), data.targets(split)
        assert steps.shape == (size, 9, 3) and np.bincount(classes).tolist() == [size / 2, size / 2]
        np.testing.assert_array_equal(steps[:, 0, :2], np.eye(2)[classes])
        assert not steps[:, 1:, :2].any() and not steps[:, :3, 2].any()
        noise = steps[:, 3:, 2]
        assert np.abs(noise).max() <= 0.3 and len(np.unique(noise)) == noise.size
    # the mean of 600 uniform numbers has a deviation of 0.3 / sqrt(3 * 600), and so has either class of 300
    noise, classes = np.array(data.inputs("train"))[:, 3:, 2], data.targets("train")
    for number in (0, 1):
        assert abs(noise[classes == number].mean()) < 5 * 0.3 / np.sqrt(3 * 300)


def test_seeds():
    first, again, other = (Latching(length=5, train=8, valid=8, test=8, seed=seed) for seed in (3, 3, 4))
    for split in first.splits:
        np.testing.assert_array_equal(first.inputs(split), again.inputs(split))
        assert (np.array(first.inputs(split)) != other.inputs(split)).any()


@pytest.mark.parametrize("arguments, words", [
    ({"length": 3}, "length must be a whole number of at least 4"), ({"length": 4.5}, "length must be a whole number"),
    ({"noise": -1}, "noise must be a number of at least 0, got -1"), ({"train": 0}, "train")])
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Latching(**arguments)
