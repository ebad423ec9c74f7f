"""Columns of numbers from CSV files and tables in memory, with dates; every error names the file and line."""
import math

import numpy as np
import pandas as pd

from gluon_rnn.answers.series_file import MISSING, SeriesLayout, Table
from gluon_rnn.data.dates import dates_of, nanoseconds_of
from gluon_rnn.data.memory import content_of, label_of
from gluon_rnn.data.readers import read_text

__all__ = ["SeriesFormat", "MISSING"]


class SeriesFormat(SeriesLayout):
    """Format of a file of series, and the columns to read.

    Parameters
    ----------
    inputs, targets : tuple of str or int
        Columns by name; by position, counted from 0, where there is no header.
    date : str or int, or tuple of those, optional
        Column of dates or times, or columns such as a date and a time; they must increase from row to row.
    date_format : str, optional
        As for `datetime.datetime.strptime`, for example "%d.%m.%Y %H:%M"; without it pandas finds out, and takes
        01/02/2020 for the second of January.
    timezone : str, optional
        Such as "Europe/Rome": where dates without an offset were measured, or, of dates with an offset and of
        `date_unit`, what they are turned into. Without it dates whose offsets differ become those of UTC.
    missing, header, separator, decimal, encoding, na_values, thousands, comment, skip_rows, skip_footer, date_unit
        As in `gluon_rnn.answers.series_file.SeriesLayout`.
    gaps, gap_limit, min_rows
        As there.
    """

    def read(self, path, future=False, pieces=False):
        """Return the wanted columns of one file.

        Parameters
        ----------
        path : str, path or InMemory
            Plain or ``.gz``; or a pandas.DataFrame in memory.
        future : bool, default False
            Whether rows at the end may lack the targets: steps to be predicted, of which the inputs are known. Their
            targets are NaN.
        pieces : bool, default False
            Whether the caller cuts at gaps where the layout says ``gaps: split``; else they are an error.

        Returns
        -------
        x : (T, Cx) float64 array
        y : (T, Ky) float64 array
        times : pandas.DatetimeIndex (T,) or None

        Raises
        ------
        ValueError
            In one sentence with file, line and column: no such file, no rows, no such column, a cell that is no finite
            number, a missing value, dates that do not increase, a gap.
        """
        table = (Table(path, self, read_text(path, self.encoding)) if content_of(path) is None else
                 _Frame(path, self))
        x, y = table.columns_of(future)
        if self.date is None:
            return x, y, None
        times = dates_of(table)
        moments, x, y = table.without_gaps(nanoseconds_of(times), x, y, pieces)
        return x, y, times if len(moments) == len(times) else _grown(times, moments)


def _grown(times, moments):
    """Return ns since 1970 as dates like `times`."""
    grown = pd.DatetimeIndex(moments.astype("datetime64[ns]"))
    return grown if times.tz is None else grown.tz_localize("UTC").tz_convert(times.tz)


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

    def dates(self):
        """Return the dates as they are, (T,) objects; those of several columns as text, joined by blanks."""
        columns = [self.texts(column) for column in self.layout.date_columns]
        return columns[0] if len(columns) == 1 else np.array(
            [" ".join(map(str, parts)) if all(map(pd.notna, parts)) else math.nan for parts in zip(*columns)],
            dtype=object)

    def _number_column(self, column):
        texts, cells = self.texts(column), self.layout.cells
        try:
            values = np.array([cells(text) if isinstance(text, str) and cells.is_missing(text.strip()) else
                               cells.known(float(text)) for text in texts], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: column {column!r} must hold numbers: {error}") from None
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise ValueError(f"{self.at(row)}: {values[row]} in column {column!r} is not a finite number; correct it")
        return values

    def at(self, row):
        """Return where a row stands, for messages."""
        return f"{self.path}, row {row}"

    def _other_separator(self):
        return None
