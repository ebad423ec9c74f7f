"""Labelled sequences in the formats that people have them in: .ts of the UEA and UCR archives, frames, long tables.

Each reader returns a list of (T_i, C) float64 arrays, NaN where a value is missing, and a list of labels.

References
----------
Bagnall et al. (2018), The UEA multivariate time series classification archive.
"""
import csv
import io
import re

import numpy as np

from gluon_rnn.answers.number_cells import NumberCells
from gluon_rnn.data.time_steps import check_steps, moments_of
from gluon_rnn.registry import suggest

__all__ = ["FORMATS", "read_frames", "read_long", "read_ts"]

_CELLS = NumberCells(na_values=("?",))


def read_ts(text, path, gaps="refuse"):
    """Return the sequences and labels of a .ts file: a header of @ lines, dimensions by colons, the label last.

    Where the header has ``@timeStamps true``, a step is ``(time,value)``, and all dimensions have the same times.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    header = {}
    while lines and lines[0][1].startswith("@"):
        key, _, value = lines.pop(0)[1][1:].partition(" ")
        header[key.lower()] = value.strip()
    _check_header(header, path)
    sequences, labels, stamped = [], [], header.get("timestamps", "false").lower() == "true"
    for number, line in lines:
        where = f"{path}: line {number}"
        cells, parts = _stamped(line, gaps, where) if stamped else _plain(line)
        dimensions = [_numbers(part, where) for part in cells]
        lengths = sorted({len(dimension) for dimension in dimensions})
        if len(lengths) != 1 or not parts[-1].strip():
            raise ValueError(f"{where}: expected dimensions of one length and a label with colons between them, got "
                             f"{len(dimensions)} of the lengths {lengths}; mend the line")
        sequences.append(np.array(dimensions).T)
        labels.append(parts[-1].strip())
    return sequences, labels


def _plain(line):
    """Return the cells of each dimension of a line, and its parts between colons."""
    parts = line.split(":")
    return [part.split(",") for part in parts[:-1]], parts


def _stamped(line, gaps, where):
    """Return the same of a line whose steps are (time,value); times may be dates, which have colons too."""
    parts, cells, times = re.split(r"(?<=\))\s*:\s*", line), [], []
    for part in parts[:-1]:
        if not re.fullmatch(r"\([^()]*,[^()]*\)(\s*,\s*\([^()]*,[^()]*\))*", part):
            raise ValueError(f"{where}: expected steps such as (0,1.5),(1,2.5), as the header says (@timeStamps true), "
                             f"got {part[:40]!r}; mend the line")
        pairs = [step.rpartition(",") for step in re.findall(r"\(([^()]*)\)", part)]
        cells.append([value for _, _, value in pairs])
        times.append([time for time, _, _ in pairs])
    if any(found != times[0] for found in times):
        raise ValueError(f"{where}: the dimensions have different times; write values of the same times, ? for those "
                         "that are missing")
    if times:
        check_steps(moments_of(times[0], where), gaps, f"{where}: the sequence")
    return cells, parts


def _check_header(header, path):
    if "data" not in header:
        raise ValueError(f"{path}: no line @data, so that it is no .ts file; check the path, or set format")
    if not header.get("classlabel", "true").lower().startswith("true"):
        raise ValueError(f"{path}: the file has no class labels (@classLabel false); a classifier needs them")


def read_frames(text, path, labels=None, label="last", marker=None, delimiter=None):
    """Return the sequences and labels of a file with a frame a line, and a blank line or a marker between sequences.

    Parameters
    ----------
    text, path : str
    labels : list, optional
        Labels of the sequences in their order.
    label : {"last", "first"}
        Without `labels`, which field of every frame is the label.
    marker : str, optional
        How lines between sequences begin, beside blank ones.
    delimiter : str, optional
        Default white space.
    """
    sequences, found, frames = [], [], []

    def end(number):
        if frames:
            if labels is None and len({name for _, name in frames}) > 1:
                raise ValueError(f"{path}: line {number}: the frames of one sequence have different labels, "
                                 f"{frames[0][1]!r} and others; put a blank line between sequences, or set label")
            sequences.append(np.array([values for values, _ in frames]))
            found.append(frames[0][1])
            frames.clear()

    number = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or (marker is not None and line.strip().startswith(marker)):
            end(number - 1)
            continue
        fields = [field.strip() for field in line.split(delimiter)]
        name = None if labels is not None else fields.pop(-1 if label == "last" else 0)
        where = f"{path}: line {number}"
        values = _numbers(fields, where)
        if not values or (frames and len(values) != len(frames[0][0])):
            raise ValueError(f"{where}: {len(values)} numbers, where a frame has "
                             f"{len(frames[0][0]) if frames else 'at least one'}; mend the line, or set delimiter, "
                             "label and marker")
        frames.append((values, name))
    end(number)
    if labels is not None and len(labels) != len(sequences):
        raise ValueError(f"{path}: {len(sequences)} sequences and {len(labels)} labels; give one for each")
    return sequences, found if labels is None else list(labels)


def read_long(text, path, identity="id", time=None, label="label", features=(), delimiter=",",
              gaps="refuse"):
    """Return the sequences and labels of a table with a row for each step: whose it is, when, numbers, label.

    Parameters
    ----------
    text, path : str
    identity, label : str
        Columns of the sequence that a row belongs to, and of its class.
    time : str, optional
        Column of numbers or dates by which the steps of a sequence are ordered; default the order of the file.
    features : sequence of str
        Default all other columns.
    delimiter : str
    gaps : {"refuse", "ignore"}
        Treatment of times that are further apart than the others.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(map(str.strip, row))]
    except (csv.Error, TypeError) as error:
        raise ValueError(f"{path}: not a table of columns separated by {delimiter!r} ({error}); set "
                         "delimiter") from None
    names = [name.strip() for name in rows[0]] if rows else []
    features = list(features) or [name for name in names if name not in (identity, time, label, "")]
    for name in (identity, label, *([] if time is None else [time]), *features):
        if names.count(name) != 1:
            raise ValueError(f"{path}: {names.count(name) or 'no'} column{'s' * (name in names)} {name!r}; "
                             + ("name each once" if name in names else suggest(name, names)))
    if not features:
        raise ValueError(f"{path}: no column is left for features; the columns are {', '.join(names)}")
    place, groups = {name: names.index(name) for name in names}, {}
    for number, row in enumerate(rows[1:], start=2):
        where, row = f"{path}: row {number}", [*row, *[""] * (len(names) - len(row))]
        if any(map(str.strip, row[len(names):])):
            raise ValueError(f"{where}: {len(row)} cells where the header has {len(names)}; mend the row, or set "
                             "delimiter")
        moment = "" if time is None else row[place[time]]
        values = [_number(row[place[name]], where) for name in features]
        groups.setdefault(row[place[identity]].strip(), []).append((moment, values, row[place[label]].strip()))
    return _sequences(groups, path, None if time is None else gaps)


def _sequences(groups, path, gaps):
    """Return sequences and labels of {id: rows (time, values, label)}; without `gaps` rows are in order already."""
    sequences, labels = [], []
    for identity, steps in groups.items():
        if len({name for *_, name in steps}) > 1 or not steps[0][2]:
            raise ValueError(f"{path}: the sequence {identity!r} has the labels "
                             f"{', '.join(sorted({repr(name) for *_, name in steps}))}; it needs one")
        order = range(len(steps))
        if gaps is not None:
            where = f"{path}: the sequence {identity!r}"
            moments = moments_of([moment for moment, *_ in steps], where)
            order = np.argsort(moments, kind="stable")
            check_steps(moments[order], gaps, where)
        sequences.append(np.array([steps[index][1] for index in order]))
        labels.append(steps[0][2])
    return sequences, labels


def _numbers(fields, where):
    return [_number(field, where) for field in fields]


def _number(field, where):
    value = _CELLS(field.strip())
    if np.isinf(value):
        raise ValueError(f"{where}: {field.strip()!r:.62} is no finite number; mend it, or set label, delimiter and "
                         "format to what the file has")
    return value


#: name of each format: its reader
FORMATS = {"ts": read_ts, "frames": read_frames, "long": read_long}
