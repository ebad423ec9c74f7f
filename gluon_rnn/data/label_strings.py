"""Base of data sets whose sequences have a string of labels each: inputs, targets, and the strings of an epoch."""
from dataclasses import dataclass
from typing import Callable

import numpy as np

from gluon_rnn.data.readers import of_split
from gluon_rnn.nn.ctc import shortest_path

__all__ = ["LabelStrings", "Strings"]


@dataclass
class Strings:
    """Sequences with a label string each, whose inputs are read when they are asked for.

    Attributes
    ----------
    targets : list of (L_i,) int32 arrays
        Positions in the names of the labels.
    lengths : list of int
        Steps of each input, before augmentation.
    read : callable
        ``read(row, random)`` returns the input (T_i, C) float32 of a row; `random` is a `numpy.random.Generator` for
        augmentation, or None.
    """

    targets: list
    lengths: list
    read: Callable

    def __post_init__(self):
        for row, (labels, steps) in enumerate(zip(self.targets, self.lengths)):
            if shortest_path(labels.tolist()) > steps:
                raise ValueError(f"string {row + 1} has {len(labels)} labels in {steps} steps, and CTC needs a step a "
                                 "label and one between two equal ones; take a shorter hop, or longer recordings")

    def __len__(self):
        return len(self.targets)


class LabelStrings:
    """Base of the sets whose sequences have a string of labels each; such a set is what the task ``ctc`` trains on.

    Parameters
    ----------
    parts : dict of str to (list of str, Strings)
        Of each split, what a user would call each sequence, and the sequences.
    labels : list of str
        Names of the labels.
    reader : callable
        From what a user has (the path of a .wav file) to an input (T, C); it has `model_arguments` and `to_json`.

    Attributes
    ----------
    splits : tuple of str
    labels, reader
    """

    def __init__(self, parts, labels, reader):
        self.splits, self.labels, self.reader = tuple(parts), list(labels), reader
        self._parts = parts
        self._inputs = {}

    def _of(self, split):
        return of_split(self._parts, split)

    def items(self, split):
        """Return what each sequence of a split is called, a list of str."""
        return self._of(split)[0]

    def targets(self, split):
        """Return the label strings of a split, a list of (L_i,) int32 arrays."""
        return self._of(split)[1].targets

    def inputs(self, split):
        """Return the inputs of a split, a list of (T_i, C) float32 arrays; made once, when they are first asked for."""
        if split not in self._inputs:
            strings = self._of(split)[1]
            self._inputs[split] = [strings.read(row, None) for row in range(len(strings))]
        return self._inputs[split]

    def drawn(self, seed):
        """Return the `Strings` of one epoch of training, those of "train" unless a data set draws new ones."""
        return self._of("train")[1]

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(self.targets(split)):,}" for split in self.splits)
        length = np.mean([len(labels) for labels in self.targets("train")])
        return f"{sizes} strings of {len(self.labels)} labels, {length:.1f} labels a string"

    def __repr__(self):
        return f"{type(self).__name__}({self.describe()})"
