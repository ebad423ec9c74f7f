"""The task "frames": the next frame of piano rolls, and its negative log-likelihood."""
import itertools
from typing import Optional

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import pad, transpose
from gluon_rnn.data.batching import Batch, BucketedBatches
from gluon_rnn.models import frame_loss
from gluon_rnn.parts import build_data
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.frames.loss import FrameLoss, TruncatedFrameLoss
from gluon_rnn.tasks.frames.predictor import FramesAssets, FramesPredictor
from gluon_rnn.tasks.frames.report import report
from gluon_rnn.tasks.task import Task

__all__ = ["FramesTask"]

# Those of a piano, which all public sets have; sets of other keys are read as well.
_USUAL_KEYS = 88


class FramesData(configuration.Data):
    """How pieces are put into batches."""

    transpose: int = Field(0, ge=0, le=11)               # semitones up or down, drawn for each piece and epoch
    num_buckets: int = Field(10, ge=1)
    bptt: Optional[int] = Field(None, ge=1)              # frames that a gradient goes back through; default: all


@tasks.register("frames")
class FramesTask(Task):
    """Prediction of the next frame of a piano roll, over whole pieces.

    The loss is the mean over all predicted frames of a split, in nats: frames 2 to T of each piece (see
    `gluon_rnn.data.PianoRoll`), the measure of Bai, Kolter and Koltun (2018). The score ``loss_by_piece`` is the mean
    over pieces of each piece's own mean. Data that know what may come next (`gluon_rnn.data.Reber`) give ``solved``,
    the share of pieces in which all that may come has larger outputs, at every place, than anything that may not.
    """

    default_model = "frame_predictor"
    predictor_class = FramesPredictor
    data_section = FramesData
    unit = "frame"

    def __init__(self, config):
        super().__init__(config)
        self.data = build_data(config.data)
        if not hasattr(self.data, "rolls"):
            raise ConfigError(f"data.name: the task 'frames' needs piano rolls, and {config.data.name!r} has none; "
                              "use piano_roll")
        self.assets = FramesAssets(self.data.num_keys)
        self.model = self.build_model()
        bptt = config.data.bptt
        self.graph = FrameLoss(self.model) if bptt is None else TruncatedFrameLoss(self.model, bptt)

    @classmethod
    def example_sizes(cls, config):
        """Return the number of keys of a piano."""
        return {"num_keys": _USUAL_KEYS}

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
        return self._batches(rolls, section.batch_size, [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split for evaluation."""
        return self._batches(self.data.rolls(split), self.config.data.eval_batch_size)

    def _batches(self, rolls, batch_size, seed=None):
        return BucketedBatches([len(roll) - 1 for roll in rolls],
                               lambda rows, number, random: _collate([rolls[row] for row in rows]),
                               batch_size, self.config.data.num_buckets, order_seed=seed)

    def evaluate(self, split, limit=None):
        """Return the negative log-likelihood per frame, the same by piece, and the accuracy of Bay et al. (2009)."""
        losses, counts, solved, batches = [], np.zeros(2), [], self.eval_batches(split)
        for indices, batch in itertools.islice(zip(batches.groups, batches), limit):
            frames, target, valid_length = (array.as_in_context(self.device) for array in batch.arrays)
            logits = self.model(frames, None, valid_length)
            by_frame = frame_loss(mx.nd, logits, target, valid_length).asnumpy().astype("float64")    # (T, N)
            losses += [by_frame[:int(length), row] for row, length in enumerate(valid_length.asnumpy())]
            played, sounding = logits.asnumpy() > 0, target.asnumpy() > 0            # logits are 0 on padding
            counts += (played & sounding).sum(), (played | sounding).sum()
            solved += self._solved(split, indices, logits.asnumpy())
        return {"loss": float(np.concatenate(losses).mean()),
                "loss_by_piece": float(np.mean([piece.mean() for piece in losses])),
                "accuracy": float(counts[0] / max(counts[1], 1)),
                **({"solved": float(np.mean(solved))} if solved else {})}

    def _solved(self, split, indices, logits):
        """Return for each row of a batch whether what may come next is always what is most active; [] if unknown."""
        if not hasattr(self.data, "possible"):
            return []
        sets = [self.data.possible(split)[index] for index in indices]
        return [bool((np.where(may, rows, np.inf).min(axis=1) > np.where(may, -np.inf, rows).max(axis=1)).all())
                for may, rows in ((may, logits[:len(may), row]) for row, may in enumerate(sets))]

    def report(self, path, limit=None):
        """Evaluate beside trivial methods, and draw ``continuation.png``: how the model plays a piece on."""
        return report(self, path, limit)


def _collate(rolls):
    """Return a `Batch` of frames 1 to T - 1 and, as the target, 2 to T, padded, with the number of predictions."""
    frames, valid_length = pad([roll[:-1] for roll in rolls])
    target, _ = pad([roll[1:] for roll in rolls])
    return Batch((mx.nd.array(frames), mx.nd.array(target), mx.nd.array(valid_length)), (1, 1, 0),
                 int(valid_length.sum()))
