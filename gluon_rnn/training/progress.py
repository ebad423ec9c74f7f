"""Progress within an epoch, a bar in a terminal and else a line now and then; what is said after it and at the end."""
import logging
import sys
import time

from tqdm import tqdm

from gluon_rnn.training.evaluation import in_words

__all__ = ["Progress", "closing_lines", "epoch_line"]

_log = logging.getLogger("gluon_rnn")


class Progress:
    """Context manager around one epoch; call it once a step.

    Parameters
    ----------
    label : str
        For example "epoch 3/20".
    total, start : int
        Steps of the epoch, and those that were done before.
    interval : float
        Seconds between two lines where there is no terminal.
    """

    def __init__(self, label, total, start, interval):
        self._label, self._total, self._step, self._interval = label, total, start, interval
        self._next = time.monotonic() + interval
        self._bar = tqdm(total=total, initial=start, desc=label, unit="step", leave=False, file=sys.stderr,
                         disable=not (sys.stderr and sys.stderr.isatty()), dynamic_ncols=True)

    def __call__(self, loss, norm, rate):
        """Note one step."""
        self._step += 1
        if not self._bar.disable:
            self._bar.update()
            self._bar.set_postfix_str(f"loss {loss:.3f} norm {norm:.2f} lr {rate:.2g}", refresh=False)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._interval
            _log.info("%s step %d/%d loss %.4f lr %.3g grad norm %.3g", self._label, self._step, self._total, loss,
                      rate, norm)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()


def epoch_line(task, epochs, row, scores):
    """Return what is said of an epoch: a `row` of ``metrics.csv`` and the `scores` on validation data, in words."""
    train = task.in_words({"loss": row["train_loss"]})
    return (f"epoch {row['epoch']}/{epochs} step {row['step']}: train {train}, valid {task.in_words(scores)}, "
            f"lr {row['learning_rate']:.3g}, grad norm {row['grad_norm']:.3g} (param norm {row['param_norm']:.4g}), "
            f"{row[f'{task.unit}s_per_second']:.0f} {task.unit}s/s, {row['steps_per_second']:.2f} steps/s")


def closing_lines(task, position, report):
    """Return what is said at the end: the best epoch of a `Position`, scores beside baselines, the report's text."""
    selected = task.in_words({task.selection[0]: position.best})
    scores = in_words(task, report.split, report.scores)
    lines = [f"epoch {position.best_epoch} was best, by valid {selected}: {scores}"]
    lines += [f"    {name}: {task.in_words(scores)}" for name, scores in report.baselines.items()]
    return lines + ([report.text] if report.text else [])
