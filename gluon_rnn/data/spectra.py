"""Augmentation of frames of log-mel energies in each epoch: stretching, shifting, masking of bands and frames.

References
----------
Jaitly & Hinton (2013), Vocal Tract Length Perturbation improves speech recognition: other voices by shifting bands.
Park et al. (2019), SpecAugment: a simple data augmentation method for automatic speech recognition: leaving out bands
and frames.
"""
import numpy as np

__all__ = ["SpectrumAugmentation"]


class SpectrumAugmentation:
    """Callable that transforms frames (T, C) at random; masked values are 0, the mean of standardised features.

    Parameters
    ----------
    stretch : float in [0, 1), default 0
        Duration is multiplied by a number between 1 - stretch and 1 + stretch.
    shift_bands : int, >= 0, default 0
        Bands are moved up or down by at most so many; the outermost one fills the gap.
    drop_bands : int, >= 0, default 0
        A block of at most so many neighbouring bands is left out.
    drop_frames : int, >= 0, default 0
        A block of at most so many neighbouring frames is left out, and never more than a third of them.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> frames = np.arange(12, dtype=np.float32).reshape(4, 3)
    >>> SpectrumAugmentation(stretch=0.5)(frames, np.random.default_rng(0)).shape
    (5, 3)
    """

    def __init__(self, *, stretch=0.0, shift_bands=0, drop_bands=0, drop_frames=0):
        if not 0 <= stretch < 1:
            raise ValueError(f"stretch must be at least 0 and below 1, got {stretch!r}")
        for name, value in (("shift_bands", shift_bands), ("drop_bands", drop_bands), ("drop_frames", drop_frames)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
        self.stretch, self.shift_bands = stretch, shift_bands
        self.drop_bands, self.drop_frames = drop_bands, drop_frames

    def __call__(self, frames, rng):
        frames = _stretched(frames, 1 + self.stretch * rng.uniform(-1, 1))
        shift = int(rng.integers(-self.shift_bands, self.shift_bands + 1))
        bands = np.clip(np.arange(frames.shape[1]) - shift, 0, frames.shape[1] - 1)
        frames = np.ascontiguousarray(frames[:, bands])                    # a copy: blocks are written into it
        frames[:, _block(rng, self.drop_bands, frames.shape[1])] = 0
        frames[_block(rng, min(self.drop_frames, len(frames) // 3), len(frames))] = 0
        return frames


def _stretched(frames, factor):
    """Return frames (T, C) at round(factor * T) places between the first and the last, by linear interpolation."""
    size = max(1, round(factor * len(frames)))
    places = np.linspace(0, len(frames) - 1, size)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, len(frames) - 1)
    share = (places - below)[:, None].astype(frames.dtype)
    return (1 - share) * frames[below] + share * frames[above]


def _block(rng, largest, size):
    """Return a slice of 0 to `largest` neighbours among `size`."""
    width = int(rng.integers(0, min(largest, size) + 1))
    start = int(rng.integers(0, size - width + 1))
    return slice(start, start + width)
