"""Checks of constructor arguments that every block makes in the same words."""
import numpy as np

__all__ = ["check_sizes", "check_rates", "check_features"]


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


def check_features(name, array, features, dtype, what="input", note=""):
    """Raise ValueError unless `array` (..., C) has the `features` (0: any number) and the `dtype` of block `name`.

    `note` stands behind the expected number in the message.
    """
    if features and array.shape[-1] != features:
        raise ValueError(f"{name} expects {features} {what} features{note}, got {what}s of shape {array.shape}")
    if np.dtype(array.dtype) != np.dtype(dtype):
        raise ValueError(f"{name} holds {np.dtype(dtype).name}, got {what}s of {np.dtype(array.dtype).name}; "
                         f"cast one of them ({what}s.astype or block.cast)")
