"""What a trained model of piano rolls answers: how it plays on."""
import json
import pathlib
from dataclasses import dataclass

import mxnet as mx
import numpy as np

from gluon_rnn.data import read_rolls
from gluon_rnn.inference import streaming
from gluon_rnn.inference.piano_roll import continue_roll, draw_roll
from gluon_rnn.registry import suggest
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["FramesAssets", "FramesPredictor"]


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


class FramesPredictor(Predictor):
    """A frame predictor, and the number of keys of a frame."""

    assets_class = FramesAssets
    size_names = ("num_keys",)

    @classmethod
    def sizes(cls, assets):
        """Return the number of keys."""
        return {"num_keys": assets.num_keys}

    def predict(self, source=None, *, split="test", piece=1, given=32, length=64, temperature=1.0, seed=0,
                picture=None):
        """Return a piano roll and its continuation by the model, (given + length, keys) float32 of 0 and 1.

        Parameters
        ----------
        source : (frames, keys) array or path of a ``.mat`` file, optional
            What to play on from; the file of the run's own data by default.
        split, piece : str, int
            Which piece of a file, counted from 1.
        given : int, default 32
            So many frames of its beginning are given.
        length : int, default 64
            So many frames are played.
        temperature, seed
            As in `gluon_rnn.inference.piano_roll.continue_roll`.
        picture : str or Path, optional
            Where a PNG is written.
        """
        roll = _roll_of(self, source, split, piece)[:given]
        played = continue_roll(self.model, roll, length, temperature=temperature, seed=seed)
        whole = np.concatenate([roll, played])
        if picture is not None:
            draw_roll(whole, len(roll), picture)
        return whole

    def stream(self, frames):
        """Yield the probability (K,) float32 of each key in the next frame, after each of `frames` (K,) of 0 and 1."""
        pieces = ((mx.nd.array(np.asarray(frame)[None, None]),) for frame in frames)
        for logits in streaming.outputs(self.model, pieces):
            yield mx.nd.sigmoid(logits[0, 0]).asnumpy()

    def export_arguments(self):
        """Return an example of the model's inputs, frames (T, N, K)."""
        return {"example": mx.nd.random.uniform(shape=(8, 2, self.assets.num_keys)) > 0.9}

    def answer(self, item, folder, number=1):
        """Return the number of frames, and where the picture of them is; `item` is the path of a .mat file."""
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"continuation-{number}.png"
        roll = self.predict(item or None, picture=picture)
        return f"{len(roll)} frames: {picture}"


def _roll_of(run, source, split, piece):
    """Return the whole roll to play on from, (frames, keys)."""
    if source is not None and not isinstance(source, (str, pathlib.Path)):
        return np.asarray(source)
    rolls = read_rolls(source or run.config.data.arguments["path"])
    if split not in rolls:
        raise ValueError(f"no split {split!r} in this file; {suggest(split, list(rolls))}")
    if not 1 <= piece <= len(rolls[split]):
        raise ValueError(f"the {split} split has pieces 1 to {len(rolls[split])}, got piece {piece}")
    return rolls[split][piece - 1]
