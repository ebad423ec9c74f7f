"""Temporal order: in which order two or three relevant symbols, far apart among others, came.

A string begins with E, ends with B, and has 100 to 110 symbols, a, b, c or d at random, but for relevant ones, X or Y,
at places that are drawn from given ranges. The class is their order, such as "XY". With two there are 4 classes, with
three 8.

References
----------
Hochreiter & Schmidhuber (1997), Long short-term memory, section 5.6: experiments 6a (two) and 6b (three).
"""
from typing import Any

import gluonnlp
import numpy as np

from gluon_rnn.data.labelled import Examples, Labelled
from gluon_rnn.data.labelled_text import TextReader
from gluon_rnn.data.ranges import check_range
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["PLACES", "TemporalOrder", "draw_order"]

#: ranges of the places of relevant symbols, counted from 1, by their number
PLACES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}
RELEVANT, OTHERS = "XY", "abcd"


def draw_order(places, lengths, rng):
    """Return a string, and its relevant symbols in their order, drawn by a NumPy generator."""
    size = int(rng.integers(lengths[0], lengths[1] + 1))
    symbols = ["E", *(OTHERS[index] for index in rng.integers(4, size=size - 2)), "B"]
    order = "".join(RELEVANT[index] for index in rng.integers(2, size=len(places)))
    for symbol, (first, last) in zip(order, places):
        symbols[int(rng.integers(first, last + 1)) - 1] = symbol
    return "".join(symbols), order


@datasets.register("temporal_order")
class TemporalOrder(Labelled):
    """Strings whose class is the order of their relevant symbols; see the module.

    Parameters
    ----------
    relevant : {2, 3}, default 2
        Relevant symbols.
    lengths : [first, last], default [100, 110]
        Symbols of a string, drawn uniformly.
    train, valid, test : int, default 10000, 500, 2560
        Strings in each split; the paper tests on 2,560.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> data = TemporalOrder(train=50, valid=9, test=9)
    >>> data.labels, len(data.inputs("train")[0]), data.items("train")[0][:20]
    (['XX', 'XY', 'YX', 'YY'], 109, 'EccbbaaaadcdccdYcccd')
    """

    example_arguments = {"vocab_size": 2}

    def __init__(self, relevant: int = 2, lengths: Any = (100, 110), train: int = 10000, valid: int = 500,
                 test: int = 2560, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(**sizes)
        if relevant not in PLACES:
            raise ValueError(f"relevant must be 2 or 3, got {relevant!r}")
        lengths = check_range("lengths", lengths, least=PLACES[relevant][-1][1] + 1)
        parts = {}
        for number, (split, size) in enumerate(sizes.items()):
            rng = np.random.default_rng([seed, number])
            parts[split] = Examples(*zip(*(draw_order(PLACES[relevant], lengths, rng) for _ in range(size))))
        vocab = gluonnlp.Vocab(gluonnlp.data.count_tokens("EBXY" + OTHERS), unknown_token="<unk>", padding_token=None,
                               bos_token=None, eos_token=None)
        super().__init__(parts, TextReader(vocab, "character"))
