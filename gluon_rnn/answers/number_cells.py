"""Cells of a table as numbers: decimal commas, points between thousands, what stands for a missing value."""
import math
import re

__all__ = ["NO_VALUE", "NumberCells"]

#: what stands for a missing value, as pandas reads it
NO_VALUE = frozenset({"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
                      "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"})
#: more of it, which a file may mean otherwise: messages ask
_MARKERS = frozenset({"?", "-", "--", "---", "*", ".", "x", "X", "missing", "NIL", "nil", "na", "none", "bad", "Bad"})


class NumberCells:
    """Reader of cells.

    Parameters
    ----------
    decimal : {".", ","}
    thousands : str or None
        What stands between thousands: one character, left out of the number.
    na_values : sequence of str or number
        What stands for a missing value, beside `NO_VALUE`; a number does however it is written.
    """

    def __init__(self, decimal=".", thousands=None, na_values=()):
        self._decimal, self._thousands = decimal, thousands
        self._texts = NO_VALUE | {str(value) for value in na_values}
        self._numbers = frozenset(map(_number_or_nan, map(str, na_values))) - {math.nan}

    def is_missing(self, text):
        """Whether a cell stands for no value."""
        return text in self._texts

    def __call__(self, text):
        """Return a cell as float: NaN where it is missing, inf where it is no finite number."""
        if not isinstance(text, str) or self.is_missing(text):
            return math.nan
        return self.known(self._read(text))

    def known(self, value):
        """Return a float, or NaN where it is a marker of a missing value."""
        return math.nan if value in self._numbers else value

    def _read(self, text):
        if self._thousands is not None and self._thousands in text:
            groups = re.escape(self._thousands)
            if not re.fullmatch(rf"[+-]?\d{{1,3}}({groups}\d{{3}})+({re.escape(self._decimal)}\d*)?", text):
                return math.inf
            text = text.replace(self._thousands, "")
        if self._decimal == ",":
            text = text.replace(".", "_").replace(",", ".")
        if "_" in text:                                         # Python reads 1_000, which no measuring device writes
            return math.inf
        try:
            return float(text)
        except ValueError:
            return math.inf

    def advice(self, text):
        """Return what to do about a cell that is no number: the key that reads it."""
        if text in _MARKERS:
            return f"if it stands for a missing value, set na_values: [{text!r}]"
        for thousands, decimal in ((".", ","), (",", "."), ("'", "."), (" ", ","), ("\u00a0", ",")):
            value = NumberCells(decimal, thousands)(text)
            if math.isfinite(value) and (thousands in text or decimal in text):
                keys = [f"thousands: {thousands!r}"] * (thousands in text) + [f"decimal: {decimal!r}"] * (
                    decimal in text or decimal != self._decimal)
                return f"to read it as {value:.15g}, set {' and '.join(keys)}"
        return f"correct the cell, name it in na_values, or check decimal ({self._decimal!r})"


def _number_or_nan(text):
    try:
        return float(text)
    except ValueError:
        return math.nan
