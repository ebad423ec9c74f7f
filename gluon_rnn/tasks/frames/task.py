"""The task "frames": the next frame of piano rolls, its negative log-likelihood, and what trivial methods reach."""
import itertools
import json
import pathlib
from dataclasses import dataclass

import mxnet as mx
import numpy as np
from mxnet import gluon
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import parts
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Buckets, pad, read_rolls, transpose
from gluon_rnn.data.batching import Batch
from gluon_rnn.inference import streaming
from gluon_rnn.inference.piano_roll import continue_roll, draw_roll
from gluon_rnn.models import frame_loss
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.task import Report, Task

__all__ = ["FramesTask", "flip_rates", "key_frequencies"]


class FramesData(configuration.Data):
    """How pieces are put into batches."""

    transpose: int = Field(0, ge=0, le=11)               # semitones up or down, drawn for each piece and epoch
    num_buckets: int = Field(10, ge=1)


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


class FrameLossGraph(gluon.HybridBlock):
    """A frame predictor and its loss in one graph.

    Inputs/Outputs
    --------------
    frames, target (T, N, K), valid_length (N,) -> summed negative log-likelihood of the frames in nats, shape (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, frames, target, valid_length):
        logits = self.model(frames, None, valid_length)                   # (T, N, K)
        return F.sum(frame_loss(F, logits, target, valid_length))


@tasks.register("frames")
class FramesTask(Task):
    """Prediction of the next frame of a piano roll, over whole pieces.

    The loss is the mean over all predicted frames of a split, in nats: frames 2 to T of each piece (see
    `gluon_rnn.data.PianoRoll`), the measure of Bai, Kolter and Koltun (2018). The score ``loss_by_piece`` is the mean
    over pieces of each piece's own mean.
    """

    default_model = "frame_predictor"
    data_section = FramesData
    assets_class = FramesAssets
    unit = "frame"

    def __init__(self, config):
        super().__init__(config)
        self.data = parts.build_part("data", datasets, config.data)
        if not hasattr(self.data, "rolls"):
            raise ConfigError(f"data.name: the task 'frames' needs piano rolls, and {config.data.name!r} has none; "
                              "use piano_roll")
        self.assets = FramesAssets(self.data.num_keys)
        self.model = self.build_model(config.model, self.assets)
        self.graph = FrameLossGraph(self.model)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        cls.build_model(config.model, FramesAssets(2))

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section, not initialised."""
        return parts.build_model(section, num_keys=assets.num_keys)

    @property
    def loss_label(self):
        """Nats per frame."""
        return "nats per frame"

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(rolls):,} pieces of {sum(len(roll) - 1 for roll in rolls):,} predicted frames"
                          for split, rolls in ((split, self.data.rolls(split)) for split in self.data.splits))
        return f"{self.config.data.name}: {sizes}; {self.data.num_keys} keys"

    # ---- batches and scores ------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`; each piece transposed by its own draw where the recipe says so."""
        section, rolls = self.config.data, self.data.rolls("train")
        if section.transpose:
            random = np.random.default_rng([self.config.seed, epoch])
            shifts = random.integers(-section.transpose, section.transpose + 1, size=len(rolls))
            rolls = [transpose(roll, shift) for roll, shift in zip(rolls, shifts)]
        return Pieces(rolls, section.batch_size, section.num_buckets, [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split for evaluation."""
        section = self.config.data
        return Pieces(self.data.rolls(split), section.eval_batch_size, section.num_buckets)

    def evaluate(self, split, limit=None):
        """Return the negative log-likelihood per frame, the same by piece, and the accuracy of Bay et al. (2009)."""
        device = self.graph.collect_params().list_ctx()[0]
        losses, counts = [], np.zeros(2)
        for batch in itertools.islice(self.eval_batches(split), limit):
            frames, target, valid_length = (array.as_in_context(device) for array in batch.arrays)
            logits = self.model(frames, None, valid_length)
            by_frame = frame_loss(mx.nd, logits, target, valid_length).asnumpy().astype("float64")    # (T, N)
            losses += [by_frame[:int(length), row] for row, length in enumerate(valid_length.asnumpy())]
            played, sounding = logits.asnumpy() > 0, target.asnumpy() > 0            # logits are 0 on padding
            counts += (played & sounding).sum(), (played | sounding).sum()
        return {"loss": float(np.concatenate(losses).mean()),
                "loss_by_piece": float(np.mean([piece.mean() for piece in losses])),
                "accuracy": float(counts[0] / max(counts[1], 1))}

    def report(self, path, limit=None):
        """Evaluate beside trivial methods, and draw ``continuation.png``: how the model plays a piece on."""
        split = self.final_split
        train, pieces = self.data.rolls("train"), self.data.rolls(split)
        baselines = {"key frequencies": {"loss": _mean_loss(key_frequencies(train), pieces)},
                     "last frame with flip rates": {"loss": _mean_loss(flip_rates(train), pieces)}}
        given = pieces[0][:max(1, len(pieces[0]) // 2)]
        played = continue_roll(self.model, given, len(given), seed=self.config.seed,
                               ctx=self.graph.collect_params().list_ctx()[0])
        draw_roll(np.concatenate([given, played]), len(given), path / "continuation.png")
        return Report(split, self.evaluate(split, limit), baselines)

    # ---- use ---------------------------------------------------------------------------------------------------------

    @staticmethod
    def predict(run, source=None, *, split="test", piece=1, given=32, length=64, temperature=1.0, seed=0, picture=None):
        """Return a piano roll and its continuation by the model, (given + length, keys) float32 of 0 and 1.

        Parameters
        ----------
        run : gluon_rnn.runs.Run
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
        roll = _roll_of(run, source, split, piece)[:given]
        played = continue_roll(run.model, roll, length, temperature=temperature, seed=seed)
        whole = np.concatenate([roll, played])
        if picture is not None:
            draw_roll(whole, len(roll), picture)
        return whole

    @staticmethod
    def stream(run, frames):
        """Yield the probability (K,) float32 of each key in the next frame, after each of `frames` (K,) of 0 and 1."""
        pieces = ((mx.nd.array(np.asarray(frame)[None, None]),) for frame in frames)
        for logits in streaming.outputs(run.model, pieces):
            yield mx.nd.sigmoid(logits[0, 0]).asnumpy()

    @staticmethod
    def export_arguments(run):
        """Return an example of the model's inputs, frames (T, N, K)."""
        return {"example": mx.nd.random.uniform(shape=(8, 2, run.assets.num_keys)) > 0.9}


class Pieces:
    """Whole pieces as `Batch`es: frames 1 to T - 1 and, as the target, 2 to T, padded, with the number of predictions.

    Parameters
    ----------
    rolls : list of (frames, keys) arrays
    batch_size, num_buckets, seed
        As in `gluon_rnn.data.Buckets`.
    """

    def __init__(self, rolls, batch_size, num_buckets, seed=None):
        self._rolls = rolls
        self._buckets = Buckets([len(roll) - 1 for roll in rolls], batch_size, num_buckets, seed=seed)

    def __len__(self):
        return len(self._buckets)

    def __iter__(self):
        for indices in self._buckets:
            frames, valid_length = pad([self._rolls[index][:-1] for index in indices])
            target, _ = pad([self._rolls[index][1:] for index in indices])
            yield Batch((mx.nd.array(frames), mx.nd.array(target), mx.nd.array(valid_length)), (1, 1, 0),
                        int(valid_length.sum()))


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


def key_frequencies(rolls):
    """Return a predictor ``probabilities(roll)`` of each key's share of the frames of `rolls`, whatever came before.

    Keys that never sound get half a frame, so that no probability is 0 or 1 (Krichevsky and Trofimov 1981).
    """
    frames = np.concatenate([roll[1:] for roll in rolls])
    shares = (frames.sum(axis=0) + 0.5) / (len(frames) + 1)
    return lambda roll: np.broadcast_to(shares, roll[:-1].shape)


def flip_rates(rolls):
    """Return a predictor that repeats the last frame, each key changing at the rate learnt for it, on and off apart."""
    before, after = (np.concatenate([roll[part] for roll in rolls]) for part in (slice(None, -1), slice(1, None)))
    counts = [((before == state) * after).sum(axis=0) + 0.5 for state in (0, 1)]
    off, on = (count / ((before == state).sum(axis=0) + 1) for state, count in enumerate(counts))
    return lambda roll: np.where(roll[:-1] > 0, on, off)


def _mean_loss(predictor, rolls):
    """Return the negative log-likelihood of a predictor on `rolls`, nats per predicted frame."""
    losses = []
    for roll in rolls:
        probability = np.where(roll[1:] > 0, predictor(roll), 1 - predictor(roll))
        losses.append(-np.log(probability).sum(axis=1))
    return float(np.concatenate(losses).mean())
