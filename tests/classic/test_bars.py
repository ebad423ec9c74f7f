"""Bars: their lengths are means over seeds, dots are the seeds, and cases that failed are left out."""
import doctest

import pytest

from gluon_rnn.classic import bars

ROWS = [{"label": "a", "seed": 1, "x": 1.0}, {"label": "b", "seed": 1, "error": "diverged"},
        {"label": "a", "seed": 2, "x": 3.0}, {"label": "c", "seed": 1, "x": 0.5}]


def test_example():
    assert doctest.testmod(bars).failed == 0


@pytest.mark.parametrize("logarithmic", [False, True])
def test_bars_hold_the_rows(tmp_path, logarithmic):
    figure = bars.bars(tmp_path / "x.png", ROWS, "x", {"limit": 2.5}, logarithmic=logarithmic)
    axes, = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [2.0, 0.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "c"]
    dots = [line.get_xdata() for line in axes.lines]
    assert [list(map(float, values)) for values in dots] == [[1.0, 3.0], [0.5], [2.5, 2.5]]
    assert axes.get_xscale() == ("log" if logarithmic else "linear")
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_no_picture_of_nothing(tmp_path):
    assert bars.bars(tmp_path / "x.png", ROWS[1:2], "x") is None and not (tmp_path / "x.png").exists()
