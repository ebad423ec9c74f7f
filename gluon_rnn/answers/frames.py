"""Answers of a frame predictor: how a piano roll goes on."""
import json
import pathlib
from dataclasses import dataclass

import numpy as np

from gluon_rnn.answers import streaming
from gluon_rnn.answers.arithmetic import sigmoid
from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.piano_roll import continue_roll, draw_roll, read_rolls
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.registry import suggest

__all__ = ["FramesAssets", "FramesPipeline"]


@dataclass
class FramesAssets:
    """Number of keys of a frame."""

    num_keys: int

    def texts(self):
        """Return the one file."""
        return {"frames.json": json.dumps({"num_keys": self.num_keys})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(**json.loads(read("frames.json")))


class FramesPipeline(Pipeline):
    """A frame predictor, and the number of keys of a frame.

    The network "model" takes frames (T, N, K) of 0 and 1, and its outputs are logits (T, N, K) of the frames after
    them. The option "path" is the ``.mat`` file that is played on from where none is given.
    """

    task = "frames"
    assets_class = FramesAssets
    option_names = ("path",)
    #: what reads a .mat file
    read = staticmethod(read_rolls)

    def predict(self, source=None, *, split="test", piece=1, given=32, length=64, temperature=1.0, seed=0,
                picture=None):
        """Return a piano roll and its continuation by the model, (given + length, keys) float32 of 0 and 1.

        Parameters
        ----------
        source : (frames, keys) array or path of a ``.mat`` file, optional
            What to play on from; the file of the run's own data by default.
        split, piece : str, int
            Which piece of a file, counted from 1.
        given : int, >= 1, default 32
            So many frames of its beginning are given.
        length : int, default 64
            So many frames are played.
        temperature, seed
            As in `gluon_rnn.answers.piano_roll.continue_roll`.
        picture : str or Path, optional
            Where a PNG is written.

        Raises
        ------
        ValueError
            If there is no source, or it has other keys or no such piece, or an option is out of range.
        """
        check_sizes(given=given)
        model = streaming.require_one(self.models)
        roll = self._roll_of(source, split, piece)[:given]
        played = continue_roll(model, roll, length, self.assets.num_keys, temperature=temperature, seed=seed)
        whole = np.concatenate([roll, played])
        if picture is not None:
            draw_roll(whole, len(roll), picture)
        return whole

    def _roll_of(self, source, split, piece):
        """Return the whole roll to play on from, (frames, keys)."""
        source = self.options.get("path") if source is None else source
        if source is None:
            raise ValueError("expected what to play on from, got nothing; pass a roll (frames, keys) of 0 and 1, or "
                             "the path of a .mat file")
        if not isinstance(source, (str, pathlib.Path)):
            return _of_zeros_and_ones(source)
        rolls = self.read(source)
        if split not in rolls:
            raise ValueError(f"no split {split!r} in this file; {suggest(split, list(rolls))}")
        if not 1 <= piece <= len(rolls[split]):
            raise ValueError(f"the {split} split has pieces 1 to {len(rolls[split])}, got piece {piece}")
        return rolls[split][piece - 1]

    def stream(self, frames):
        """Yield the probability (K,) float32 of each key in the next frame, after each of `frames` (K,) of 0 and 1.

        ValueError for a frame of other keys or other values.
        """
        model = streaming.require_one(self.models)
        pieces = ((self._frame(frame)[None, None],) for frame in frames)
        for logits in streaming.outputs(model, pieces):
            yield sigmoid(logits[0, 0])

    def _frame(self, values):
        """Return one frame (K,) of a stream."""
        frame = _of_zeros_and_ones(values)
        if frame.shape != (self.assets.num_keys,):
            raise ValueError(f"expected a frame ({self.assets.num_keys},), got the shape {frame.shape}; pass the "
                             "frames one by one")
        return frame

    def answer(self, item, folder=None, number=1):
        """Return the number of frames, and where the picture of them is; `item` is the path of a .mat file."""
        if folder is None:
            return f"{len(self.predict(item or None))} frames"
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"continuation-{number}.png"
        roll = self.predict(item or None, picture=picture)
        return f"{len(roll)} frames: {picture}"


def _of_zeros_and_ones(values):
    """Return frames as float32; ValueError for one that says how hard a key is struck, or NaN."""
    frames = np.asarray(values, dtype=np.float32)
    wrong = ~np.isin(frames, (0, 1))
    if wrong.any():
        raise ValueError(f"expected frames of 0 and 1, got {frames[wrong][0]}; write 1 where a key sounds")
    return frames
