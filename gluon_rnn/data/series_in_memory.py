"""Recordings in memory as tables with the columns that a recipe names: arrays, DataFrames, and lists of them.

One recording is ``(inputs, targets)``, either as an array (T,) or (T, C), a Series or a DataFrame; inputs may be None.
Or it is one DataFrame with all columns, as a file has them, or one array of targets. A list is several recordings.
"""
import numpy as np
import pandas as pd

from gluon_rnn.data.forms import labels_of_parts
from gluon_rnn.data.memory import InMemory
from gluon_rnn.registry import suggest

__all__ = ["arranged", "recordings_in_memory"]


def recordings_in_memory(parts, section):
    """Return the keys of a recipe for recordings in memory.

    Parameters
    ----------
    parts : dict
        By key of the recipe ("path", "train", ...), one recording or a list of them.
    section : dict
        The section `data` of the recipe. Names of inputs and targets that it does not give are those of the columns of
        the first recording, or x_1, x_2, ... and y_1, y_2, ... (x and y where there is one) where these have no names.

    Raises
    ------
    ValueError
        In one sentence: a column is missing, numbers of columns or rows do not fit.
    """
    layout = _Layout(section)
    found = {}
    for key, label in labels_of_parts(parts).items():
        several = isinstance(parts[key], list)
        recordings = parts[key] if several else [parts[key]]
        if not recordings:
            raise ValueError(f"{label}: the list of recordings is empty; pass at least one")
        where = [f"{label}: recording {number}" if several else label for number in range(len(recordings))]
        found[key] = [InMemory(layout.frame(part, place), place) for part, place in zip(recordings, where)]
    return {**found, **layout.keys()}


class _Layout:
    """Names of the columns, from the recipe or from the first recording."""

    def __init__(self, section):
        self._inputs, self._targets = section.get("inputs"), section.get("targets")
        self._header, self._date = section.get("header", True), section.get("date")
        self._dated = None

    def keys(self):
        """Return the keys of the recipe as the tables have them."""
        return {"inputs": list(self._inputs or ()), "targets": list(self._targets or ()),
                "date": self._date if self._dated else None}

    def frame(self, data, where):
        """Return one recording as a DataFrame of the columns that are wanted, in their order."""
        frame = self._whole(data, where) if isinstance(data, pd.DataFrame) else self._joined(data, where)
        times = _times_of(data)
        if times is not None and self._date not in frame.columns:
            self._date = "date" if self._date is None else self._date
            frame[self._date] = times
        dated = self._date is not None and (isinstance(data, pd.DataFrame) or times is not None)
        if self._dated not in (None, dated):
            raise ValueError(f"{where}: some recordings have dates and others have none; give all of them an index of "
                             "dates, or none")
        self._dated = dated
        return frame

    def _whole(self, table, where):
        """Return the columns of a table that has inputs and targets, as a file has them."""
        if not self._header:
            table = table.set_axis(range(table.shape[1]), axis=1)
        if not self._targets:
            raise ValueError(f"{where}: which columns of the table are to be predicted? Set data.targets (and "
                             "data.inputs), or pass (inputs, targets)")
        wanted = [*(self._inputs or ()), *self._targets, *([] if self._date is None else [self._date])]
        return table[[name for name in wanted if name in table.columns]].reset_index(drop=True).copy()

    def _joined(self, data, where):
        """Return inputs and targets side by side."""
        if isinstance(data, tuple) and len(data) != 2:
            raise ValueError(f"{where}: a recording is a pair (inputs, targets), got {len(data)} parts")
        inputs, targets = data if isinstance(data, tuple) else (None, data)
        if targets is None:
            raise ValueError(f"{where}: the targets are None; pass (inputs, targets)")
        _check_index(inputs, targets, where)
        y = _table(targets, self._targets, "y", f"{where}: the targets")
        self._targets = self._targets or list(y)
        x = pd.DataFrame(index=range(len(y)))
        if inputs is not None:
            x = _table(inputs, self._inputs, "x", f"{where}: the inputs")
        elif self._inputs:
            raise ValueError(f"{where}: there are no inputs, and {len(self._inputs)} were expected: "
                             f"{', '.join(map(str, self._inputs))}; pass (inputs, targets)")
        self._inputs = list(x) if self._inputs is None else self._inputs
        if len(x) != len(y):
            raise ValueError(f"{where}: {len(x)} rows of inputs and {len(y)} of targets; pass as many of both")
        if not self._inputs and len(x.columns):
            raise ValueError(f"{where}: {len(x.columns)} inputs, and the recipe has none; set data.inputs, or pass "
                             "(None, targets)")
        return pd.concat([x, y], axis=1)


def _table(values, names, prefix, where):
    """Return an array, Series or DataFrame as a new DataFrame whose columns are `names`, or have names of their own."""
    if isinstance(values, pd.Series):
        values = values.to_frame() if values.name is not None else values.to_numpy()
    if isinstance(values, pd.DataFrame):
        return arranged(values, names, where).reset_index(drop=True).copy()
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} must be numbers of shape (T,) or (T, C): {error}") from None
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ValueError(f"{where} must be numbers of shape (T,) or (T, C), got the shape {array.shape}; pass several "
                         "recordings as a list")
    if names and array.shape[1] != len(names):
        raise ValueError(f"{where} have {array.shape[1]} columns, and {len(names)} were expected: "
                         f"{', '.join(map(str, names))}")
    count = array.shape[1]
    names = names or ([prefix] if count == 1 else [f"{prefix}_{number + 1}" for number in range(count)])
    return pd.DataFrame(array, columns=list(names))


def arranged(frame, names, where):
    """Return the columns `names` of a DataFrame in this order, all of them as text where there are no `names`.

    Raises
    ------
    ValueError
        If one is missing; it names the nearest.
    """
    columns = [str(name) for name in frame]
    frame = frame.set_axis(columns, axis=1)
    for name in names or ():
        if str(name) not in columns:
            raise ValueError(f"{where} have no column {name!r}; {suggest(name, columns)}")
    found = frame[[str(name) for name in names]] if names else frame
    return found.set_axis(list(names), axis=1) if names else found


def _check_index(inputs, targets, where):
    both = [part.index for part in (inputs, targets) if isinstance(part, (pd.DataFrame, pd.Series))]
    if len(both) == 2 and len(both[0]) == len(both[1]) and not both[0].equals(both[1]):
        raise ValueError(f"{where}: inputs and targets have different indices, so that it is not clear which rows "
                         "belong together; align them, or pass arrays")


def _times_of(data):
    """Return the dates of a recording: an index of dates of one of its tables; None where there is none."""
    for part in data if isinstance(data, tuple) else (data,):
        if isinstance(getattr(part, "index", None), pd.DatetimeIndex):
            return part.index
    return None
