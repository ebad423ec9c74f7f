"""The rows of metrics.csv as events for TensorBoard, by tensorboardX."""
from importlib.util import find_spec

from gluon_rnn.config import ConfigError

__all__ = ["EventFile", "check_installed"]

_INDEX = ("epoch", "step")      # columns that say where a row stands


def check_installed():
    """Raise ConfigError, which says what to install, where tensorboardX is missing."""
    if find_spec("tensorboardX") is None:
        raise ConfigError("training.tensorboard: true needs tensorboardX, which is not installed; pip install "
                          "'gluon_rnn[tensorboard]', or leave the key out")


class EventFile:
    """Writes each number of a row under the name of its column, at the row's step.

    Parameters
    ----------
    path : Path
        Folder of the events.
    step : int, default 0
        Updates made so far: a viewer hides what an earlier part of the run has written past it.
    """

    def __init__(self, path, step=0):
        from tensorboardX import SummaryWriter
        self._writer = SummaryWriter(str(path), purge_step=step + 1 if step else None, flush_secs=1)

    def append(self, row):
        """Write one row; it is on disk a second later, or after `close`."""
        for name, value in row.items():
            if name not in _INDEX:
                self._writer.add_scalar(name, value, row["step"])

    def close(self):
        """Write what is still on its way to disk."""
        self._writer.close()
