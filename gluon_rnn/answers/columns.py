"""Columns of what a user passes: by name where they have names, and without numbers that are missing."""
import numpy as np

from gluon_rnn.registry import suggest

__all__ = ["check_finite", "in_order"]


def in_order(values, names, what):
    """Return values as a (T, C) float64 array, the columns of a table in the order of `names`.

    Parameters
    ----------
    values : array (T,) or (T, C), or pandas.DataFrame or Series
        A table whose columns are no text is taken as an array.
    names : list of C str
    what : str
        What messages call them.

    Raises
    ------
    ValueError
        If a column is missing or there twice, or there is no row.
    """
    columns = [name for name in getattr(values, "columns", ()) if isinstance(name, str)]
    if columns:
        for name in names:
            if columns.count(name) != 1:
                way = suggest(name, columns) if name not in columns else "name each column once"
                raise ValueError(f"{what} has {columns.count(name) or 'no'} column{'s' * (name in columns)} {name!r}; "
                                 + way)
        values = values[list(names)]
    array = np.asarray(values, dtype=np.float64)
    if not array.ndim or not len(array):
        raise ValueError(f"{what} needs at least one row of numbers, got an array of the shape {array.shape}; pass "
                         f"(T,) or (T, {len(names)})")
    return array.reshape(len(array), -1)


def check_finite(values, what, advice="fill it, or leave it out"):
    """Raise ValueError, with the first place, where a floating-point array (T,) or (T, C) has NaN or infinity."""
    bad = ~np.isfinite(values)
    if bad.any():
        row = np.argwhere(np.atleast_1d(bad))[0].tolist()                 # a single number has no axis
        raise ValueError(f"{what}: the number at {row if len(row) > 1 else row[0]} is "
                         f"{np.atleast_1d(values)[tuple(row)]}; {advice}")
