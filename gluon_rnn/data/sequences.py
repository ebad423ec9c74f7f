"""Labelled sequences of numbers from .ts files, files of frames and long tables."""
from typing import Union

import numpy as np

from gluon_rnn.answers.series_file import MISSING
from gluon_rnn.answers.trajectories import TrajectoryReader
from gluon_rnn.data.labelled import Examples, Labelled, carve, count_across
from gluon_rnn.data.readers import SPLITS, read_text
from gluon_rnn.data.sequence_formats import FORMATS
from gluon_rnn.registry import datasets, suggest

__all__ = ["Sequences"]


@datasets.register("sequences")
class Sequences(Labelled):
    """Labelled sequences of numbers: .ts files of the UEA and UCR archives, a frame a line, or a row for each step.

    Parameters
    ----------
    train : str
        A file, plain or ``.gz``.
    valid : float or str, default 0.1
        A share of each class of `train`, drawn with `split_seed`, or a file.
    test : str, optional
        A file.
    format : {"ts", "frames", "long"}, default "ts"
        "ts": a header of lines with @, then a sequence a line, its dimensions and the label with colons between them.
        "frames": a line has the numbers of one step, and a blank line stands between sequences. "long": a table with a
        header and a row for each step of each sequence.
    label : str, optional
        Of "frames" which field of every line is the label: "last" (the default) or "first". Of "long" the column of the
        label, by default "label".
    labels : dict, optional
        Of "frames" where lines have no label: by split a file with a label a line, or a list of numbers, so many
        sequences of each class in turn: ``{train: [30, 30], test: labels.txt}``; classes are then called 1, 2, ...
    marker : str, optional
        Of "frames": lines that begin with it stand between sequences too.
    id : str, default "id"
        Of "long": the column that says which sequence a row belongs to.
    time : str, optional
        Of "long": a column of numbers or dates that orders the steps of a sequence; default the order of the rows.
    gaps : {"refuse", "ignore"}, default "refuse"
        Treatment of times ("long" with `time`, "ts" with time stamps) that are further apart than the others: an
        error, or none, so that steps count as consecutive.
    features : list of str, optional
        Of "long": the columns of features; default all others.
    delimiter : str, optional
        Of "frames", where it is white space by default, and "long", where it is a comma.
    missing : {"refuse", "interpolate", "forward"}, default "refuse"
        Treatment of missing values ("?", "NaN", empty), feature by feature: an error; linear interpolation within the
        sequence, level at its ends; the value before. Steps at the end without any value are left out.
    differences : bool, default False
        Whether each step also has its difference from the step before.
    encoding : str, default "utf-8"
    split_seed : int, default 0
        Of the division into train and valid alone.

    Raises
    ------
    ValueError
        If a file or a line is not as it should be; it names the file and the line.

    Notes
    -----
    Sequences may differ in length. Each feature is standardised with mean and standard deviation over all steps of the
    training split.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.ts"
    >>> _ = path.write_text("@classLabel true up down\\n@data\\n" + "0,1:0,2:up\\n1,0,1:2,0,1:down\\n" * 10)
    >>> data = Sequences(str(path), valid=0.2)
    >>> data.labels, sorted({len(steps) for steps in data.inputs("train")})
    (['down', 'up'], [2, 3])
    """

    example_arguments = {"input_size": 0}

    def __init__(self, train, valid: Union[float, str] = 0.1, test: str = None, *, format="ts", label: str = None,
                 labels: dict = None, marker: str = None, id="id", time: str = None, features: list = (),
                 delimiter: str = None, gaps="refuse", missing="refuse", differences=False, encoding="utf-8",
                 split_seed: int = 0):
        _check_choice("format", format, list(FORMATS))
        _check_choice("missing", missing, MISSING)
        _check_choice("gaps", gaps, ("refuse", "ignore"))
        if format == "frames" and label not in (None, "first", "last"):
            raise ValueError(f"label must be 'first' or 'last', the place of the class in a frame, got {label!r}")
        keys = {"ts": {"gaps": gaps}, "frames": {"label": label or "last", "marker": marker, "delimiter": delimiter},
                "long": {"identity": id, "time": time, "label": label or "label", "features": features,
                         "delimiter": delimiter or ",", "gaps": gaps}}[format]
        files = {"train": train, "valid": valid if isinstance(valid, str) else None, "test": test}
        parts = {}
        for name in (name for name in SPLITS if files[name] is not None):
            named = {"labels": _labels_of(labels[name], encoding)} if format == "frames" and name in (
                labels or {}) else {}
            found, names = FORMATS[format](read_text(files[name], encoding), files[name], **keys, **named)
            parts[name] = Examples(_filled(found, missing, files[name]), names, files[name])
        size = _check_sizes(parts, files)
        parts = {name: Examples([tuple(steps.ravel().tolist()) for steps in part.items], part.labels, part.source)
                 for name, part in parts.items()}
        if files["valid"] is None:
            parts = carve(parts, valid, split_seed)
        reader = TrajectoryReader.fit(parts["train"].items, size, differences)
        super().__init__(parts, reader, [f"{count_across(parts, tuple):,} duplicates across splits"])


def _check_choice(key, value, choices):
    if value not in choices:
        raise ValueError(f"{key} must be one of {', '.join(choices)}, got {value!r}; {suggest(value, list(choices))}")


def _labels_of(source, encoding):
    """Return the labels of sequences in their order: those of a file, or so many of class 1, of class 2, ..."""
    if isinstance(source, str):
        return [line.strip() for line in read_text(source, encoding).split("\n") if line.strip()]
    if not isinstance(source, (list, tuple)) or not all(
            isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in source):
        raise ValueError(f"labels must have, by split, a file or numbers of sequences such as [30, 30], got {source!r}")
    return [str(number) for number, count in enumerate(source, start=1) for _ in range(count)]


def _check_sizes(parts, files):
    """Return the number of features, which all sequences have."""
    first = None
    for name, part in parts.items():
        if not len(part):
            raise ValueError(f"{files[name]}: no sequences; check the path")
        for number, steps in enumerate(part.items, start=1):
            first = first or steps.shape[1]
            if steps.shape[1] != first:
                raise ValueError(f"{files[name]}: sequence {number} has {steps.shape[1]} features, and the first of "
                                 f"train has {first}; all need the same")
    return first


def _filled(sequences, missing, path):
    """Return sequences without missing values, or raise for the first that stays."""
    found = []
    for number, steps in enumerate(sequences, start=1):
        known = np.flatnonzero(~np.isnan(steps).all(axis=1))
        steps = steps[:known[-1] + 1] if len(known) else steps[:0]
        if not len(steps):
            raise ValueError(f"{path}: sequence {number} has no value; leave it out")
        if missing != "refuse":
            steps = np.stack([_fill(column, missing) for column in steps.T], axis=1)
        gaps = np.argwhere(np.isnan(steps))
        if len(gaps):
            step, feature = gaps[0].tolist()
            way = ("set missing to interpolate or forward, or leave the sequence out" if missing == "refuse" else
                   f"missing: {missing} has no value to fill it with, so leave the sequence out")
            raise ValueError(f"{path}: sequence {number} has no value of feature {feature} at step {step}; {way}")
        found.append(steps)
    return found


def _fill(values, missing):
    """Return values (T,) filled forwards, or by straight lines, level at both ends."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return values
    if missing == "interpolate":
        return np.interp(np.arange(len(values)), known, values[known])
    places = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return np.where(places < 0, np.nan, values[known[places]])
