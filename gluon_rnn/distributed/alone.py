"""Training in one process, in the words of training in several."""

__all__ = ["Alone"]


class Alone:
    """What the training loop asks of the processes that it shares its work with, where there are no others.

    Attributes
    ----------
    rank, workers : int
    leads : bool
        Whether this process writes the run and evaluates.
    sums_gradients : bool
        Whether gradients are those of all workers before the optimiser sees them.
    """

    rank, workers, leads, sums_gradients, keeps_apart = 0, 1, True, False, False

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
