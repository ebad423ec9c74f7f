"""Whether training came to something: scores that are numbers, and what to say where they are not."""
import math

__all__ = ["TrainingError", "check_finite", "check_learnt", "check_selected", "improves", "where_checkpoints_are"]

# Scores that every model that has learnt anything has as finite numbers. Others may overflow where a model is good
# otherwise: a free run that leaves the range, in one split.
_ALWAYS_FINITE = ("loss", "perplexity")

#: times the loss of untrained weights that no training which learns anything stays above: clipped steps that are far
#: too long lead to losses of 1e10, unlucky first batches are a few times the others
_BEYOND = 1000


class TrainingError(RuntimeError):
    """Training cannot go on, or came to nothing: its loss or the score that selects is no finite number, or huge."""


def check_finite(scores, when, path):
    """Raise `TrainingError` where the loss, or a perplexity, of `scores` is no finite number.

    Parameters
    ----------
    scores : dict of str to float
    when : str
        Such as "after step 12", for the message.
    path : Path
        Of the run.
    """
    for name in _ALWAYS_FINITE:
        if not math.isfinite(scores.get(name, 0.0)):
            raise TrainingError(f"training diverged: {name} is {scores[name]:g} {when}; lower "
                                f"training.optimizer.learning_rate; {where_checkpoints_are(path)}")


def check_selected(name, best, path):
    """Raise `TrainingError` where no validation gave the score that selects, `name`, a finite number as its `best`."""
    if best is not None and not math.isfinite(best):
        raise TrainingError(f"training diverged: {name} on the validation split was no finite number after any epoch; "
                            f"lower training.optimizer.learning_rate; {where_checkpoints_are(path)}")


def check_learnt(first_loss, rows, path):
    """Raise `TrainingError` where the training loss of every epoch is 1,000 or more, and 1,000 times the first step's.

    Losses are nats, or squares of standardised values: 1 is an ordinary one. A model that begins with a least-squares
    solution may have a first loss of 1e-15, which says nothing.

    Parameters
    ----------
    first_loss : float or None
        Of the first step, before its update; None of runs that did not note it, which are not judged.
    rows : list of dict
        Of ``metrics.csv``.
    path : Path
        Of the run.
    """
    if first_loss is None:
        return
    least = min(row["train_loss"] for row in rows)
    if least >= _BEYOND * max(1.0, first_loss):
        raise TrainingError(f"training diverged: the training loss was {least:.4g} in its best epoch and "
                            f"{first_loss:.4g} at the first step; lower training.optimizer.learning_rate; "
                            f"{where_checkpoints_are(path)}")


def improves(scores, selection, best):
    """Return whether `scores` are better than the `best` one so far, by `selection`, a name and "min" or "max"."""
    name, direction = selection
    if best is None or not math.isfinite(best):
        return best is None or math.isfinite(scores[name])
    return scores[name] < best if direction == "min" else scores[name] > best


def where_checkpoints_are(path):
    """Return the half of a sentence on the checkpoint that is there, if one is."""
    last = path / "last"
    return f"the last checkpoint is {last}" if last.exists() else "there is no checkpoint yet"
