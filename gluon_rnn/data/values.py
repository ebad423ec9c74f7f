"""What all sets share whose sequences have K real numbers each: inputs, targets and the names of the targets."""
import numpy as np

from gluon_rnn.data.readers import SPLITS, of_split

__all__ = ["SequenceValues"]


class SequenceValues:
    """Base of the sets whose sequences have real numbers each; such a set is what the task ``regression`` trains on.

    Parameters
    ----------
    parts : dict of str to (list of rows, array)
        Of each split, what `reader` reads, and the targets (n, K), in the units of the data.
    target_names : list of K str
    reader : callable
        From a row to an input (T, C) float32; it has `model_arguments` and `to_json`.

    Attributes
    ----------
    splits : tuple of str
    target_names, reader
    """

    def __init__(self, parts, target_names, reader):
        self.splits = tuple(name for name in SPLITS if name in parts)
        self.target_names, self.reader = list(target_names), reader
        self._targets = {name: np.asarray(parts[name][1], dtype=np.float64) for name in self.splits}
        self._inputs = {name: [reader(row) for row in parts[name][0]] for name in self.splits}

    def _of(self, split, table):
        return of_split(table, split)

    def inputs(self, split):
        """Return the inputs of a split, a list of (T_i, C) float32 arrays."""
        return self._of(split, self._inputs)

    def targets(self, split):
        """Return the targets of a split, (n, K) float64, in the units of the data."""
        return self._of(split, self._targets)

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(self.inputs(split)):,}" for split in self.splits)
        return f"{sizes} sequences, targets {', '.join(self.target_names)}"

    def __repr__(self):
        return f"{type(self).__name__}({self.describe()})"
