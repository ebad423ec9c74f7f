"""metrics.csv: one row per epoch."""
import csv
import io
from pathlib import Path

from gluon_rnn.files import whole

__all__ = ["MetricsFile", "fields"]

_ADVICE = "restore it, or take it away: what it said of earlier epochs is lost then"
_NEEDED = {"epoch", "step", "train_loss", "seconds"}


def fields(scores, unit):
    """Return the columns of ``metrics.csv`` for a task with these validation `scores` and this `unit` of the loss."""
    return ("epoch", "step", "train_loss", *(f"valid_{name}" for name in scores), "learning_rate", "grad_norm",
            "param_norm", "clipped", f"{unit}s_per_second", "steps_per_second", "seconds")


class MetricsFile:
    """The rows of ``metrics.csv``: losses per unit of the task, and its scores; every row has the same columns.

    Parameters
    ----------
    path : Path
        Read where it is there already.
    text : str, optional
        What is in the file, or shall be: a checkpoint knows it. The file itself is not read then.

    Raises
    ------
    ValueError
        If a row is not all numbers, or has other columns than the first line; it names the file and the row.
    """

    def __init__(self, path, text=None):
        self.path = Path(path)
        if text is None:
            text = _read(self.path) if self.path.exists() else ""
        self.rows = _rows(self.path, text)

    def append(self, row):
        """Add one row; ValueError where it lacks a column that the others have."""
        missing = [field for field in (self.rows[0] if self.rows else ()) if field not in row]
        if missing:
            raise ValueError(f"{self.path} has the column {missing[0]!r}, which this evaluation does not give; leave "
                             "the section task as it was when the run began, or start a new run")
        self.rows.append({field: row[field] for field in (self.rows[0] if self.rows else row)})
        self._write()

    def keep(self, epochs):
        """Forget what came after the first `epochs` epochs, which a resumed run does again."""
        self.rows = [row for row in self.rows if row["epoch"] <= epochs]
        self._write()

    def text(self):
        """Return what is in the file."""
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, list(self.rows[0]) if self.rows else [])
        writer.writeheader()
        writer.writerows(self.rows)
        return file.getvalue()

    def _write(self):
        # The whole file each time: a few hundred short rows, and never half a row after a kill.
        with whole(self.path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
            file.write(self.text())


def _read(path):
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}; {_ADVICE}") from error


def _rows(path, text):
    found = []
    try:
        for row in csv.DictReader(io.StringIO(text, newline="")):
            found.append({key: _number(value) for key, value in row.items()})
    except (TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} row {len(found) + 1} below its first line is damaged ({error}); {_ADVICE}") from error
    if found and _NEEDED - set(found[0]):
        raise ValueError(f"{path} lacks the columns {', '.join(sorted(_NEEDED - set(found[0])))}; {_ADVICE}")
    return found


def _number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)
