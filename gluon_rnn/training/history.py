"""What a run notes as it goes on: the rows of ``metrics.csv``, a picture of their losses, events for TensorBoard."""
from gluon_rnn.training import tensorboard
from gluon_rnn.training.loss_picture import LossPicture, has_dropout
from gluon_rnn.training.metrics_file import MetricsFile, fields

__all__ = ["History"]


class History:
    """Rows of metrics, one an evaluation, in as many forms as the recipe asks for.

    Parameters
    ----------
    path : Path
        The run's folder.
    task : gluon_rnn.tasks.task.Task
    step : int, default 0
        Updates made so far.
    text : str, optional
        What ``metrics.csv`` held at the checkpoint that the run goes on from; the file itself is not read then.

    Raises
    ------
    ValueError
        If ``metrics.csv`` is damaged; see `MetricsFile`.
    """

    def __init__(self, path, task, step=0, text=None):
        self._metrics, self._unit = MetricsFile(path / "metrics.csv", text), task.unit
        self._picture = self._events = None
        if task.config.training.report:
            self._picture = LossPicture(path / "loss.png", lambda: self.rows, label=task.loss_label,
                                        best=task.best_loss, with_dropout=has_dropout(task.config.model))
        if task.config.training.tensorboard:
            self._events = tensorboard.EventFile(path / "tensorboard", step)

    @property
    def rows(self):
        """List of dict, as in ``metrics.csv``."""
        return self._metrics.rows

    def note(self, position, totals, scores, learning_rate, param_norm):
        """Write a row on an evaluation, and return it.

        Parameters
        ----------
        position : gluon_rnn.training.position.Position
        totals : gluon_rnn.training.position.Totals
            Sums since the last row.
        scores : dict of str to float
            On the validation split, the loss first.
        learning_rate, param_norm : float
            Of the last update, and the norm of all parameters.
        """
        seconds, steps = max(totals.seconds, 1e-9), max(1, totals.steps)
        values = (position.epoch + (position.step_in_epoch > 0), position.step, totals.loss / max(1, totals.size),
                  *scores.values(), learning_rate, totals.norm / steps, param_norm, totals.clipped / steps,
                  totals.size / seconds, totals.steps / seconds, totals.seconds)
        row = dict(zip(fields(scores, self._unit), values))
        self._metrics.append(row)
        if self._events is not None:
            self._events.append(row)
        if self._picture is not None:
            self._picture.update()
        return row

    def keep(self, epochs):
        """Forget what came after the first `epochs` epochs, which a resumed run does again."""
        self._metrics.keep(epochs)

    def text(self):
        """Return what is in ``metrics.csv``."""
        return self._metrics.text()

    def close(self):
        """Write to disk what is still on its way there."""
        for file in (self._picture, self._events):
            if file is not None:
                file.close()
