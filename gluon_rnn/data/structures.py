"""Base of the data sets whose items are trees or graphs: what reads an item, and the groups that a report looks at."""
import random

import gluonnlp

from gluon_rnn.answers import graphs, trees
from gluon_rnn.data.labelled import Examples, Labelled
from gluon_rnn.data.labelled_text import TextReader
from gluon_rnn.data.text import UNK
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import suggest

__all__ = ["Draws", "GraphReader", "Structures", "TreeReader", "check_form", "check_range", "draw_parts",
           "sequence_reader"]

TreeReader, GraphReader = trees.TreeReader, graphs.GraphReader


class Structures(Labelled):
    """Labelled trees or graphs.

    Attributes
    ----------
    structure : str
        "tree", "graph", or "sequence" where the same items are read as words; a model has to take it.
    group_name : str
        What `groups` counts.
    """

    example_arguments = {"vocab_size": 2}
    structure, group_name = "tree", "depth"

    def __init__(self, parts, reader, groups, labels=None):
        self.structure = getattr(reader, "structure", "sequence")
        self._groups = groups
        super().__init__(parts, reader, labels=labels)

    def groups(self, split):
        """Return the group of each item of a split, such as the depth of a tree, a list of int or str."""
        return self._of(split, self._groups)

    def keep_train(self, count, seed):
        """Keep only `count` examples of the training split; see `Labelled.keep_train`."""
        kept = super().keep_train(count, seed)
        self._groups["train"] = [self._groups["train"][row] for row in kept]
        return kept

    def describe(self):
        """Return sizes, and the groups of each split."""
        ranges = [f"{name} {min(self.groups(name))} to {max(self.groups(name))}" for name in self.splits]
        sizes = super().describe().replace("sequences", f"{self.structure}s")
        return f"{sizes}; {self.group_name}: {', '.join(ranges)}"


def sequence_reader(items):
    """Return a reader of items as words that are separated by blanks; its words are those of `items`."""
    counter = gluonnlp.data.count_tokens(token for item in items for token in item.split())
    return TextReader(gluonnlp.Vocab(counter, unknown_token=UNK, padding_token=None, bos_token=None, eos_token=None))


def check_range(name, value, least):
    """Return a range [a, b] of whole numbers as (a, b); ValueError unless `least` <= a <= b."""
    good = isinstance(value, (list, tuple)) and len(value) == 2 and all(
        isinstance(one, int) and not isinstance(one, bool) for one in value)
    if not good or not least <= value[0] <= value[1]:
        raise ValueError(f"{name} must be two whole numbers, the smallest and the largest, of at least {least}, got "
                         f"{value!r}")
    return tuple(value)


def check_form(form):
    """Raise ValueError unless `form` is "tree" or "sequence"."""
    if form not in ("tree", "sequence"):
        raise ValueError(f"form must be 'tree' or 'sequence', got {form!r}; {suggest(form, ['tree', 'sequence'])}")


class Draws:
    """Random numbers of one split, a few of which at a time are drawn much faster by Python than by NumPy.

    Only `random.Random.random` is used, whose numbers are the same in every version of Python.
    """

    def __init__(self, *seeds):
        self._generator = random.Random(",".join(map(str, seeds)))

    def below(self, limit):
        """Return a whole number from 0 to `limit` - 1."""
        return int(self._generator.random() * limit)

    def one_of(self, values):
        """Return one of the `values`, a list."""
        return values[self.below(len(values))]

    def happens(self, share):
        """Return True with a probability of `share`."""
        return self._generator.random() < share

    def sample(self, values, count):
        """Return `count` different ones of the `values`, in an order drawn too."""
        values = list(values)
        for place in range(count):
            other = place + self.below(len(values) - place)
            values[place], values[other] = values[other], values[place]
        return values[:count]


def draw_parts(sizes, ranges, seed, draw):
    """Return {split: Examples} and {split: groups} of items that are drawn.

    Parameters
    ----------
    sizes : {split: number of items}
    ranges : {split: (a, b)}
        Of the group; the groups of a split come equally often.
    seed : int
    draw : callable
        From a `Draws`, an item's group and its number to the item and its label.
    """
    check_sizes(**sizes)
    parts, groups = {}, {}
    for number, (name, count) in enumerate(sizes.items()):
        low, high = ranges[name]
        groups[name] = [low + row % (high - low + 1) for row in range(count)]
        draws = Draws(seed, number)
        pairs = [draw(draws, group, row) for row, group in enumerate(groups[name])]
        parts[name] = Examples(*zip(*pairs))
    return parts, groups
