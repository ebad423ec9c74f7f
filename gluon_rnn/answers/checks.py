"""Checks of arguments in the words that all parts of the package use."""
import numbers

__all__ = ["check_counts", "check_sizes", "quotes_hint"]


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


def quotes_hint(value):
    """Return what to do about a truth value in the place of a text, to end a message with; empty for other values."""
    values = [*value, *(value.values() if isinstance(value, dict) else ())] if isinstance(
        value, (list, tuple, dict)) else [value]
    if not any(isinstance(each, bool) for each in values):
        return ""
    return '; YAML reads yes, no, on and off as true and false: put the word in quotes, such as "NO"'
