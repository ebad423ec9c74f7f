"""Generated strings whose symbols are vectors of 0 and 1, as the task "frames" takes them."""
import numpy as np

from gluon_rnn.data.readers import of_split

__all__ = ["SymbolFrames"]


class SymbolFrames:
    """Base of generated data sets of strings as frames: the task is to predict the next vector.

    Parameters
    ----------
    parts : dict of str to list of str
        Strings of two symbols or more by split.
    codes : dict of str to sequence of {0, 1}
        The vector of each symbol, all of one length.

    Attributes
    ----------
    splits : tuple of str
    num_keys : int
        Numbers of a vector.
    """

    def __init__(self, parts, codes):
        self._strings, self.splits = parts, tuple(parts)
        self.codes = {symbol: np.array(code, dtype=np.float32) for symbol, code in codes.items()}
        self.num_keys = len(next(iter(self.codes.values())))
        self._rolls = {split: [self.frames(string) for string in strings] for split, strings in parts.items()}

    def frames(self, string):
        """Return the vectors of a string, (T, num_keys) float32."""
        return np.stack([self.codes[symbol] for symbol in string])

    def _of(self, split, table):
        return of_split(table, split)

    def strings(self, split):
        """Return the strings of a split, a list."""
        return self._of(split, self._strings)

    def rolls(self, split):
        """Return the strings of a split as vectors, a list of (T, num_keys) float32 arrays of 0 and 1."""
        return self._of(split, self._rolls)

    def __repr__(self):
        sizes = ", ".join(f"{split} {len(strings):,}" for split, strings in self._strings.items())
        return f"{type(self).__name__}(strings: {sizes}; {self.num_keys} numbers a symbol)"
