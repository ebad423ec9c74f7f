"""Times of the steps of one sequence, numbers or dates: they increase, and no step is missing."""
import numpy as np

from gluon_rnn.answers.gaps import in_words, nanoseconds
from gluon_rnn.answers.number_cells import NumberCells

__all__ = ["check_steps", "moments_of"]

_CELLS = NumberCells()


def moments_of(texts, where):
    """Return times as numbers, (T,) float64, or as ns since 1970, (T,) int64, where they are dates.

    Parameters
    ----------
    texts : list of str
        All numbers, or all dates as ISO 8601 has them.
    where : str
        What messages begin with.
    """
    numbers = np.array([_CELLS(text.strip()) for text in texts], dtype=np.float64)
    if np.isfinite(numbers).all():
        return numbers
    dates = nanoseconds(np.array([text.strip() for text in texts], dtype=object))
    if dates is None:
        bad = next(text for text, number in zip(texts, numbers) if not np.isfinite(number))
        raise ValueError(f"{where}: {bad!r:.62} is neither a number nor a date such as 2007-01-01 13:00:00, as all "
                         "times of a sequence must be; mend it")
    return dates


def check_steps(moments, gaps, where):
    """Raise ValueError where sorted times (T,) have one twice, or, unless `gaps` is "ignore", an irregular step.

    A step is regular up to half a step more or less than the median.
    """
    steps = np.diff(moments)
    if (steps <= 0).any():
        raise ValueError(f"{where} has a time twice, {_shown(moments, int(np.argmax(steps <= 0)))}; mend its times")
    if gaps == "ignore" or len(steps) < 2:
        return
    usual = np.sort(steps)[(len(steps) - 1) // 2]
    rows = np.flatnonzero(np.abs(steps - usual) > usual / 2)
    if len(rows):
        row, dates = int(rows[0]), moments.dtype.kind == "i"
        length, step = (in_words(int(value)) if dates else f"{value:g}" for value in (steps[row], usual))
        raise ValueError(f"{where} has a step of {length} behind the time {_shown(moments, row)}, where {step} is "
                         f"usual ({len(rows)} such place{'s' * (len(rows) > 1)}); set gaps: ignore if steps count as "
                         "consecutive, or mend the file")


def _shown(moments, row):
    return str(moments[row].astype("datetime64[ns]").astype("datetime64[ms]")) if moments.dtype.kind == "i" else (
        f"{moments[row]:g}")
