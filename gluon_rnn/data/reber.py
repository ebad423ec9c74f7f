"""Strings of the Reber grammar and of the embedded one, with the symbols that may come next at each place.

The grammar is a graph: from the node that one is in, one of two arcs is taken, each with probability 1/2, and its
symbol written. An embedded string is T or P, a whole string of the grammar, and the same letter once more, between B
and E: the letter before the last is determined by the second one, however long the string between them is.

References
----------
Reber (1967), Implicit learning of artificial grammars.
Cleeremans, Servan-Schreiber & McClelland (1989), Finite state automata and simple recurrent networks: the graph, and
the criterion that all symbols which may come are the most active ones.
Hochreiter & Schmidhuber (1997), Long short-term memory, section 5.1: embedded strings, 256 to learn from and 256 more.
"""
import numpy as np

from gluon_rnn.data.symbol_frames import SymbolFrames
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["GRAPH", "Reber", "SYMBOLS", "draw_embedded", "draw_reber", "possible_symbols"]

SYMBOLS = "BTPSXVE"
#: {node: ((symbol, next node), ...)}; the last node, 7, has no arc
GRAPH = {0: (("B", 1),), 1: (("T", 2), ("P", 3)), 2: (("S", 2), ("X", 4)), 3: (("T", 3), ("V", 5)),
         4: (("X", 3), ("S", 6)), 5: (("P", 4), ("V", 6)), 6: (("E", 7),)}
_LAST = 7


def draw_reber(rng):
    """Return a string of the Reber grammar, and the set of symbols that may come behind each place but the last."""
    node, string, sets = 0, "", []
    while node != _LAST:
        arcs = GRAPH[node]
        symbol, node = arcs[int(rng.integers(len(arcs)))]
        string += symbol
        if node != _LAST:
            sets.append("".join(symbol for symbol, _ in GRAPH[node]))
    return string, sets


def draw_embedded(rng):
    """Return a string of the embedded Reber grammar, and the set of symbols behind each place but the last."""
    letter = "TP"[int(rng.integers(2))]
    string, sets = draw_reber(rng)
    return f"B{letter}{string}{letter}E", ["TP", "B", *sets, letter, "E"]


def possible_symbols(sets):
    """Return sets of symbols as an array (T, 7) of truth values, columns in the order of `SYMBOLS`."""
    return np.array([[symbol in each for symbol in SYMBOLS] for each in sets])


@datasets.register("reber")
class Reber(SymbolFrames):
    """Strings of the (embedded) Reber grammar, a one-hot vector for each symbol; see the module.

    Parameters
    ----------
    embedded : bool, default True
    train, test : int, default 256, 256
        Strings in each split, drawn independently: some are drawn more than once.
    valid : int, default 0
        Strings of the validation split; with 0 it is those of train and of test together, for the criterion of
        Hochreiter and Schmidhuber: training ends when no symbol of either is predicted wrongly.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> data = Reber(train=2, test=1)
    >>> data.strings("train"), data.possible("train")[0].shape
    (['BPBPVPXTTTTVVEPE', 'BPBPVVEPE'], (15, 7))
    """

    def __init__(self, embedded: bool = True, train: int = 256, valid: int = 0, test: int = 256, seed: int = 0):
        check_sizes(train=train, test=test)
        if isinstance(valid, bool) or not isinstance(valid, int) or valid < 0:
            raise ValueError(f"valid must be a number of strings, or 0 for those of train and test, got {valid!r}")
        draw = draw_embedded if embedded else draw_reber
        parts = {}
        for number, (split, size) in enumerate({"train": train, "valid": valid, "test": test}.items()):
            rng = np.random.default_rng([seed, number])
            parts[split] = [draw(rng) for _ in range(size)]
        parts["valid"] = parts["valid"] or parts["train"] + parts["test"]
        self._sets = {split: [possible_symbols(sets) for _, sets in drawn] for split, drawn in parts.items()}
        super().__init__({split: [string for string, _ in drawn] for split, drawn in parts.items()},
                         dict(zip(SYMBOLS, np.eye(len(SYMBOLS), dtype=int).tolist())))

    def possible(self, split):
        """Return which symbols may come behind each place but the last, a list of (T - 1, 7) bool arrays."""
        return self._of(split, self._sets)
