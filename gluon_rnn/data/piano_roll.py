"""Piano rolls from MATLAB files, one matrix of frames and keys a piece, in three splits.

References
----------
Boulanger-Lewandowski, Bengio, Vincent (2012), Modeling temporal dependencies in high-dimensional sequences: the four
collections (JSB Chorales, Nottingham, MuseData, Piano-midi.de) that are passed around in this format.
Bai, Kolter, Koltun (2018), An empirical evaluation of generic convolutional and recurrent networks for sequence
modeling, section 4: the protocol.
"""
import pathlib

import numpy as np

from gluon_rnn.answers import piano_roll
from gluon_rnn.data.readers import of_split
from gluon_rnn.public_data import missing
from gluon_rnn.registry import datasets

__all__ = ["PianoRoll", "read_rolls", "transpose"]


@datasets.register("piano_roll")
class PianoRoll:
    """A ``.mat`` file with the cell arrays ``traindata``, ``validdata`` and ``testdata`` of (frames, keys) matrices.

    Parameters
    ----------
    path : str
        The file, of MATLAB version 4 to 7.2. `testdata` may be missing.

    Attributes
    ----------
    splits : tuple of str
    num_keys : int
        Keys of a frame.

    Raises
    ------
    ValueError
        If the file cannot be read, or a piece is no matrix of 0 and 1 with at least two frames; it names the file, the
        split and the piece.

    Notes
    -----
    A piece of T frames gives T - 1 predictions: frame t + 1 from frames 1 to t. The first frame is never predicted and
    so counts nowhere, as in Bai, Kolter and Koltun (2018), whose figures are means over all predicted frames of a
    split, long pieces weighing more than short ones.
    """

    def __init__(self, path: str):
        self._rolls = read_rolls(path)
        self.splits = tuple(self._rolls)
        self.num_keys = self._rolls["train"][0].shape[1]

    def rolls(self, split):
        """Return the pieces of a split, a list of (frames, keys) float32 arrays of 0 and 1."""
        return of_split(self._rolls, split)

    def __repr__(self):
        sizes = ", ".join(f"{split} {len(rolls)}" for split, rolls in self._rolls.items())
        return f"{type(self).__name__}(pieces: {sizes}; {self.num_keys} keys)"


def read_rolls(path):
    """Return {split: list of (frames, keys) float32 arrays} of a ``.mat`` file; ValueError as for `PianoRoll`."""
    if not pathlib.Path(path).expanduser().is_file():
        raise missing(path)
    return piano_roll.read_rolls(path)


def transpose(roll, semitones):
    """Return a (frames, keys) roll with all keys moved up by `semitones`, down where negative.

    A shift that would move a sounding key off the keyboard is limited to the largest possible one.

    >>> transpose(np.array([[1, 0, 0], [0, 1, 0]]), 5).tolist()
    [[0, 1, 0], [0, 0, 1]]
    """
    sounding = np.flatnonzero(roll.any(axis=0))
    if not len(sounding):
        return roll
    shift = int(np.clip(semitones, -sounding[0], roll.shape[1] - 1 - sounding[-1]))
    return np.roll(roll, shift, axis=1)
