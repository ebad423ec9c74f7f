"""What an update works on."""
from dataclasses import dataclass

__all__ = ["Batch"]


@dataclass
class Batch:
    """What one update, or one step of an evaluation, works on.

    Attributes
    ----------
    arrays : tuple of NDArray
        On the CPU; the arguments of the task's loss graph.
    axes : tuple of int
        The batch axis of each array, 1 for (T, N, C), 0 for (N,).
    size : int
        Units (tokens, sequences, steps) that the summed loss covers.
    """

    arrays: tuple
    axes: tuple
    size: int

    @property
    def rows(self):
        """N, the length of the batch axis."""
        return self.arrays[0].shape[self.axes[0]]
