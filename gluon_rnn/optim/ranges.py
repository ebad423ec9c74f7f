"""Ranges of the numbers that optimisers and schedules take, by their names there."""
import math

__all__ = ["check"]

# lowest, whether it is one itself, highest (never one itself)
_FRACTION = (0, True, 1)
_POSITIVE, _NOT_NEGATIVE = (0, False, math.inf), (0, True, math.inf)
_RANGES = {
    **dict.fromkeys(("momentum", "beta1", "beta2", "rho", "gamma1", "gamma2"), _FRACTION),
    **dict.fromkeys(("learning_rate", "epsilon", "eta", "every_epochs", "power", "factor"), _POSITIVE),
    **dict.fromkeys(("final_learning_rate", "lamda", "lamda1", "lamda2", "wd_lh", "beta", "schedule_decay",
                     "warmup_steps", "patience", "eps"), _NOT_NEGATIVE),
}


def check(arguments):
    """Raise ValueError where a number among `arguments`, a dict, is out of the range that its name has.

    >>> check({"final_learning_rate": -5.0})
    Traceback (most recent call last):
    ValueError: final_learning_rate: expected a finite number of at least 0, got -5.0
    """
    for key, value in arguments.items():
        if key not in _RANGES or value is None:
            continue
        low, included, high = _RANGES[key]
        is_number = isinstance(value, (int, float)) and math.isfinite(value)
        if not is_number or isinstance(value, bool) or value < low or (value == low and not included) or value >= high:
            least = f"of at least {low}" if included else f"above {low}"
            most = "" if high == math.inf else f" and below {high}"
            raise ValueError(f"{key}: expected a finite number {least}{most}, got {value!r}")
