"""Training in one process, in the words of training in several."""
from gluon_rnn.config import ConfigError

__all__ = ["Alone", "checked_cluster"]


class Alone:
    """What the training loop asks of the processes that it shares its work with, where there are no others.

    Attributes
    ----------
    rank, workers : int
    leads : bool
        Whether this process writes the run and evaluates.
    sums_gradients : bool
        Whether gradients are those of all workers before the optimiser sees them.
    keeps_apart : bool
        Whether each worker makes updates of its own, which the servers add up.
    words : str
        What a description of the run ends with.
    """

    rank, workers, leads, sums_gradients, keeps_apart, words = 0, 1, True, False, False, ""

    def part(self, count):
        """Return (first, last + 1) of this worker's share of `count` rows."""
        return count * self.rank // self.workers, count * (self.rank + 1) // self.workers

    def share(self, batch):
        """Return this worker's part of a batch."""
        return batch

    def begin(self, parameters):
        """Take the parameters of worker 0, {name: Parameter}, and agree on their keys."""

    def begin_epoch(self):
        """Take the parameters of worker 0 again, where rounding may have moved them apart."""

    def stops(self, signals):
        """Return whether training ends here because of a signal."""
        return bool(signals.received)

    def from_leader(self, function):
        """Return what ``function()`` gives in the process that leads."""
        return function()

    def gather(self, value):
        """Return the values of all workers, by rank."""
        return [value]

    def total(self, numbers):
        """Return the sums of a list of numbers over all workers."""
        return numbers

    def close(self):
        """Leave the others: the work is done."""


def checked_cluster(cluster, settings):
    """Return the `cluster`, or `Alone` where it is None; ConfigError where the section `training` asks for others."""
    if cluster is None and settings.kvstore != "local":
        raise ConfigError(f"training.kvstore: {settings.kvstore} needs other processes; start them with gluon-rnn "
                          "launch, or choose local")
    return Alone() if cluster is None else cluster
