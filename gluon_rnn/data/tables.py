"""Columns of numbers from CSV files: named columns, dates, missing values; every error names the file and line."""
import dataclasses
import io
import json
import math
import re
import warnings
from typing import Optional

import numpy as np
import pandas as pd

from gluon_rnn.data.memory import content_of, label_of
from gluon_rnn.data.readers import read_text
from gluon_rnn.registry import suggest

__all__ = ["SeriesFormat", "MISSING"]

MISSING = ("refuse", "interpolate", "forward")


@dataclasses.dataclass(frozen=True)
class SeriesFormat:
    """Format of a file of series, and the columns to read.

    Parameters
    ----------
    inputs, targets : tuple of str or int
        Columns by name; by position, counted from 0, where there is no header.
    date : str or int, optional
        Column of dates or times; they must increase from row to row.
    date_format : str, optional
        As for `datetime.datetime.strptime`, for example "%d.%m.%Y %H:%M"; without it pandas finds out, and takes
        01/02/2020 for the second of January.
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
        """Return JSON text, to be stored with a model, from which `from_json` makes the same format."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text):
        """Return the format stored by `to_json`."""
        stored = json.loads(text)
        return cls(tuple(stored.pop("inputs")), tuple(stored.pop("targets")), **stored)

    def read(self, path, future=False):
        """Return the wanted columns of one file.

        Parameters
        ----------
        path : str, path or InMemory
            Plain or ``.gz``; or a pandas.DataFrame in memory.
        future : bool, default False
            Whether rows at the end may lack the targets: steps to be predicted, of which the inputs are known. Their
            targets are NaN.

        Returns
        -------
        x : (T, Cx) float64 array
        y : (T, Ky) float64 array
        times : pandas.DatetimeIndex (T,) or None

        Raises
        ------
        ValueError
            In one sentence with file, line and column: no such file, no rows, no such column, a cell that is no finite
            number, a missing value, dates that do not increase.
        """
        table = _Table(path, self) if content_of(path) is None else _Frame(path, self)
        path = table.path
        x, y = (table.numbers(columns) for columns in (self.inputs, self.targets))
        known = len(y)
        if future and len(y):
            known = len(y) - int(np.argmin(np.isnan(y).all(axis=1)[::-1]))
            if np.isnan(y).all():
                raise ValueError(f"{path}: no row has a value of {self.targets[0]!r}; measured rows must come before "
                                 "those to be predicted")
        x = table.filled(x, self.inputs)
        y = np.concatenate([table.filled(y[:known], self.targets), y[known:]])
        return x, y, None if self.date is None else table.dates()


def _check_column(column, header):
    wanted = str if header else int
    if not isinstance(column, wanted) or isinstance(column, bool):
        kind = "names of columns (text)" if header else "positions of columns (0, 1, ...), as header is false"
        raise ValueError(f"inputs, targets and date must be {kind}, got {column!r}")


class _Table:
    """The cells of one file as text, with the line number of each row."""

    def __init__(self, path, layout):
        self.path, self.layout = path, layout
        lines = read_text(path, layout.encoding).split("\n")
        # Blank lines are no rows. They are taken out here and not by pandas, so that errors can name the line.
        numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        self.lines = [number for number, _ in numbered]
        cells = self._parse("\n".join(line for _, line in numbered)) if numbered else pd.DataFrame()
        if len(cells) != len(self.lines):                       # a line break inside quotes: lines are not known
            self.lines = list(range(1, len(cells) + 1))
        self.columns = list(range(cells.shape[1]))
        if layout.header and len(cells):
            self.columns = [str(name).strip() for name in cells.iloc[0].fillna("")]
            cells, self.lines = cells.iloc[1:], self.lines[1:]
        self.cells = cells
        if not len(cells):
            raise ValueError(f"{path}: the file has no rows of numbers"
                             + (" below its header" if layout.header else "") + "; check the path")

    def _parse(self, text):
        separator = r"\s+" if self.layout.separator == "whitespace" else self.layout.separator
        try:
            return pd.read_csv(io.StringIO(text), sep=separator, header=None, dtype=object, skipinitialspace=True,
                               skip_blank_lines=False)
        except pd.errors.ParserError as error:
            found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
            if not found:
                raise ValueError(f"{self.path}: not a table of columns separated by {self.layout.separator!r} "
                                 f"({' '.join(str(error).split())})") from None
            expected, row, seen = map(int, found.groups())
            raise ValueError(f"{self.path}, line {self.lines[row - 1]}: {seen} columns where the first line has "
                             f"{expected}; check separator ({self.layout.separator!r}) and decimal "
                             f"({self.layout.decimal!r})") from None

    def numbers(self, columns):
        """Return the cells of `columns` as (T, C) float64, NaN where they are missing."""
        parts = [self._number_column(column) for column in columns]
        return np.stack(parts, axis=1) if parts else np.zeros((len(self.cells), 0))

    def _texts(self, column):
        if column not in self.columns:
            known = [str(name) for name in self.columns if name != ""]
            raise ValueError(f"{self.path}: no column {column!r}; {suggest(column, known)}")
        return self.cells.iloc[:, self.columns.index(column)].to_numpy(dtype=object)

    def _number_column(self, column):
        texts = self._texts(column)
        values = np.empty(len(texts))
        for row, text in enumerate(texts):
            values[row] = _number(text, self.layout.decimal)
            if np.isinf(values[row]):
                raise ValueError(f"{self.at(row)}: {text!r} in column {column!r} is not a finite number; correct the "
                                 f"cell, or check decimal ({self.layout.decimal!r})")
        return values

    def at(self, row):
        """Return where a row stands, for messages."""
        return f"{self.path}, line {self.lines[row]}"

    def filled(self, values, columns):
        """Return `values` (T, C) without NaN, filled as the layout says, or raise for the first that is missing."""
        frame = pd.DataFrame(values)
        if self.layout.missing == "interpolate":
            frame = frame.interpolate(limit_area="inside")
        elif self.layout.missing == "forward":
            frame = frame.ffill()
        rows, places = np.nonzero(frame.isna().to_numpy())
        if not len(rows):
            return frame.to_numpy(dtype=np.float64)
        way = ("set missing to interpolate or forward, or correct the file" if self.layout.missing == "refuse" else
               f"missing: {self.layout.missing} has no value to fill it with at this end, so correct the file")
        raise ValueError(f"{self.at(rows[0])}: column {columns[places[0]]!r} has no value "
                         f"({len(rows)} missing in all, row {rows[0]} is the first); {way}")

    def dates(self):
        """Return the date column as a DatetimeIndex that increases strictly."""
        column, texts = self.layout.date, self._texts(self.layout.date)
        with warnings.catch_warnings(record=True) as doubts:    # a guess of pandas, which it warns about, is refused
            warnings.simplefilter("always", UserWarning)
            try:
                times = pd.DatetimeIndex(pd.to_datetime(texts, format=self.layout.date_format, errors="coerce"))
            except (ValueError, TypeError) as error:            # time zones that differ, a bad date_format
                doubts = [error]
        if doubts:
            doubt = " ".join(str(getattr(doubts[0], "message", doubts[0])).split())
            raise ValueError(f"{self.path}: how the dates in column {column!r} are written is not clear, for example "
                             f"{texts[0]!r}; set date_format, such as \"%d.%m.%Y %H:%M\" (pandas: {doubt})")
        if times.hasnans:
            row = int(np.argmax(times.isna()))
            raise ValueError(f"{self.at(row)}: {texts[row]!r} in column {column!r} is not a date "
                             "as the others are; correct the cell, or set date_format")
        steps = np.diff(times.asi8)
        if (steps <= 0).any():
            row = int(np.argmax(steps <= 0)) + 1
            raise ValueError(f"{self.at(row)}: the date {texts[row]!r} in column {column!r} does "
                             f"not come after {texts[row - 1]!r} before it; sort the file by date and drop repeats")
        return times


class _Frame(_Table):
    """The cells of a pandas.DataFrame in memory; rows are counted from 0."""

    def __init__(self, source, layout):
        self.path, self.layout, self.cells = label_of(source), layout, content_of(source)
        self.columns = list(self.cells)
        if not len(self.cells):
            raise ValueError(f"{self.path}: there are no rows; pass at least one")

    def _number_column(self, column):
        texts = self._texts(column)
        try:
            values = np.array(texts, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: column {column!r} must hold numbers: {error}") from None
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise ValueError(f"{self.at(row)}: {values[row]} in column {column!r} is not a finite number; correct it")
        return values

    def at(self, row):
        """Return where a row stands, for messages."""
        return f"{self.path}, row {row}"


def _number(text, decimal):
    """Return a cell as float: NaN where it is missing, inf where it is no finite number."""
    if not isinstance(text, str):
        return math.nan                                         # pandas has read it as missing
    text = text.strip()
    if not text:
        return math.nan
    if decimal == ",":
        text = text.replace(".", "_").replace(",", ".")
    try:
        return math.inf if "_" in text else float(text)         # Python reads 1_000, which no measuring device writes
    except ValueError:
        return math.inf
