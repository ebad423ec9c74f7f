"""loss.png: training and validation loss over epochs."""
import time

from gluon_rnn.files import whole
from gluon_rnn.report.record import flat

__all__ = ["LossPicture", "has_dropout", "loss_curve"]

#: least seconds between two pictures of a run: to draw one takes a fifth of a second, longer than many a small epoch
EVERY = 10.0


class LossPicture:
    """The picture of a run's losses, drawn anew at most every ten seconds and at the end.

    Parameters
    ----------
    path : Path
        Of the PNG.
    rows : callable
        Returns the rows of `MetricsFile.rows` whenever it is drawn.
    **words
        Further arguments of `loss_curve`.
    """

    def __init__(self, path, rows, **words):
        self.path, self.rows, self.words = path, rows, words
        self._drawn, self._behind = time.monotonic(), False

    def update(self):
        """Say that there is a new row."""
        self._behind = True
        if time.monotonic() - self._drawn >= EVERY:
            self.close()

    def close(self):
        """Draw what is not drawn yet."""
        if self._behind:
            loss_curve(self.rows(), path=self.path, **self.words)
            self._drawn, self._behind = time.monotonic(), False


def has_dropout(model):
    """Return whether any rate of dropout in the section `model` of a recipe, a `gluon_rnn.config.Model`, is above 0."""
    return any("drop" in key.rpartition(".")[2] and isinstance(value, (int, float)) and value > 0
               for key, value in flat(model.model_dump()).items())


def loss_curve(rows, label, best=None, path=None, with_dropout=False):
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
    with_dropout : bool
        Whether the legend says that training losses are those with dropout.

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
    training = "training (with dropout)" if with_dropout else "training"
    for field, name in (("train_loss", training), ("valid_loss", "validation")):
        axes.plot(epochs, [row[field] for row in rows], marker="." if len(rows) < 50 else None, label=name)
    if best is not None:
        axes.axhline(best, color="black", linewidth=0.8, linestyle="--", label="best possible")
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend()
    if path is not None:
        with whole(path) as partial:
            figure.savefig(partial, dpi=120)
    return figure
