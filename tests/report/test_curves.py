"""Curves: the lines of a chart, read back by its ticks, are the numbers; gaps, decades and words."""
import math

import numpy as np
import pytest

from gluon_rnn.report.curves import HEIGHT, WIDTH, Series, chart

_LETTERS = {"k": 1e3, "M": 1e6, "G": 1e9}
#: half of the last digit of a place, which has one decimal
_ROUNDING = 0.05


def value_of(label):
    return float(label[:-1]) * _LETTERS[label[-1]] if label[-1] in _LETTERS else float(label)


def read_back(points, ticks, axis, log=False):
    """Return the values of places on an axis, by a straight line through its first and last tick."""
    (first, low), (last, high) = [(place, value_of(label)) for place, label in (ticks[0], ticks[-1])]
    low, high = (math.log10(low), math.log10(high)) if log else (low, high)
    places = np.array([float(point.split(",")[axis]) for point in points.split()])
    values = low + (places - first) / (last - first) * (high - low)
    error = 3 * _ROUNDING * abs((high - low) / (last - first))      # of the place, and of either tick
    return (10 ** values, math.log(10) * 10 ** values * error) if log else (values, error)


@pytest.mark.parametrize("values", [[2.6, 2.0, 1.95, 1.94], [-3, 5, 0, 2], [0.0, 0.25, 0.5, 1.0],
                                    [15250, 90100, 42000, 60000], [3.1e6, 2.2e6, 5e6, 4e6],
                                    [7, 7.0001, 7.0002, 7.0004]])
def test_a_line_is_its_numbers(values):
    found = chart("t", [Series("a", [1, 2, 3, 4], values)])
    line, = found.lines[0]["paths"]
    for numbers, ticks, axis in (([1, 2, 3, 4], found.x_ticks, 0), (values, found.y_ticks, 1)):
        if len(ticks) < 2 or len({label for _, label in ticks}) < len(ticks):
            pytest.fail(f"ticks {ticks} cannot be told apart")
        got, error = read_back(line, ticks, axis)
        assert np.all(np.abs(got - numbers) <= error * 1.01), (got, numbers)


def test_a_wide_range_of_positive_numbers_has_decades():
    values = [1.0, 0.1, 3e-3, 1e-5]
    found = chart("t", [Series("a", [1, 2, 3, 4], values)])
    assert [label for _, label in found.y_ticks] == ["1e-05", "0.001", "0.1"]
    got, error = read_back(found.lines[0]["paths"][0], found.y_ticks, 1, log=True)
    assert np.all(np.abs(got - values) <= error * 1.01)
    straight = chart("t", [Series("a", [1, 2, 3, 4], values)], log=False)
    got, error = read_back(straight.lines[0]["paths"][0], straight.y_ticks, 1)
    assert np.all(np.abs(got - values) <= error * 1.01)


def test_labels_have_room():
    found = chart("t", [Series("a", [1, 2], [0.00995678, 0.00995999])])
    assert max(len(label) for _, label in found.y_ticks) * 7 < found.box[0]
    assert found.lines[0]["dots"][0][0] == found.box[0]


def test_ticks_are_few_round_and_inside():
    for low, high in [(0.3, 0.9), (0, 1e7), (-2, 1), (0.0011, 0.0019), (5, 5)]:
        found = chart("t", [Series("a", [1, 37], [low, high])])
        left, top, right, bottom = found.box
        assert 2 <= len(found.y_ticks) <= 7 and all(top <= y <= bottom for y, _ in found.y_ticks)
        assert all(float(label).is_integer() for _, label in found.x_ticks) and len(found.x_ticks) <= 7
        assert all(left <= x <= right for x, _ in found.x_ticks)
        assert 0 < left < right < WIDTH and 0 < top < bottom < HEIGHT


def test_what_is_not_finite_is_a_gap_and_alone_no_chart():
    found = chart("t", [Series("a", range(1, 6), [3.0, 2.0, math.nan, 1.0, math.inf])])
    first, second = found.lines[0]["paths"]
    assert len(first.split()) == 2 and len(second.split()) == 1 and len(found.lines[0]["dots"]) == 3
    assert chart("t", [Series("a", [1, 2], [math.nan, math.inf])]) is None and chart("t", []) is None


def test_words_say_what_is_to_be_seen():
    found = chart("Loss", [Series("training", [1, 2, 3], [3.0, 1.0, 2.0]), Series("validation", [3], [4.0])],
                  level=("best possible", 0.5))
    assert found.description == ("training goes from 3 at epoch 1 to 2 at 3; lowest 1 at 2, highest 3 at 1. "
                                 "validation is 4 at epoch 3.")
    assert [text for _, _, text in found.lines[0]["dots"]] == [f"training, epoch {x}: {y}" for x, y in
                                                              ((1, 3), (2, 1), (3, 2))]
    assert found.level["name"] == "best possible" and found.level["y"] > found.lines[0]["dots"][1][1], "it lies lower"


def test_long_lines_have_no_dots():
    assert not chart("t", [Series("a", range(61), range(61))]).lines[0]["dots"]
