"""What a run on piano rolls leaves behind: scores beside those of trivial methods, and a piece played on."""
import numpy as np

from gluon_rnn.inference.piano_roll import continue_roll, draw_roll
from gluon_rnn.metrics.baselines.frames import flip_rates, key_frequencies, mean_loss
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report"]


def report(task, path, limit=None):
    """Evaluate the model of a task on its final split, and draw ``continuation.png``."""
    split = task.final_split
    train, pieces = task.data.rolls("train"), task.data.rolls(split)
    baselines = {"key frequencies": {"loss": mean_loss(key_frequencies(train), pieces)},
                 "last frame with flip rates": {"loss": mean_loss(flip_rates(train), pieces)}}
    given = pieces[0][:max(1, len(pieces[0]) // 2)]
    played = continue_roll(task.model, given, len(given), seed=task.config.seed, ctx=task.device)
    draw_roll(np.concatenate([given, played]), len(given), path / "continuation.png")
    picture = Exhibit("continuation.png", "A piece played on", f"Piano roll: the first {len(given)} frames of a piece "
                      f"of the {split} split, and behind a line as many frames that the model played on.")
    return Report(split, task.evaluate(split, limit), baselines, files=[picture])
