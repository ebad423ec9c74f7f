"""Columns of numbers from CSV files and tables in memory, with dates; every error names the file and line."""
import warnings

import numpy as np
import pandas as pd

from gluon_rnn.answers.series_file import MISSING, SeriesLayout, Table
from gluon_rnn.data.memory import content_of, label_of
from gluon_rnn.data.readers import read_text

__all__ = ["SeriesFormat", "MISSING"]


class SeriesFormat(SeriesLayout):
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
    missing, header, separator, decimal, encoding
        As in `gluon_rnn.answers.series_file.SeriesLayout`.
    """

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
        table = (Table(path, self, read_text(path, self.encoding)) if content_of(path) is None else
                 _Frame(path, self))
        x, y = table.columns_of(future)
        return x, y, None if self.date is None else _dates(table)


class _Frame(Table):
    """The cells of a pandas.DataFrame in memory; rows are counted from 0."""

    def __init__(self, source, layout):
        self.path, self.layout, self._cells = label_of(source), layout, content_of(source)
        self.columns = list(self._cells)
        if not len(self._cells):
            raise ValueError(f"{self.path}: there are no rows; pass at least one")

    def texts(self, column):
        """Return the cells of a column as they are, (T,) objects."""
        return self._cells.iloc[:, self.place_of(column)].to_numpy(dtype=object)

    def _number_column(self, column):
        texts = self.texts(column)
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


def _dates(table):
    """Return the date column of a table as a DatetimeIndex that increases strictly."""
    column = table.layout.date
    texts = table.texts(column)
    with warnings.catch_warnings(record=True) as doubts:        # a guess of pandas, which it warns about, is refused
        warnings.simplefilter("always", UserWarning)
        try:
            times = pd.DatetimeIndex(pd.to_datetime(texts, format=table.layout.date_format, errors="coerce"))
        except (ValueError, TypeError) as error:                # time zones that differ, a bad date_format
            doubts = [error]
    if doubts:
        doubt = " ".join(str(getattr(doubts[0], "message", doubts[0])).split())
        raise ValueError(f"{table.path}: how the dates in column {column!r} are written is not clear, for example "
                         f"{texts[0]!r}; set date_format, such as \"%d.%m.%Y %H:%M\" (pandas: {doubt})")
    if times.hasnans:
        row = int(np.argmax(times.isna()))
        raise ValueError(f"{table.at(row)}: {texts[row]!r} in column {column!r} is not a date "
                         "as the others are; correct the cell, or set date_format")
    steps = np.diff(times.asi8)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        raise ValueError(f"{table.at(row)}: the date {texts[row]!r} in column {column!r} does "
                         f"not come after {texts[row - 1]!r} before it; sort the file by date and drop repeats")
    return times
