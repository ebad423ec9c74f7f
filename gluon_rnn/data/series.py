"""Time series for identification and forecasting: recordings of inputs and targets, split by rows, dates or files.

Every data set of series offers `splits`, `recordings(split)`, `input_names`, `target_names`, `noise` and `season`.
"""
import numpy as np
import pandas as pd

from gluon_rnn.answers.checks import quotes_hint
from gluon_rnn.answers.series import Recording
from gluon_rnn.data.memory import label_of
from gluon_rnn.data.readers import SPLITS, of_split, positions
from gluon_rnn.data.series_gaps import split_at_gaps
from gluon_rnn.data.series_in_memory import recordings_in_memory
from gluon_rnn.data.tables import SeriesFormat
from gluon_rnn.registry import datasets, suggest

__all__ = ["Recording", "SeriesSet", "TimeSeries"]


class SeriesSet:
    """Base class: the recordings of each split.

    Parameters
    ----------
    recordings : dict of list of Recording
        By split.
    input_names, target_names : list of str
    noise : float, optional
        Root mean square error of the best possible one-step predictor, in units of the target.
    season : int, at least 2, optional
        Steps after which the series repeats itself, roughly.

    Attributes
    ----------
    splits : tuple of str
        Those that are there, in the order train, valid, test.
    """

    def __init__(self, recordings, input_names, target_names, noise=None, season=None):
        if season is not None and (isinstance(season, bool) or not isinstance(season, int) or season < 2):
            raise ValueError(f"season must be a whole number of steps, at least 2, got {season!r}")
        self._recordings = {name: recordings[name] for name in SPLITS if name in recordings}
        self.splits = tuple(self._recordings)
        self.input_names, self.target_names = list(input_names), list(target_names)
        self.noise, self.season = noise, season

    def recordings(self, split):
        """Return the recordings of "train", "valid" or "test", a list; ValueError where there is no such split."""
        return list(of_split(self._recordings, split))

    def __repr__(self):
        sizes = ", ".join(f"{name} {sum(len(part) - part.start for part in parts):,} rows in {len(parts)}"
                          for name, parts in self._recordings.items())
        return (f"{type(self).__name__}({', '.join(self.input_names) or 'no inputs'} -> "
                f"{', '.join(self.target_names)}; {sizes})")


@datasets.register("time_series")
class TimeSeries(SeriesSet):
    """Named columns of CSV files; each file is one recording, and windows lie within one recording.

    Parameters
    ----------
    path : str, mapping or list of those, optional
        Files that `split` cuts. A mapping ``{path: file.csv, inputs: [uVal], targets: [yVal]}`` reads other columns
        in place of `inputs` and `targets`.
    split : optional, with `path`
        How train, valid and test (two parts: train and valid, or train and test where `valid_fraction` is given)
        follow one another; the rows before a part are its context, and what is over is not used::

            split: [0.7, 0.1, 0.2]                       fractions of each recording
            split: {rows: [8640, 2880, 2880]}            rows of each recording
            split: {dates: ["2017-07-01", "2017-11-01"]} first dates of the second and third part (needs `date`)
            split: {files: [3, 1, 1]}                    so many of the files of `path`, in their order

    train, valid, test : str, mapping or list of those, optional
        Files of each split, in place of `path`.
    inputs, targets : list of str (of int without a header), default no inputs
        Columns, and what they are called. Where every file has a mapping of its own these are names only.
    valid_fraction : float in (0, 1), optional
        Makes the last part of each training recording the validation split.
    date : str, int or list of those, optional
        Column of dates, or columns of date and time.
    date_format, date_unit, timezone, missing, na_values, header, separator, decimal, thousands, encoding
        As in `SeriesFormat`: `missing` is one of refuse, interpolate, forward.
    comment, skip_rows, skip_footer
        As there: lines that are left out.
    gaps : {"refuse", "fill", "split", "ignore"}, default "refuse"
        Treatment of dates that are further apart than the others; "split" makes recordings of what lies between, of at
        least `min_rows` rows, and "fill" interpolates up to `gap_limit` rows in a gap. `split` counts rows before that.
    gap_limit, min_rows : int, default 6, 2
    season : int, optional
        Steps of a season, for the seasonal naive forecast: 24 for a day of hours.

    Attributes
    ----------
    splits, input_names, target_names, season
    noise : None
        None: it is not known for a measured series.
    formats : dict of SeriesFormat
        By split (with `path`: "train"), of its first file: how further files are read.

    Raises
    ------
    ValueError
        In one sentence with file and line, before anything is computed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("u,y\\n" + "\\n".join(f"{row},{row * row}" for row in range(10)))
    >>> data = TimeSeries(path=str(path), split=[0.5, 0.2, 0.3], inputs=["u"], targets=["y"])
    >>> test, = data.recordings("test")
    >>> len(test), test.start, test.y[test.start:, 0].tolist()
    (10, 7, [49.0, 64.0, 81.0])
    """

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, inputs=(), targets=(),
                 valid_fraction=None, date=None, date_format=None, missing="refuse", header=True, separator=",",
                 decimal=".", encoding="utf-8", season=None, na_values: list = (), thousands: str = None,
                 comment: str = None, skip_rows: int = 0, skip_footer: int = 0, timezone: str = None,
                 date_unit: str = None, gaps="refuse", gap_limit: int = 6, min_rows: int = 2):
        layout = dict(date=date, date_format=date_format, missing=missing, header=header, separator=separator,
                      decimal=decimal, encoding=encoding, na_values=tuple(na_values), thousands=thousands,
                      comment=comment, skip_rows=skip_rows, skip_footer=skip_footer, timezone=timezone,
                      date_unit=date_unit, gaps=gaps, gap_limit=gap_limit, min_rows=min_rows)
        sources = _sources(path, split, {"train": train, "valid": valid, "test": test}, valid_fraction)
        names = _names(inputs, "inputs"), _names(targets, "targets")
        entries = {name: [_entry(entry, *names, layout) for entry in files] for name, files in sources.items()}
        names = _display_names(names, entries)
        parts = {name: [_read(*entry) for entry in files] for name, files in entries.items()}
        if path is not None:
            parts = _cut(parts["train"], split, valid_fraction)
        if valid_fraction is not None:
            parts["train"], parts["valid"] = _carve(parts["train"], valid_fraction)
        if gaps == "split":
            parts = {name: split_at_gaps(recordings, min_rows) for name, recordings in parts.items()}
        super().__init__(parts, *names, season=season)
        self.formats = {name: files[0][1] for name, files in entries.items()}

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for recordings in memory; see `gluon_rnn.data.series_in_memory`."""
        return recordings_in_memory(parts, section)


def _names(columns, key):
    if isinstance(columns, (str, int)) or not all(isinstance(column, (str, int)) for column in columns or ()):
        raise ValueError(f"{key} must be a list of columns such as [{columns}], got {columns!r}{quotes_hint(columns)}")
    return tuple(columns or ())


def _display_names(names, entries):
    """Return what inputs and targets are called: the keys `inputs` and `targets`, or else the first file's columns."""
    layouts = [layout for files in entries.values() for _, layout in files]
    first = layouts[0]
    shown = names[0] or first.inputs, names[1] or first.targets
    for path, layout in (entry for files in entries.values() for entry in files):
        if (len(layout.inputs), len(layout.targets)) != tuple(map(len, shown)):
            raise ValueError(f"{label_of(path)}: {len(layout.inputs)} inputs and {len(layout.targets)} targets where "
                             f"{len(shown[0])} and {len(shown[1])} are expected; every file needs the same numbers")
    return tuple([str(name) for name in part] for part in shown)


def _sources(path, split, files, valid_fraction):
    """Return {split: list of entries}, everything under "train" where `path` is to be cut."""
    given = [name for name in SPLITS if files[name] is not None]
    if path is not None and given:
        raise ValueError(f"path and {given[0]} are both given; give either path and split, or train, valid and test")
    if path is not None and split is None:
        raise ValueError(f"path {path!r} needs split as well, for example [0.7, 0.1, 0.2]")
    if valid_fraction is not None:
        if files["valid"] is not None:
            raise ValueError("valid and valid_fraction are both given; give one of them")
        if not isinstance(valid_fraction, float) or not 0 < valid_fraction < 1:
            raise ValueError(f"valid_fraction must be a fraction between 0 and 1, got {valid_fraction!r}")
    if path is None:
        if "train" not in given or ("valid" not in given and valid_fraction is None):
            raise ValueError(f"files are missing, given: {', '.join(given) or 'none'}; give path and split, or train "
                             "and valid (or valid_fraction)")
        if split is not None:
            raise ValueError(f"split {split!r} is for path; train, valid and test are the split already, leave it out")
    entries = {"train": path} if path is not None else {name: files[name] for name in given}
    return {name: list(part) if isinstance(part, (list, tuple)) else [part] for name, part in entries.items()}


def _entry(entry, inputs, targets, layout):
    """Return (path, SeriesFormat) of one file: a path, or a mapping with columns of its own."""
    if isinstance(entry, dict):
        for key in entry:
            if key not in ("path", "inputs", "targets"):
                raise ValueError(f"unknown key {key!r} in {entry}; {suggest(key, ['path', 'inputs', 'targets'])}")
        if "path" not in entry:
            raise ValueError(f"{entry} has no path; add it")
        inputs = _names(entry.get("inputs", inputs), "inputs")
        targets = _names(entry.get("targets", targets), "targets")
        entry = entry["path"]
    if not inputs and not targets:
        raise ValueError("targets is missing; name the columns to predict, for example targets: [y]")
    return entry, SeriesFormat(tuple(inputs), tuple(targets), **layout)


def _read(path, layout):
    x, y, times = layout.read(path, pieces=True)
    return Recording(label_of(path), x, y, 0, times)


def _cut(recordings, split, valid_fraction):
    """Return {split: recordings} by fractions, rows, dates or files; see `TimeSeries`."""
    names = ("train", "test") if valid_fraction is not None else SPLITS
    if not isinstance(split, dict):
        split = {"fractions": split}
    kinds = {"fractions": _by_fractions, "rows": _by_rows, "dates": _by_dates}
    kind, value = next(iter(split.items()), (None, None))
    if len(split) != 1 or kind not in (*kinds, "files"):
        raise ValueError(f"split must be a list of fractions or one of rows, dates and files, got {split!r}; "
                         f"{suggest(kind, [*kinds, 'files'])}")
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) + (kind == "dates") <= len(names):
        raise ValueError(f"split by {kind} must make 2{' or 3' if len(names) == 3 else ''} parts "
                         f"({', '.join(names)}), got {value!r}")
    if kind == "files":
        return _by_files(recordings, value, names)
    parts = {}
    for recording in recordings:
        for name, (start, stop) in zip(names, kinds[kind](recording, value)):
            parts.setdefault(name, []).append(recording.part(start, stop))
    return parts


def _by_fractions(recording, fractions):
    try:
        return list(positions(len(recording), fractions).values())
    except ValueError as error:
        raise ValueError(f"{recording.name}: {error}") from None


def _by_rows(recording, rows):
    if not all(isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in rows):
        raise ValueError(f"split by rows needs whole numbers above 0, got {rows!r}")
    if sum(rows) > len(recording):
        raise ValueError(f"{recording.name}: split by rows {list(rows)} needs {sum(rows)} rows, and the recording has "
                         f"{len(recording)}; make them fewer")
    edges = np.cumsum([0, *rows]).tolist()
    return list(zip(edges[:-1], edges[1:]))


def _by_dates(recording, dates):
    if recording.times is None:
        raise ValueError("split by dates needs the name of the date column; set date")
    try:
        firsts = pd.DatetimeIndex([_like(pd.Timestamp(str(date)), recording.times.tz) for date in dates])
        inner = recording.times.searchsorted(firsts).tolist()
    except (ValueError, TypeError) as error:
        raise ValueError(f"{recording.name}: split by dates {dates!r} does not fit the dates of the file: {error}; "
                         "write them as 2017-07-01 or \"2017-07-01 13:00\"") from None
    edges = [0, *inner, len(recording)]
    if any(start >= stop for start, stop in zip(edges, edges[1:])):
        raise ValueError(f"{recording.name}: split by dates {dates!r} leaves a part without rows; the file runs from "
                         f"{recording.times[0]} to {recording.times[-1]}, and dates must increase")
    return list(zip(edges[:-1], edges[1:]))


def _like(moment, zone):
    """Return a moment in the zone of a file's dates, those without an offset being of it."""
    if zone is None:
        return moment
    return moment.tz_localize(zone) if moment.tz is None else moment.tz_convert(zone)


def _by_files(recordings, counts, names):
    if not all(isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in counts):
        raise ValueError(f"split by files needs numbers of files above 0, got {counts!r}")
    if sum(counts) != len(recordings):
        raise ValueError(f"split by files {list(counts)} is for {sum(counts)} files, and path has {len(recordings)}; "
                         "count every file once")
    edges = np.cumsum([0, *counts]).tolist()
    return {name: recordings[start:stop] for name, start, stop in zip(names, edges, edges[1:])}


def _carve(recordings, fraction):
    """Return (train, valid): the last `fraction` of each recording is cut off, with what is before it as context."""
    train, valid = [], []
    for recording in recordings:
        cut = len(recording) - int(round(fraction * len(recording)))
        if not 0 < cut < len(recording):
            raise ValueError(f"{recording.name}: valid_fraction {fraction} of {len(recording)} rows leaves nothing for "
                             "one of train and valid; use a longer recording")
        train.append(recording.part(0, cut))
        valid.append(recording.part(cut, len(recording)))
    return train, valid
