"""What an odd file is: a reader, and what it must give by whoever wrote the file."""
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

__all__ = ["REFUSED", "Case", "Either", "same"]

#: what is expected of a file that nobody can read
REFUSED = object()


@dataclass
class Either:
    """Values that may be read; a refusal is right as well."""

    values: Any


@dataclass
class Case:
    """An odd file.

    Attributes
    ----------
    what : str
        What is odd about it, for the list of failures.
    path : Path
        The file; a refusal has its name.
    read : callable
        Without arguments, gives what the package reads: numbers, texts, arrays, or lists of those.
    expected : object
        The same from whoever wrote the file; or `REFUSED`, or an `Either`.
    """

    what: str
    path: Any
    read: Callable
    expected: Any


def same(found, expected):
    """Whether two nests of lists, arrays, numbers and texts are equal, numbers to six places."""
    if isinstance(expected, str) or isinstance(found, str):
        return found == expected
    if isinstance(expected, (list, tuple)):
        return (isinstance(found, (list, tuple, np.ndarray)) and len(found) == len(expected)
                and all(same(*pair) for pair in zip(found, expected)))
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype.kind not in "biuf":
        return found.shape == expected.shape and bool((found == expected).all())
    if expected.dtype.kind in "iu" and found.dtype.kind in "iu":
        return found.shape == expected.shape and bool((found == expected).all())
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-6, atol=1e-7)
