"""Digits pixel by pixel: the images of scikit-learn, each once, and what standardising makes of them."""
import doctest

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gluon_rnn.data import PixelDigits, digits
from gluon_rnn.registry import datasets


@pytest.fixture(scope="module")
def data():
    return PixelDigits()


def test_example_and_name():
    assert doctest.testmod(digits).failed == 0
    assert datasets.get("pixel_digits") is PixelDigits


def test_every_image_is_in_one_split_under_its_digit(data):
    bunch = load_digits()
    expected = sorted((tuple(image.ravel()), str(digit)) for image, digit in zip(bunch.images, bunch.target))
    found = [(item, data.labels[label]) for split in data.splits
             for item, label in zip(data.items(split), data.targets(split))]
    assert sorted(found) == expected


def test_splits_have_the_proportions_of_the_digits(data):
    whole = np.bincount(load_digits().target)
    for split, share in zip(data.splits, (0.7, 0.1, 0.2)):
        assert abs(np.bincount(data.targets(split)) - share * whole).max() <= 1


def test_grey_values_are_standardised_by_the_training_split(data):
    train = np.stack(data.inputs("train")).astype(np.float64)
    assert abs(train.mean()) < 1e-6 and train.std() == pytest.approx(1, abs=1e-6)             # float32 inputs
    pixels = np.array(data.items("test")[3])
    scaled = data.inputs("test")[3][:, 0]
    np.testing.assert_allclose(np.corrcoef(pixels, scaled)[0, 1], 1, rtol=1e-6)


def test_permuted_pixels_are_the_same_ones_in_one_order(data):
    permuted, again, other = (PixelDigits(split_seed=seed, permuted=True) for seed in (0, 0, 1))
    assert permuted.items("train") == again.items("train") != other.items("train")
    order = np.random.default_rng(0).permutation(64)
    for split in data.splits:
        np.testing.assert_array_equal(np.array(data.items(split))[:, order], permuted.items(split))


@pytest.mark.parametrize("split", [(0.5, 0.5), (0.8, 0.2, 0.2), (1.0, 0.0, 0.0)])
def test_wrong_split(split):
    with pytest.raises(ValueError, match="split must be three fractions above 0"):
        PixelDigits(split)
