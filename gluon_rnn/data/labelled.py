"""Base of labelled data sets: examples by split, class names, seeded stratified splits, duplicates."""
from collections import Counter
from itertools import combinations

import numpy as np

from gluon_rnn.data.class_names import class_names
from gluon_rnn.data.readers import SPLITS, of_split
from gluon_rnn.registry import suggest

__all__ = ["Examples", "Labelled", "carve", "count_across", "remove_duplicates", "stratified"]


class Examples:
    """Items and the class name of each, two lists of one length; `item` is what a user passes to `predict`.

    `source` is the file that they are from, for messages; empty where there is none.
    """

    def __init__(self, items=(), labels=(), source=""):
        self.items, self.labels, self.source = list(items), list(labels), str(source)

    def __len__(self):
        return len(self.items)

    def take(self, indices):
        """Return the examples at `indices`."""
        return Examples([self.items[index] for index in indices], [self.labels[index] for index in indices],
                        self.source)

    def pairs(self, key):
        """Return (key(item), label) of each example; equal pairs are duplicates."""
        return list(zip(map(key, self.items), self.labels))


class Labelled:
    """Base of the labelled sets: examples by split, read into arrays by a `reader`.

    Parameters
    ----------
    parts : dict of str to Examples
        "train" and, where they are there, "valid" and "test".
    reader : callable
        From an item to its array: (T,) int32 token ids or (T, C) float32 features. It also has `model_arguments` (what
        a model needs to know of its input, a dict) and `to_json`.
    notes : list of str
        What `describe` adds, such as the number of duplicates.
    labels : list of str, optional
        Class names; by default those of the training split in alphabetical order.

    Attributes
    ----------
    splits : tuple of str
    labels : list of str
        Class names; a target is a position in it.
    reader
    """

    #: what a model may be told of its input before any data are read: the shape of `reader.model_arguments`
    example_arguments = {}
    #: whether labels are answers, of which there must be two; where they are conditions, one will do
    labels_are_answers = True

    def __init__(self, parts, reader, notes=(), labels=None):
        self.splits = tuple(name for name in SPLITS if len(parts.get(name, ())))
        if labels is None:
            train = parts["train"]
            labels = class_names(train.labels, train.source) if self.labels_are_answers else sorted(set(train.labels))
        self.labels = list(labels)
        self.reader, self._parts, self._notes = reader, parts, list(notes)
        self._inputs = {name: [self._read(item) for item in parts[name].items] for name in self.splits}
        self._targets = {name: self._numbers(name) for name in self.splits}

    def _read(self, item):
        return self.reader(item)

    def _numbers(self, split):
        numbers = {label: number for number, label in enumerate(self.labels)}
        for label in self._parts[split].labels:
            if label not in numbers:
                source = self._parts[split].source
                raise ValueError(f"{source}{': ' * bool(source)}the {split} split has the label {label!r:.82}, which "
                                 f"no training example has; {suggest(label, self.labels)}")
        return np.array([numbers[label] for label in self._parts[split].labels], dtype=np.int32)

    def _of(self, split, table):
        return of_split(table, split)

    def items(self, split):
        """Return the items of a split as they are in the file, a list."""
        return self._of(split, self._parts).items

    def inputs(self, split):
        """Return the arrays of a split, (T_i,) int32 or (T_i, C) float32 each, a list."""
        return self._of(split, self._inputs)

    def keep_train(self, count, seed):
        """Keep only `count` examples of the training split, drawn with the same class proportions.

        What was made from all of it stays, such as a vocabulary: texts need no labels for that.

        Parameters
        ----------
        count : int
        seed : int
            Of the draw, which is nested: fewer examples are part of more.

        Returns
        -------
        list of int
            Which rows of the training split are left.

        Raises
        ------
        ValueError
            If the split has fewer examples, or `count` is below the number of classes.
        """
        labels = self._parts["train"].labels
        if not len(self.labels) <= count <= len(labels):
            raise ValueError(f"train_limit must be from {len(self.labels)}, one example a class, to the "
                             f"{len(labels):,} of the training split, got {count}")
        kept = sorted(_proportional(labels, seed)[:count])
        self._parts["train"] = self._parts["train"].take(kept)
        self._inputs["train"] = [self._inputs["train"][row] for row in kept]
        self._targets["train"] = self._targets["train"][kept]
        return kept

    def augmented(self, row, rng):
        """Return the array of the training example `row` for one epoch; data sets with augmentation override this.

        `rng` is a `numpy.random.Generator`.
        """
        return self._inputs["train"][row]

    def targets(self, split):
        """Return the class numbers of a split, (n,) int32."""
        return self._of(split, self._targets)

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(self.items(split)):,}" for split in self.splits)
        return "; ".join([f"{sizes} sequences of {len(self.labels)} classes", *self._notes])

    def __repr__(self):
        return f"{type(self).__name__}({self.describe()})"


def stratified(labels, fractions, seed):
    """Return one list of indices for each of `fractions`, with the same class proportions; remaining items are unused.

    >>> [len(part) for part in stratified(["a"] * 10 + ["b"] * 30, [0.8, 0.1, 0.1], seed=0)]
    [32, 4, 4]
    """
    labels = np.asarray(labels)
    parts = [[] for _ in fractions]
    for label in sorted(set(labels)):
        # a generator for each class: one more example of one class leaves the split of the others as it is
        rng = np.random.default_rng([seed, *str(label).encode()])
        indices = rng.permutation(np.flatnonzero(labels == label))
        edges = np.round(np.cumsum([0, *fractions]) * len(indices) + 1e-9).astype(int)
        for part, start, stop in zip(parts, edges[:-1], edges[1:]):
            part.extend(indices[start:stop].tolist())
    return [sorted(part) for part in parts]


def _proportional(labels, seed):
    """Return all indices in an order, drawn at random, whose every beginning has about the proportions of the classes.

    It begins with one example of each class.
    """
    labels, places = np.asarray(labels), []
    for label in sorted(set(labels)):
        rng = np.random.default_rng([seed, *str(label).encode()])
        indices = rng.permutation(np.flatnonzero(labels == label))
        # The first stands at 0, the others in the middle of equal parts.
        places += [((rank + 0.5) / len(indices) if rank else 0.0, index) for rank, index in enumerate(indices)]
    return [int(index) for _, index in sorted(places)]


def carve(parts, fraction, seed):
    """Move the share `fraction` of each class from "train" to "valid"; ValueError where that leaves one empty."""
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ValueError(f"valid must be a file or a share of train above 0 and below 1, got {fraction!r}")
    train = parts["train"]
    class_names(train.labels, train.source)                               # says what is wrong with labels of one each
    kept, moved = stratified(train.labels, [1 - fraction, fraction], seed)
    if not kept or not moved:
        raise ValueError(f"valid {fraction} leaves nothing of {len(train)} examples for one of train and valid; "
                         "take another share")
    return {**parts, "train": train.take(kept), "valid": train.take(moved)}


def remove_duplicates(parts, key):
    """Return the parts without equal (key(item), label) pairs, and how many were removed.

    Of equal pairs the first in the last split that has one is kept: pairs of test are removed from train.
    """
    seen, kept, removed = set(), {}, 0
    for name in reversed([name for name in SPLITS if name in parts]):
        pairs = parts[name].pairs(key)
        first = [index for index, pair in enumerate(pairs) if not (pair in seen or seen.add(pair))]
        kept[name] = parts[name].take(first)
        removed += len(pairs) - len(first)
    return {name: kept[name] for name in parts}, removed


def count_across(parts, key):
    """Return the number of examples of an earlier split whose (key(item), label) is also in a later one."""
    names = [name for name in SPLITS if name in parts]
    counts = {name: Counter(parts[name].pairs(key)) for name in names}
    return sum(count for first, second in combinations(names, 2) for pair, count in counts[first].items()
               if pair in counts[second])
