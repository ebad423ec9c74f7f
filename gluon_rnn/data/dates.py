"""Dates of a table as a DatetimeIndex: offsets, daylight saving, numbers since 1970; every error names the row."""
import re
import warnings

import numpy as np
import pandas as pd

__all__ = ["dates_of", "nanoseconds_of"]

#: the offset at the end of a time of day
_OFFSET = re.compile(r"\d:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)$")
_HOUR = 3_600 * 10**9


def dates_of(table):
    """Return the dates of a `gluon_rnn.answers.series_file.Table` as a DatetimeIndex that increases strictly.

    Dates with offsets that differ, as they do where daylight saving begins and ends, become those of the layout's
    `timezone`, or of UTC. Dates without are taken to be of `timezone`: of the hour that the clock has twice, the first
    row of a repeated time is in summer time.
    """
    layout, texts = table.layout, table.dates()
    column = " and ".join(map(repr, layout.date_columns))
    offsets = _offsets(texts)
    times = _parsed(table, texts, column, utc=len(offsets) > 1)
    if times.hasnans:
        row = int(np.argmax(times.isna()))
        raise ValueError(f"{table.at(row)}: {texts[row]!r:.62} in column {column} is not a date "
                         "as the others are; correct the cell, or set date_format")
    if layout.timezone is not None:
        times = _in_zone(times, layout, table.path)
    steps = np.diff(nanoseconds_of(times))
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        back = "; if the clock was put back there, set timezone, such as Europe/Rome, which keeps both hours" if (
            layout.timezone is None and not offsets and 0 <= -steps[row - 1] <= _HOUR) else ""
        raise ValueError(f"{table.at(row)}: the date {texts[row]!r} in column {column} does not come after "
                         f"{texts[row - 1]!r} before it; sort the file by date and drop repeats{back}")
    return times


def nanoseconds_of(times):
    """Return a DatetimeIndex as ns since 1970 in UTC, (T,) int64; pandas has several units."""
    return times.to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _offsets(texts):
    """Return the offsets from UTC at the end of the dates that are text, a set; the empty text for dates without."""
    found = {match[1] if match else "" for match in (_OFFSET.search(text) for text in texts if isinstance(text, str))}
    return found - {""} if found == {""} else found


def _parsed(table, texts, column, utc):
    """Return the dates as pandas reads them, NaT for cells that are none."""
    layout, problem = table.layout, None
    with warnings.catch_warnings(record=True) as doubts:        # a guess of pandas, which it warns about, is refused
        warnings.simplefilter("always", UserWarning)
        try:
            if layout.date_unit is not None:
                numbers = pd.to_numeric(pd.Series(texts), errors="coerce")
                return pd.DatetimeIndex(pd.to_datetime(numbers, unit=layout.date_unit, utc=layout.timezone is not None))
            _refuse_numbers(table, texts, column)
            times = pd.DatetimeIndex(pd.to_datetime(texts, format=layout.date_format, errors="coerce", utc=utc))
        except (ValueError, TypeError, OverflowError) as error:             # a bad date_format, dates out of bounds
            problem = error
    if isinstance(problem, _PlainNumbers):
        raise problem
    if doubts or problem:
        doubt = " ".join(str(problem or doubts[0].message).split())
        raise ValueError(f"{table.path}: how the dates in column {column} are written is not clear, for example "
                         f"{texts[0]!r}; set date_format, such as \"%d.%m.%Y %H:%M\" (pandas: {doubt})")
    return times


class _PlainNumbers(ValueError):
    """Dates that are numbers without a unit."""


def _refuse_numbers(table, texts, column):
    """Raise ValueError where dates are numbers that are no year, date (20200131) or time (202001311200, ...00)."""
    if table.layout.date_format is None and len(texts) and all(
            isinstance(text, str) and re.fullmatch(r"\d+(\.\d+)?", text) and len(text) not in (4, 8, 12, 14)
            for text in texts):
        raise _PlainNumbers(f"{table.path}: the dates in column {column} are numbers, for example {texts[0]!r}; set "
                            "date_unit to what they count since 1970 (s, ms, us, ns, D), or date_format")


def _in_zone(times, layout, path):
    """Return dates in the layout's `timezone`."""
    zone = layout.timezone
    try:
        if times.tz is not None:
            return times.tz_convert(zone)
        return times.tz_localize(zone, ambiguous="infer", nonexistent="raise")
    except Exception as error:  # pytz and zoneinfo have kinds of their own, which pandas hands on; they say one thing
        raise ValueError(f"{path}: the dates do not fit timezone {zone!r}: {' '.join(str(error).split())}; the name is "
                         "one such as Europe/Rome, an hour that the clock has twice needs both of its rows, and an "
                         "hour that it leaves out none") from None
