"""Handwritten digits read pixel by pixel: 8 x 8 images, 64 steps of one grey value each.

The images are those that come with scikit-learn: 1,797 of the digits 0 to 9, grey values 0 to 16, the test part of the
"Optical recognition of handwritten digits" of the UCI repository.

References
----------
Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear units, section 4.2: 28 x
28 pixels of MNIST, row by row, and in one fixed random order.
"""
import numpy as np

from gluon_rnn.data.labelled import Examples, Labelled, stratified
from gluon_rnn.data.readers import SPLITS
from gluon_rnn.data.trajectories import TrajectoryReader
from gluon_rnn.registry import datasets

__all__ = ["PixelDigits", "read_digits"]


def read_digits():
    """Return the images (1797, 64), row by row, float64 from 0 to 16, and their digits (1797,), int.

    Raises
    ------
    ValueError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ValueError("the digits come with the library scikit-learn; install gluon_rnn[data]") from error
    return load_digits(return_X_y=True)


@datasets.register("pixel_digits")
class PixelDigits(Labelled):
    """Digits as sequences of 64 grey values, for the task ``classification``; see the module.

    Parameters
    ----------
    split : 3 fractions, default (0.7, 0.1, 0.2)
        Train, valid and test; images are divided at random, digit by digit.
    split_seed : int, default 0
        Of the division, and of the order of pixels; other random generators neither change it nor are changed.
    permuted : bool, default False
        Whether the pixels come in one random order, the same for all images, in place of row by row.

    Notes
    -----
    Grey values are standardised by the training split.

    Examples
    --------
    >>> data = PixelDigits()
    >>> [len(data.items(split)) for split in data.splits], data.inputs("train")[0].shape, data.labels[:3]
    ([1258, 180, 359], (64, 1), ['0', '1', '2'])
    """

    example_arguments = {"input_size": 0}

    def __init__(self, split=(0.7, 0.1, 0.2), split_seed: int = 0, permuted=False):
        split = tuple(split)
        if len(split) != 3 or not all(0 < part < 1 for part in split) or sum(split) > 1 + 1e-9:
            raise ValueError(f"split must be three fractions above 0 with a sum of at most 1, got {split}")
        images, digits = read_digits()
        if permuted:
            images = images[:, np.random.default_rng(split_seed).permutation(images.shape[1])]
        labels = [str(digit) for digit in digits]
        parts = {name: Examples([tuple(images[row].tolist()) for row in rows], [labels[row] for row in rows])
                 for name, rows in zip(SPLITS, stratified(labels, split, split_seed))}
        grey = np.array(parts["train"].items)
        super().__init__(parts, TrajectoryReader(1, [float(grey.mean())], [float(grey.std())]))
