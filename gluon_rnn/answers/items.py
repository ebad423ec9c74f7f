"""Items of a user as sequences for a network: none is empty, and no number in them is missing."""
import numpy as np

from gluon_rnn.answers.columns import check_finite

__all__ = ["read_items", "step_of"]


def read_items(reader, items):
    """Return the sequence (T,) or (T, C) of each of `items`, a list.

    Raises
    ------
    ValueError
        If the reader refuses an item, or an item has no step: an empty text, a recording without frames.
    """
    found = [reader(item) for item in items]
    for number, sequence in enumerate(found):
        if not len(sequence):
            which = f"item {number}, {items[number]!r:.60}," if len(items) > 1 else f"the item {items[0]!r:.60}"
            raise ValueError(f"{which} is empty, so that there is nothing to answer; leave it out")
    return found


def step_of(step):
    """Return features (C,) or (t, C) of a step, or of some, as (t, C) float32; NaN and infinity are refused."""
    array = np.atleast_2d(np.asarray(step, dtype=np.float32))
    check_finite(array, "features of a step")
    return array
