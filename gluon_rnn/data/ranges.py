"""Ranges of whole numbers that recipes give, such as lengths of strings."""

__all__ = ["check_range"]


def check_range(name, value, least=1):
    """Return the two whole numbers of a range [first, last]; ValueError where they are none, or in the wrong order."""
    whole = isinstance(value, (list, tuple)) and len(value) == 2 and all(
        isinstance(number, int) and not isinstance(number, bool) for number in value)
    if not whole or not least <= value[0] <= value[1]:
        raise ValueError(f"{name} must be two whole numbers [first, last] from {least} on, the smaller one first, got "
                         f"{value!r}")
    return tuple(value)
