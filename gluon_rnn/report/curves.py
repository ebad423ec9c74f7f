"""Curves as shapes of an inline SVG: where lines, ticks and labels go. What they look like is in the templates.

A chart is small enough for the screen of a phone, so that its labels are never scaled down there.
"""
import math
from dataclasses import dataclass
from typing import Optional

__all__ = ["Chart", "Series", "chart"]

WIDTH, HEIGHT = 360, 230
_RIGHT, _TOP, _BOTTOM = 10, 10, 40
_CHARACTER = 7.2           # width of a figure in a label, with room for other fonts
_MOST_DOTS = 60              # points that are drawn as dots with their values
_DECADES = 30.0              # largest to smallest from which on an axis of positive values is logarithmic


@dataclass
class Series:
    """One line: its name, and finite or other numbers; what is not finite is a gap.

    `column` is the row's name in ``metrics.csv``.
    """

    name: str
    x: list
    y: list

    @property
    def points(self):
        """The pairs of finite numbers."""
        return [(x, y) for x, y in zip(self.x, self.y) if math.isfinite(x) and math.isfinite(y)]


@dataclass
class Chart:
    """Shapes of one chart, in its units of width `WIDTH` and height `HEIGHT`, the origin at the upper left.

    Attributes
    ----------
    title, description : str
        The latter says in words what is to be seen.
    x_label, y_label : str
    lines : list of dict
        "name"; "paths", a list of texts for ``points=``; "dots", a list of (x, y, text).
    x_ticks, y_ticks : list of (float, str)
    level : dict, optional
        "y" and "name" of a horizontal line.
    box : (float, float, float, float)
        Left, top, right, bottom of the area of the lines.
    """

    title: str
    description: str
    x_label: str
    y_label: str
    lines: list
    x_ticks: list
    y_ticks: list
    box: tuple
    level: Optional[dict] = None
    width: int = WIDTH
    height: int = HEIGHT


def chart(title, series, x_label="epoch", y_label="", level=None, log=None):
    """Return the `Chart` of some series; None where there is no finite number to show.

    Parameters
    ----------
    title : str
    series : list of Series
    x_label, y_label : str
    level : (str, float), optional
        A horizontal line to compare with.
    log : bool, optional
        Whether the vertical axis is logarithmic; by default where positive values span more than 1.5 decades.
    """
    points = [point for each in series for point in each.points]
    if not points:
        return None
    levels = [level[1]] if level is not None and math.isfinite(level[1]) else []
    y_axis = _Axis([*(y for _, y in points), *levels], HEIGHT - _BOTTOM, _TOP, log)
    y_ticks = y_axis.ticks(5)
    left = round(12 + _CHARACTER * max([3, *(len(label) for _, label in y_ticks)]))
    x_axis = _Axis([x for x, _ in points], left, WIDTH - _RIGHT, whole=x_label == "epoch")
    lines = [_line(each, x_axis, y_axis, x_label) for each in series if each.points]
    return Chart(title, _in_words(series, x_label), x_label, y_label, lines, x_axis.ticks(6), y_ticks,
                 (left, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM),
                 {"y": y_axis(levels[0]), "name": level[0]} if levels else None)


def _line(series, x_axis, y_axis, x_label):
    """Return one line, broken where a number is not finite."""
    paths, path = [], []
    for x, y in zip(series.x, series.y):
        if math.isfinite(x) and math.isfinite(y):
            path.append(f"{x_axis(x):.1f},{y_axis(y):.1f}")
        elif path:
            paths.append(" ".join(path))
            path = []
    paths += [" ".join(path)] if path else []
    points = series.points
    dots = [(round(x_axis(x), 1), round(y_axis(y), 1), f"{series.name}, {x_label} {x:.4g}: {y:.4g}")
            for x, y in points] if len(points) <= _MOST_DOTS else []
    return {"name": series.name, "paths": paths, "dots": dots}


def _in_words(series, x_label):
    """Return what the chart shows, for those who do not see it."""
    sentences = []
    for each in series:
        if not each.points:
            continue
        (first_x, first), (last_x, last) = each.points[0], each.points[-1]
        if len(each.points) == 1:
            sentences.append(f"{each.name} is {first:.4g} at {x_label} {first_x:.4g}.")
            continue
        low, high = (pick(each.points, key=lambda point: point[1]) for pick in (min, max))
        sentences.append(f"{each.name} goes from {first:.4g} at {x_label} {first_x:.4g} to {last:.4g} at {last_x:.4g}; "
                         f"lowest {low[1]:.4g} at {low[0]:.4g}, highest {high[1]:.4g} at {high[0]:.4g}.")
    return " ".join(sentences)


class _Axis:
    """From numbers to places between `begin` and `end`; it begins and ends at numbers that are good to read."""

    def __init__(self, values, begin, end, log=False, whole=False):
        low, high = min(values), max(values)
        self.log = low > 0 and (high / low > _DECADES if log is None else log)
        self.begin, self.end, self.whole = begin, end, whole
        if self.log:
            self.low, self.high = math.log10(low), math.log10(high)
            if self.high - self.low < 0.1:
                self.low, self.high = self.low - 0.5, self.high + 0.5
        elif whole:
            self.low, self.high = (low, high) if high > low else (low - 1, high + 1)
        else:
            margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
            self.low, self.high = low - margin if low < 0 or low > margin else 0.0, high + margin

    def __call__(self, value):
        share = ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self, most):
        """Return at most about `most` places with their labels."""
        values = self._decades(most) if self.log else _round_numbers(self.low, self.high, most, self.whole)
        step = 0 if self.log or len(values) < 2 else values[1] - values[0]
        return [(round(self(value), 1), _label(value, step)) for value in values]

    def _decades(self, most):
        low, high = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        if high - low >= 1:
            stride = max(1, math.ceil((high - low + 1) / most))
            return [10.0 ** power for power in range(low, high + 1, stride)]
        values = [digit * 10.0 ** power for power in range(low - 1, high + 1) for digit in (1, 2, 5)]
        return [value for value in values if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]


def _round_numbers(low, high, most, whole):
    """Return multiples of 1, 2 or 5 times a power of ten between two numbers, `most` or fewer of them."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * (1 - 1e-9))
    step = max(1.0, step) if whole else step
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _label(value, step):
    """Return a number as short as it goes, so that it differs from those `step` away: 20k, 1e-05, 0.25."""
    if abs(value) <= 1e-9 * step:
        return "0"
    digits = max(4, math.floor(math.log10(abs(value) / step)) + 2) if step else 4
    for least, size, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:.{digits}g}{letter}"
    return f"{value:.{digits}g}"
