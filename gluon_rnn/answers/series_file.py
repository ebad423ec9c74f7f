"""Columns of numbers from the text of a CSV file: named columns, missing values; every error names file and line."""
import csv
import dataclasses
import json
import math
import re
from typing import Optional

import numpy as np

from gluon_rnn.registry import suggest

__all__ = ["MISSING", "SeriesLayout", "Table"]

MISSING = ("refuse", "interpolate", "forward")

#: what stands for a missing value, as pandas reads it
_NO_VALUE = frozenset({"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
                       "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"})
#: a last line of our own, which a quote that is never closed swallows
_END = "\x01"


@dataclasses.dataclass(frozen=True)
class SeriesLayout:
    """Layout of a file of series, and the columns to read.

    Parameters
    ----------
    inputs, targets : tuple of str or int
        Columns by name; by position, counted from 0, where there is no header.
    date : str or int, optional
        Column of dates or times; `gluon_rnn.data.SeriesFormat` reads it.
    date_format : str, optional
    missing : {"refuse", "interpolate", "forward"}, default "refuse"
        Treatment of empty cells, "NA" and "nan": an error; linear interpolation between the rows before and after (the
        latter is in the future of a forecast); the value of the row before. Missing values at an open end are an error.
    header : bool, default True
        Whether the first line holds the names of the columns.
    separator : str, default ","
        One character, or "whitespace" for any number of blanks and tabs.
    decimal : {".", ","}, default "."
    encoding : str, default "utf-8"
    """

    inputs: tuple
    targets: tuple
    date: Optional[object] = None
    date_format: Optional[str] = None
    missing: str = "refuse"
    header: bool = True
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"

    def __post_init__(self):
        if not self.targets:
            raise ValueError("targets is empty; name at least one column to predict")
        columns = [*self.inputs, *self.targets, *([] if self.date is None else [self.date])]
        for column in columns:
            _check_column(column, self.header)
            if columns.count(column) > 1:
                raise ValueError(f"column {column!r} is named twice among inputs, targets and date; name it once (past "
                                 "targets are known to a model without being inputs)")
        if self.missing not in MISSING:
            raise ValueError(f"missing must be one of {', '.join(MISSING)}, got {self.missing!r}; "
                             f"{suggest(self.missing, MISSING)}")
        if self.separator != "whitespace" and (not isinstance(self.separator, str) or len(self.separator) != 1):
            raise ValueError(f"separator must be one character or 'whitespace', got {self.separator!r}")
        if self.decimal not in (".", ",") or self.decimal == self.separator:
            raise ValueError(f"decimal must be '.' or ',' and not the separator, got decimal {self.decimal!r} and "
                             f"separator {self.separator!r}")

    def to_json(self):
        """Return JSON text, to be stored with a model, from which `from_json` makes the same layout."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text):
        """Return the layout stored by `to_json`."""
        stored = json.loads(text)
        return cls(tuple(stored.pop("inputs")), tuple(stored.pop("targets")), **stored)

    def parse(self, text, path, future=False):
        """Return the wanted columns of a file's text.

        Parameters
        ----------
        text : str
        path : str
            For messages.
        future : bool, default False
            Whether rows at the end may lack the targets: steps to be predicted, of which the inputs are known. Their
            targets are NaN.

        Returns
        -------
        x : (T, Cx) float64 array
        y : (T, Ky) float64 array

        Raises
        ------
        ValueError
            In one sentence with file, line and column: no rows, no such column, a cell that is no finite number, a
            missing value.
        """
        return Table(path, self, text).columns_of(future)


def _check_column(column, header):
    wanted = str if header else int
    if not isinstance(column, wanted) or isinstance(column, bool):
        kind = "names of columns (text)" if header else "positions of columns (0, 1, ...), as header is false"
        raise ValueError(f"inputs, targets and date must be {kind}, got {column!r}")


class Table:
    """The cells of one file as text, with the line number of each row."""

    def __init__(self, path, layout, text):
        self.path, self.layout = path, layout
        # Blank lines are no rows. They are taken out here and not by the reader, so that errors can name the line.
        numbered = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        self._lines = [number for number, _ in numbered]
        self._cells = self._parse([line for _, line in numbered])
        if len(self._cells) != len(self._lines):                # a line break inside quotes: lines are not known
            self._lines = list(range(1, len(self._cells) + 1))
        self._check_widths()
        self.columns = list(range(len(self._cells[0]))) if self._cells else []
        if layout.header and self._cells:
            self.columns = [name.strip() for name in self._cells[0]]
            self._cells, self._lines = self._cells[1:], self._lines[1:]
        if not self._cells:
            raise ValueError(f"{path}: the file has no rows of numbers"
                             + (" below its header" if layout.header else "") + "; check the path")

    def _parse(self, lines):
        """Return the rows, lists of cells."""
        separator = self.layout.separator
        if separator == "whitespace":
            lines, separator = [re.sub(r"\s+", " ", line.strip()) for line in lines], " "
        try:
            rows = list(csv.reader([f"{line}\n" for line in [*lines, _END]], delimiter=separator,
                                   skipinitialspace=True))
            if rows[-1] != [_END]:
                raise csv.Error("a quote is never closed")
        except csv.Error as error:
            raise ValueError(f"{self.path}: not a table of columns separated by {self.layout.separator!r} "
                             f"({error})") from None
        return rows[:-1]

    def _check_widths(self):
        for row, cells in enumerate(self._cells):
            if len(cells) > len(self._cells[0]):
                raise ValueError(f"{self.at(row)}: {len(cells)} columns where the first line has "
                                 f"{len(self._cells[0])}; check separator ({self.layout.separator!r}) and decimal "
                                 f"({self.layout.decimal!r})")

    def columns_of(self, future):
        """Return x (T, Cx) and y (T, Ky) as the layout says; see `SeriesLayout.parse`."""
        x, y = (self._numbers(columns) for columns in (self.layout.inputs, self.layout.targets))
        known = len(y)
        if future and len(y):
            known = len(y) - int(np.argmin(np.isnan(y).all(axis=1)[::-1]))
            if np.isnan(y).all():
                raise ValueError(f"{self.path}: no row has a value of {self.layout.targets[0]!r}; measured rows must "
                                 "come before those to be predicted")
        x = self._filled(x, self.layout.inputs)
        return x, np.concatenate([self._filled(y[:known], self.layout.targets), y[known:]])

    def _numbers(self, columns):
        """Return the cells of `columns` as (T, C) float64, NaN where they are missing."""
        parts = [self._number_column(column) for column in columns]
        return np.stack(parts, axis=1) if parts else np.zeros((len(self), 0))

    def __len__(self):
        """Return the number of rows."""
        return len(self._cells)

    def texts(self, column):
        """Return the cells of a column, (T,) objects: text, or NaN where there is none."""
        place = self.place_of(column)
        cells = (row[place].strip() if place < len(row) else "" for row in self._cells)
        return np.array([math.nan if cell in _NO_VALUE else cell for cell in cells], dtype=object)

    def place_of(self, column):
        """Return the position of a column; ValueError where there is none of this name."""
        if column not in self.columns:
            known = [str(name) for name in self.columns if name != ""]
            raise ValueError(f"{self.path}: no column {column!r}; {suggest(column, known)}")
        return self.columns.index(column)

    def _number_column(self, column):
        texts = self.texts(column)
        values = np.array([_number(text, self.layout.decimal) for text in texts])
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise ValueError(f"{self.at(row)}: {texts[row]!r} in column {column!r} is not a finite number; correct the "
                             f"cell, or check decimal ({self.layout.decimal!r})")
        return values

    def at(self, row):
        """Return where a row stands, for messages."""
        return f"{self.path}, line {self._lines[row]}"

    def _filled(self, values, columns):
        """Return `values` (T, C) without NaN, filled as the layout says, or raise for the first that is missing."""
        fill = {"refuse": np.copy, "interpolate": _interpolated, "forward": _held}[self.layout.missing]
        filled = np.stack([fill(column) for column in values.T], axis=1) if values.size else values
        rows, places = np.nonzero(np.isnan(filled))
        if not len(rows):
            return filled
        way = ("set missing to interpolate or forward, or correct the file" if self.layout.missing == "refuse" else
               f"missing: {self.layout.missing} has no value to fill it with at this end, so correct the file")
        raise ValueError(f"{self.at(rows[0])}: column {columns[places[0]]!r} has no value "
                         f"({len(rows)} missing in all, row {rows[0]} is the first); {way}")


def _interpolated(values):
    """Return `values` (T,) with straight lines over gaps; NaN before the first and behind the last value stays."""
    rows, known = np.arange(len(values)), np.flatnonzero(~np.isnan(values))
    if not len(known):
        return values
    return np.interp(rows, known, values[known], left=math.nan, right=math.nan)


def _held(values):
    """Return `values` (T,) with the value before each gap in it; NaN before the first value stays."""
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return values[last]


def _number(text, decimal):
    """Return a cell as float: NaN where it is missing, inf where it is no finite number."""
    if not isinstance(text, str):
        return math.nan
    if decimal == ",":
        text = text.replace(".", "_").replace(",", ".")
    try:
        return math.inf if "_" in text else float(text)         # Python reads 1_000, which no measuring device writes
    except ValueError:
        return math.inf
