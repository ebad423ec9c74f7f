"""Gaps in a time axis: rows that are further apart than the others, which a model would take for consecutive."""
import datetime
import logging
import re

import numpy as np

__all__ = ["GAPS", "check_gaps", "filled_gaps", "in_words", "irregular", "nanoseconds"]

GAPS = ("refuse", "fill", "split", "ignore")
_EPOCH = datetime.datetime(1970, 1, 1)
_UNITS = {"D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_log = logging.getLogger(__name__)


def irregular(times):
    """Return the rows before which a time axis has an irregular step, an ascending list, and the usual step.

    A step is regular up to half a step more or less than the median: clocks jitter, months have 28 to 31 days. Working
    days, Monday after Friday, are regular too.

    Parameters
    ----------
    times : (T,) int64 array
        In ns, strictly increasing.

    Returns
    -------
    rows : list of int
    step : int
        In ns; 0 for fewer than two rows.

    >>> irregular(np.array([0, 10, 20, 50, 60]))
    ([3], 10)
    """
    steps = np.diff(times)
    if not len(steps):
        return [], 0
    usual = int(np.sort(steps)[(len(steps) - 1) // 2])
    rows = (np.flatnonzero(np.abs(steps - usual) > usual / 2) + 1).tolist()
    return ([] if rows and _working_days(times) else rows), usual


def _working_days(times):
    """Whether each row is the working day after that of the row before."""
    days = times.astype("datetime64[ns]").astype("datetime64[D]")
    if not np.is_busday(days).all() or len(set((times % _UNITS["D"]).tolist())) > 1:
        return False
    return bool((np.busday_count(days[:-1], days[1:]) == 1).all())


def check_gaps(times, at, shown):
    """Raise ValueError at the first irregular step of a time axis, with its place and length.

    Parameters
    ----------
    times : (T,) int64 array, as for `irregular`
    at : callable
        From a row to what messages call it.
    shown : callable
        From a row to its date as the file has it.
    """
    rows, step = irregular(times)
    if not rows:
        return
    row = rows[0]
    length = int(times[row] - times[row - 1])
    clock = " (an hour: if the clock was put forward there, set timezone)" if length - step == _UNITS["h"] else ""
    raise ValueError(
        f"{at(row)}: {in_words(length)} lie between {shown(row - 1)!r} and {shown(row)!r}, where the step is "
        f"{in_words(step)}{clock}; {len(rows)} such place{'s' * (len(rows) > 1)} in all; set gaps to fill "
        "(interpolation), split (recordings) or ignore (rows count as consecutive), or correct the file")


def filled_gaps(times, columns, limit, at, name):
    """Return a time axis and columns with rows put into its gaps, values between those on both sides.

    Parameters
    ----------
    times : (T,) int64 array, as for `irregular`
    columns : list of (T, C) arrays
    limit : int
        Most rows in one gap.
    at : callable
        As for `check_gaps`.
    name : str
        Of the file, for the log line that says how many rows came in.

    Raises
    ------
    ValueError
        If a gap takes more rows, or rows are closer together than the usual step.
    """
    rows, step = irregular(times)
    counts = np.ones(len(times) - 1, dtype=np.int64)
    for row in rows:
        length = int(times[row] - times[row - 1])
        counts[row - 1] = round(length / step)
        if not 1 < counts[row - 1] <= limit + 1:
            what = (f"a gap of {in_words(length)} takes {counts[row - 1] - 1} rows, and gap_limit is {limit}"
                    if counts[row - 1] > 1 else f"a step of {in_words(length)}, where {in_words(step)} is usual")
            raise ValueError(f"{at(row)}: {what}; raise gap_limit, set gaps: split, or correct the file")
    if not rows:
        return times, columns
    places = np.concatenate([[0], np.cumsum(counts)])
    every = np.arange(places[-1] + 1)
    _log.info("%s: %d rows interpolated in %d gaps", name, len(every) - len(times), len(rows))
    ends = np.searchsorted(places, every, side="left")                    # the measured row at or behind each
    before = np.where(places[ends] == every, ends, ends - 1)
    grown = times[before] + (every - places[before]) * (times[ends] - times[before]) // np.maximum(
        places[ends] - places[before], 1)
    return grown, [np.stack([np.interp(every, places, column) for column in part.T], axis=1) if part.size else
                   np.zeros((len(every), part.shape[1])) for part in columns]


def in_words(duration):
    """Return a duration in ns as text.

    >>> in_words(30 * 3600 * 10**9), in_words(1_500_000_000)
    ('1 day 6 h', '1.5 s')
    """
    if duration < _UNITS["m"]:
        return f"{duration / 1e9:.9g} s"
    parts, seconds = [], duration // 10**9
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        parts += [f"{count} {unit}{'s' * (unit == 'day' and count > 1)}"] * (count > 0)
    return " ".join(parts[:2])


def nanoseconds(texts, date_format=None, unit=None, timezone=None):
    """Return dates as ns since 1970, (T,) int64, or None where it takes pandas to read them.

    Parameters
    ----------
    texts : (T,) array of str
    date_format : str, optional
        As for `datetime.datetime.strptime`; without it dates are those of ISO 8601.
    unit : str, optional
        Of numbers since 1970: D, h, m, s, ms, us, ns.
    timezone : str, optional
        Where dates without an offset were measured. Of an hour that the clock has twice, a date that does not come
        after the one before it is in the second.
    """
    try:
        if unit is not None:
            return np.array([_whole(text, _UNITS[unit]) for text in texts], dtype=np.int64)
        found = [datetime.datetime.strptime(text, date_format) if date_format else
                 datetime.datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text)) for text in texts]
        found = found if timezone is None else _in_zone(found, timezone)
    except (ValueError, TypeError, KeyError):                             # KeyError: no such zone
        return None
    if len({date.tzinfo is None for date in found}) > 1:
        return None
    found = [date if date.tzinfo is None else date.astimezone(datetime.timezone.utc).replace(tzinfo=None)
             for date in found]
    return np.array([(date - _EPOCH) // datetime.timedelta(microseconds=1) * 1000 for date in found], dtype=np.int64)


def _in_zone(dates, timezone):
    """Return dates in UTC, those without an offset being of a zone."""
    import zoneinfo  # which reads how Python was built
    zone, found = zoneinfo.ZoneInfo(timezone), []
    for date in dates:
        moments = [date.replace(tzinfo=date.tzinfo or zone, fold=fold).astimezone(datetime.timezone.utc)
                   for fold in (0, 1)]
        late = bool(found) and moments[0] <= found[-1] and moments[1] > found[-1]
        found.append(moments[late])
    return found


def _whole(text, unit):
    """Return a number of units in ns; one without a point keeps all its digits, which a float would not."""
    return int(text) * unit if str(text).isdecimal() else round(float(text) * unit)
