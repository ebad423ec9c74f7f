"""Checks of arguments in the words that all parts of the package use."""
import numbers
from collections.abc import Iterable

__all__ = ["check_counts", "check_sizes", "check_text", "quotes_hint", "texts_of"]


def check_sizes(**sizes):
    """Raise ValueError unless every named size is a whole number of at least 1."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def check_counts(**counts):
    """Raise ValueError unless every named number is a whole number of at least 0."""
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
            raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")


def check_text(value, what):
    """Raise ValueError, which begins with `what` is meant, unless a value is a text."""
    if not isinstance(value, str):
        raise ValueError(f"{what} must be a text, got {value!r:.60}; pass a string")


def texts_of(values, what):
    """Return a text, or an iterable of texts, as a list; ValueError, with `what` each is, for one that is no text."""
    texts = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    for number, text in enumerate(texts):
        check_text(text, f"{what} {number}")
    return texts


def quotes_hint(value):
    """Return what to do about a truth value in the place of a text, to end a message with; empty for other values."""
    values = [*value, *(value.values() if isinstance(value, dict) else ())] if isinstance(
        value, (list, tuple, dict)) else [value]
    if not any(isinstance(each, bool) for each in values):
        return ""
    return '; YAML reads yes, no, on and off as true and false: put the word in quotes, such as "NO"'
