"""Checks of constructor arguments that every block makes in the same words."""
__all__ = ["check_sizes", "check_rates"]


def check_sizes(**sizes):
    """Raise ValueError unless every named size is a whole number of at least 1."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def check_rates(**rates):
    """Raise ValueError unless every named rate lies in [0, 1)."""
    for name, value in rates.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
            raise ValueError(f"{name} must be a rate of at least 0 and below 1, got {value!r}")
