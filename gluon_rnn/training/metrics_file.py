"""metrics.csv: one row per epoch; and the picture of it."""
import csv
import os
from pathlib import Path

__all__ = ["MetricsFile", "fields", "loss_curve"]


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
    """

    def __init__(self, path):
        self.path = Path(path)
        self.rows = []
        if self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                self.rows = [{key: _number(text) for key, text in row.items()} for row in csv.DictReader(file)]

    def append(self, row):
        """Add one row."""
        self.rows.append({field: row[field] for field in (self.rows[0] if self.rows else row)})
        self._write()

    def keep(self, epochs):
        """Forget what came after the first `epochs` epochs, which a resumed run does again."""
        self.rows = [row for row in self.rows if row["epoch"] <= epochs]
        self._write()

    def _write(self):
        # The whole file each time: a few hundred short rows, and never half a row after a kill.
        partial = self.path.with_suffix(".partial")
        with open(partial, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]) if self.rows else [])
            writer.writeheader()
            writer.writerows(self.rows)
        os.replace(partial, self.path)


def _number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)


def loss_curve(rows, label, best=None, path=None):
    """Draw training and validation loss over epochs.

    Parameters
    ----------
    rows : list of dict
        As in `MetricsFile.rows`.
    label : str
        Of the loss's axis, such as "nats per word".
    best : float, optional
        The lowest loss that is possible, drawn as a line.
    path : Path, optional
        Where a PNG is written.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no pyplot: that would choose a backend for everyone
    from matplotlib.figure import Figure
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in rows]
    for field, name in (("train_loss", "training (with dropout)"), ("valid_loss", "validation")):
        axes.plot(epochs, [row[field] for row in rows], marker="." if len(rows) < 50 else None, label=name)
    if best is not None:
        axes.axhline(best, color="black", linewidth=0.8, linestyle="--", label="best possible")
    axes.set(xlabel="epoch", ylabel=label)
    axes.grid(alpha=0.3)
    axes.legend()
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
