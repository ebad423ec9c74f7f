"""Columns of numbers from the text of a CSV file: named columns, missing values; every error names file and line."""
import csv
import dataclasses
import json
import logging
import math
import re
from typing import Optional

import numpy as np

from gluon_rnn.answers import gaps
from gluon_rnn.answers.checks import check_counts, check_sizes, quotes_hint
from gluon_rnn.answers.number_cells import NumberCells
from gluon_rnn.registry import suggest

__all__ = ["DATE_UNITS", "MISSING", "SeriesLayout", "Table"]

MISSING = ("refuse", "interpolate", "forward")
DATE_UNITS = ("D", "h", "m", "s", "ms", "us", "ns")

#: a last line of our own, which a quote that is never closed swallows
_END = "\x01"
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SeriesLayout:
    """Layout of a file of series, and the columns to read.

    Parameters
    ----------
    inputs, targets : tuple of str or int
        Columns by name; by position, counted from 0, where there is no header.
    date : str or int, or tuple of those, optional
        Column of dates or times, or columns such as a date and a time, which are joined by a blank.
    date_format : str, optional
        As for `datetime.datetime.strptime`.
    missing : {"refuse", "interpolate", "forward"}, default "refuse"
        Treatment of empty cells, "NA", "nan" and `na_values`: an error; linear interpolation between the rows before
        and after (the latter is in the future of a forecast); the value of the row before. A log line says how many
        were filled. Missing values at an open end are an error.
    header : bool, default True
        Whether the first line holds the names of the columns.
    separator : str, default ","
        One character, or "whitespace" for any number of blanks and tabs.
    decimal : {".", ","}, default "."
    encoding : str, default "utf-8"
    na_values : tuple of str or number, default ()
        Further markers of missing values, such as "?" or -200.
    thousands : str, optional
        Character between thousands, such as the point of 9.933,65.
    comment : str, optional
        Lines that begin with it are left out.
    skip_rows, skip_footer : int, default 0
        Lines to leave out at the beginning and at the end, blank ones counted.
    timezone : str, optional
        Where dates without an offset were measured, such as "Europe/Rome"; see `gluon_rnn.data.SeriesFormat`.
    date_unit : {"D", "h", "m", "s", "ms", "us", "ns"}, optional
        Dates are numbers of it since 1970.
    gaps : {"refuse", "fill", "split", "ignore"}, default "refuse"
        Treatment of dates that are further apart than the others: an error; rows of linear interpolation; several
        recordings; none, so that rows count as consecutive.
    gap_limit : int, default 6
        Most rows that "fill" puts into one gap.
    min_rows : int, default 2
        Recordings of "split" with fewer rows are left out.

    Notes
    -----
    Rows at the end without any value, and cells without any value behind the last column, are left out.
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
    na_values: tuple = ()
    thousands: Optional[str] = None
    comment: Optional[str] = None
    skip_rows: int = 0
    skip_footer: int = 0
    timezone: Optional[str] = None
    date_unit: Optional[str] = None
    gaps: str = "refuse"
    gap_limit: int = 6
    min_rows: int = 2

    def __post_init__(self):
        for key in ("date", "na_values"):                                 # lists of a recipe, or of JSON
            value = getattr(self, key)
            object.__setattr__(self, key, tuple(value) if isinstance(value, list) else value)
        if not self.targets:
            raise ValueError("targets is empty; name at least one column to predict")
        columns = [*self.inputs, *self.targets, *self.date_columns]
        for column in columns:
            _check_column(column, self.header)
            if columns.count(column) > 1:
                raise ValueError(f"column {column!r} is named twice among inputs, targets and date; name it once (past "
                                 "targets are known to a model without being inputs)")
        _check_choices(self)
        _check_characters(self)
        check_counts(skip_rows=self.skip_rows, skip_footer=self.skip_footer)
        check_sizes(gap_limit=self.gap_limit, min_rows=self.min_rows)

    @property
    def date_columns(self):
        """The columns of dates, a tuple."""
        return () if self.date is None else self.date if isinstance(self.date, tuple) else (self.date,)

    @property
    def cells(self):
        """What reads a cell as a number."""
        return NumberCells(self.decimal, self.thousands, self.na_values)

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
        table = Table(path, self, text)
        x, y = table.columns_of(future)
        times = None if self.date is None else self._times(table)
        return (x, y) if times is None else table.without_gaps(times, x, y)[1:]

    def _times(self, table):
        """Return the dates of a table in ns, (T,) int64, or None where it takes pandas to read them."""
        texts = table.dates()
        missing = [row for row, text in enumerate(texts) if not isinstance(text, str)]
        if missing:
            raise ValueError(f"{table.at(missing[0])}: there is no date; correct the file")
        times = gaps.nanoseconds(texts, self.date_format, self.date_unit, self.timezone)
        if times is None:
            text = f"{table.path}: the dates, such as {texts[0]!r:.42}, are not ISO 8601"
            if self.gaps == "fill":
                raise ValueError(f"{text}, so that gaps cannot be filled; write them so, or train with date_format")
            _log.warning("%s and are not checked for gaps; date_format of the recipe would have them checked", text)
            return None
        late = np.flatnonzero(np.diff(times) <= 0)
        if len(late):
            raise ValueError(f"{table.at(late[0] + 1)}: the date {texts[late[0] + 1]!r} does not come after "
                             f"{texts[late[0]]!r} before it; sort the file by date and drop repeats")
        return times


def _check_column(column, header):
    wanted = str if header else int
    if not isinstance(column, wanted) or isinstance(column, bool):
        kind = "names of columns (text)" if header else "positions of columns (0, 1, ...), as header is false"
        raise ValueError(f"inputs, targets and date must be {kind}, got {column!r}{quotes_hint(column)}")


def _check_choices(layout):
    for key, choices in (("missing", MISSING), ("gaps", gaps.GAPS), ("date_unit", (*DATE_UNITS, None))):
        value = getattr(layout, key)
        if value not in choices:
            known = [choice for choice in choices if choice is not None]
            raise ValueError(f"{key} must be one of {', '.join(known)}, got {value!r}; {suggest(value, known)}")


def _check_characters(layout):
    separator, decimal, thousands = layout.separator, layout.decimal, layout.thousands
    if separator != "whitespace" and (not isinstance(separator, str) or len(separator) != 1):
        raise ValueError(f"separator must be one character or 'whitespace', got {separator!r}")
    if decimal not in (".", ",") or decimal == separator:
        raise ValueError(f"decimal must be '.' or ',' and not the separator, got decimal {decimal!r} and "
                         f"separator {separator!r}")
    if thousands is not None and (not isinstance(thousands, str) or len(thousands) != 1 or thousands in (
            decimal, separator) or thousands.isdigit()):
        raise ValueError(f"thousands must be one character, not decimal, separator or a digit, got {thousands!r}")
    if layout.comment is not None and (not isinstance(layout.comment, str) or not layout.comment.strip()):
        raise ValueError(f"comment must be what comment lines begin with, such as '#', got {layout.comment!r}")


class Table:
    """The cells of one file as text, with the line number of each row."""

    def __init__(self, path, layout, text):
        self.path, self.layout = path, layout
        # Blank lines are no rows. They are taken out here and not by the reader, so that errors can name the line.
        lines = text.rstrip("\n").split("\n")
        numbered = list(enumerate(lines, start=1))[layout.skip_rows:len(lines) - layout.skip_footer]
        numbered = [(number, line) for number, line in numbered if line.strip() and not self._is_comment(line)]
        self._lines = [number for number, _ in numbered]
        self._cells = self._parse([line for _, line in numbered])
        if len(self._cells) != len(self._lines):                # a line break inside quotes: lines are not known
            self._lines = list(range(1, len(self._cells) + 1))
        while len(self._cells) > 1 and not any(cell.strip() for cell in self._cells[-1]):
            del self._cells[-1]
        self._check_widths()
        self.columns = list(range(len(self._cells[0]))) if self._cells else []
        if layout.header and self._cells:
            self.columns = [name.strip() for name in self._cells[0]]
            self._cells, self._lines = self._cells[1:], self._lines[1:]
        if not self._cells:
            raise ValueError(f"{path}: the file has no rows of numbers"
                             + (" below its header" if layout.header else "") + "; check the path")

    def _is_comment(self, line):
        return self.layout.comment is not None and line.lstrip().startswith(self.layout.comment)

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
            if any(cell.strip() for cell in cells[len(self._cells[0]):]):
                self.columns = [name.strip() for name in self._cells[0]]
                hint = self._other_separator() if len(self.columns) == 1 else None
                raise ValueError(f"{self.at(row)}: {len(cells)} columns where the first line has "
                                 f"{len(self._cells[0])}; " + (hint or (
                                     f"check separator ({self.layout.separator!r}) and decimal "
                                     f"({self.layout.decimal!r}), or leave lines above the header out by skip_rows or "
                                     "comment")))

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
        place, cells = self.place_of(column), self.layout.cells
        found = (row[place].strip() if place < len(row) else "" for row in self._cells)
        return np.array([math.nan if cells.is_missing(cell) else cell for cell in found], dtype=object)

    def dates(self):
        """Return the dates as they are written, (T,) objects: those of several columns joined by blanks."""
        columns = [self.texts(column) for column in self.layout.date_columns]
        if len(columns) == 1:
            return columns[0]
        return np.array([" ".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else math.nan
                         for parts in zip(*columns)], dtype=object)

    def place_of(self, column):
        """Return the position of a column; ValueError where there is none of this name, or more than one."""
        if self.columns.count(column) > 1:
            raise ValueError(f"{self.path}: {self.columns.count(column)} columns are called {column!r}; give each a "
                             "name of its own, or set header: false with skip_rows, and name columns by position")
        if column not in self.columns:
            known = [str(name) for name in self.columns if name != ""]
            raise ValueError(f"{self.path}: no column {column!r}; {self._other_separator() or suggest(column, known)}")
        return self.columns.index(column)

    def _other_separator(self):
        """Return which key reads a header that is one column, or begins with a comment; None where none is known."""
        first = str(self.columns[0])
        if first.startswith("#") and self.layout.comment is None:
            return f"the header was taken to be {first!r:.42}; set comment: '#' to leave such lines out, or skip_rows"
        if len([name for name in self.columns if name != ""]) > 1:
            return None
        near = [name for name, sign in (("';'", ";"), ("tab", "\t"), ("','", ","), ("'|'", "|")) if sign in first]
        near += ["whitespace"] * (not near and len(first.split()) > 1)
        return f"the header is one column, {first!r:.62}; set separator: {near[0]}" if near else (
            f"the header is one column, {first!r:.62}; check separator, or leave lines above the header out by "
            "skip_rows")

    def _number_column(self, column):
        texts, cells = self.texts(column), self.layout.cells
        values = np.array([cells(text) for text in texts])
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise ValueError(f"{self.at(row)}: {texts[row]!r:.62} in column {column!r} is not a finite number; "
                             + cells.advice(texts[row]) + self._below(row))
        return values

    def _below(self, row):
        """Return which key leaves a row out that may stand below the table."""
        rows = len(self) - row
        return f", or set skip_footer: {rows} if the table ends before it" if row and rows <= 3 else ""

    def without_gaps(self, times, x, y, pieces=False):
        """Return times (T,) in ns, x and y as the layout's `gaps` says; `pieces` is for a caller that splits."""
        if self.layout.gaps == "refuse" or (self.layout.gaps == "split" and not pieces):
            gaps.check_gaps(times, self.at, self.dates().__getitem__)
        if self.layout.gaps == "fill":
            times, (x, y) = gaps.filled_gaps(times, [x, y], self.layout.gap_limit, self.at, self.path)
        return times, x, y

    def at(self, row):
        """Return where a row stands, for messages."""
        return f"{self.path}, line {self._lines[row]}"

    def _filled(self, values, columns):
        """Return `values` (T, C) without NaN, filled as the layout says, or raise for the first that is missing."""
        fill = {"refuse": np.copy, "interpolate": _interpolated, "forward": _held}[self.layout.missing]
        filled = np.stack([fill(column) for column in values.T], axis=1) if values.size else values
        rows, places = np.nonzero(np.isnan(filled))
        if not len(rows):
            if np.isnan(values).any():
                _log.info("%s: %d of %d values were missing and are filled (missing: %s)", self.path,
                          np.isnan(values).sum(), values.size, self.layout.missing)
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
