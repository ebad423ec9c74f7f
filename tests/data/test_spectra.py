"""Augmented frames: identity where all is 0, each change alone against NumPy, ranges, messages."""
import doctest

import numpy as np
import pytest

from gluon_rnn.data import spectra
from gluon_rnn.data.spectra import SpectrumAugmentation

FRAMES = np.random.default_rng(0).normal(1, 0.1, size=(12, 8)).astype(np.float32)


def draws(count=200, **options):
    rng, augment = np.random.default_rng(1), SpectrumAugmentation(**options)
    return [augment(FRAMES, rng) for _ in range(count)]


def test_example():
    assert doctest.testmod(spectra).failed == 0


def test_nothing_asked_for_changes_nothing_and_the_original_stays():
    before = FRAMES.copy()
    assert all((drawn == FRAMES).all() and drawn.dtype == np.float32 for drawn in draws(3))
    draws(20, stretch=0.5, shift_bands=2, drop_bands=4, drop_frames=3)
    assert (before == FRAMES).all()


def test_one_seed_one_result():
    options = dict(stretch=0.2, shift_bands=2, drop_bands=3, drop_frames=3)
    first, second = (SpectrumAugmentation(**options)(FRAMES, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_stretching_keeps_the_ends_and_lies_between_neighbours():
    found = draws(stretch=0.5)
    assert {len(drawn) for drawn in found} == set(range(6, 19))
    for drawn in found:
        np.testing.assert_allclose(drawn[[0, -1]], FRAMES[[0, -1]], atol=1e-6)
        assert drawn.min() >= FRAMES.min() and drawn.max() <= FRAMES.max() and drawn.dtype == np.float32
    ramp = SpectrumAugmentation(stretch=0.5)(np.linspace(0, 1, 12, dtype=np.float32)[:, None], np.random.default_rng(2))
    np.testing.assert_allclose(ramp[:, 0], np.linspace(0, 1, len(ramp)), atol=1e-6)


def test_shifted_bands_are_bands():
    shifts = set()
    for drawn in draws(shift_bands=2):
        (shift,) = [k for k in range(-2, 3) if (drawn == FRAMES[:, np.clip(np.arange(8) - k, 0, 7)]).all()]
        shifts.add(shift)
    assert shifts == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("key, axis, largest", [("drop_bands", 0, 3), ("drop_frames", 1, 3)])
def test_dropped_blocks_are_neighbours_and_no_wider_than_asked(key, axis, largest):
    widths = set()
    for drawn in draws(**{key: largest}):
        gone = np.flatnonzero((drawn == 0).all(axis=axis))
        assert (drawn == 0).sum() == len(gone) * FRAMES.shape[axis] and len(gone) <= largest
        assert len(gone) == 0 or gone[-1] - gone[0] + 1 == len(gone)
        widths.add(len(gone))
    assert widths == set(range(largest + 1))


def test_never_more_than_a_third_of_the_frames():
    assert max((drawn == 0).all(axis=1).sum() for drawn in draws(drop_frames=100)) == 4
    one = SpectrumAugmentation(stretch=0.9, drop_frames=9)(FRAMES[:1], np.random.default_rng(0))
    assert len(one) >= 1 and (one == FRAMES[0]).all()


@pytest.mark.parametrize("options, message", [({"stretch": 1.0}, "stretch must be"),
                                              ({"drop_bands": -1}, "drop_bands must be a whole number"),
                                              ({"shift_bands": 0.5}, "shift_bands must be a whole number")])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        SpectrumAugmentation(**options)
