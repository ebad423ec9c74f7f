"""Where tokens stand, and which colours are behind them, in pictures and on pages."""
import html.parser
import re

import numpy as np
import pytest

from gluon_rnn.diagnostics import ColouredText, coloured_figure, coloured_page
from gluon_rnn.diagnostics.coloured_text import lay_out, strength


@pytest.fixture
def text():
    return ColouredText("unit 3 <&>", [["a<b", "cd"], ["e", "\n", "fghij"]], np.array([1.0, -2, 0, 0.5, -1]))


def test_lines_break_by_width_by_newline_and_by_text(text):
    assert lay_out(text, 6).tolist() == [[0, 0, 3], [0, 4, 2], [1, 0, 1], [1, 2, 1], [2, 0, 5]]
    assert lay_out(text, 5).tolist() == [[0, 0, 3], [1, 0, 2], [2, 0, 1], [2, 2, 1], [3, 0, 5]]
    assert lay_out(text, 4)[-1].tolist() == [3, 0, 4]                      # a longer word is cut


def test_strength_is_a_share_of_the_largest_sizes():
    values = np.concatenate([np.linspace(-1, 1, 99), [50]])
    found = strength(values)
    assert found[-1] == 1 and abs(found[49]) < 1e-15 and (np.diff(found) >= 0).all()
    np.testing.assert_allclose(found[40:60], values[40:60] / np.quantile(np.abs(values), 0.98))
    assert strength(np.zeros(3)).tolist() == [0, 0, 0]
    assert strength([0.0] * 99 + [2.0])[-1] == 1                           # the 2 % are not all there is


class Spans(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.within = [], None

    def handle_starttag(self, tag, attributes):
        self.within = dict(attributes) if tag == "span" else None

    def handle_endtag(self, tag):
        self.within = None

    def handle_data(self, data):
        if self.within:
            self.found.append((data, self.within["style"], self.within["title"]))


def test_a_page_has_each_token_on_its_colour(text):
    page, spans = coloured_page([text], "Units", "note"), Spans()
    spans.feed(page)
    assert [token for token, _, _ in spans.found] == ["a<b", "cd", "e", "\u21b5", "fghij"]
    assert [float(number) for _, _, number in spans.found] == text.values.tolist()
    colours = [re.search(r"rgba\((\d+),\d+,(\d+),([\d.]+)\)", style).groups() for _, style, _ in spans.found]
    assert [int(red) > int(blue) for red, blue, share in colours if float(share)] == [True, False, True, False]
    np.testing.assert_allclose([float(share) for _, _, share in colours], 0.85 * np.abs(strength(text.values)),
                               atol=5e-4)                                  # three digits
    assert "<h2>unit 3 &lt;&amp;&gt;</h2>" in page and "color-scheme: light dark" in page
    assert not re.search(r"https?:|src=|<link|<script", page)             # it loads nothing


def test_a_picture_has_each_token_on_its_colour(text, tmp_path):
    figure = coloured_figure([text, text], tmp_path / "a.png", columns=2, width=24)
    for axes in figure.axes:
        title, *lines = [(part.get_text(), *part.get_position()) for part in axes.texts]
        assert title == ("unit 3 <&>", 0, 0.5)
        assert lines == [("a<b cd", 0, 1.5), ("e \u21b5", 0, 2.5), ("fghij", 0, 3.5)]
        widths = [part.get_window_extent().width for part in axes.texts[1:]]
        cell = np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0])[0]
        np.testing.assert_allclose(np.array(widths) / cell, [6, 3, 5], atol=0.4)        # letters stand in their cells
        collection, = axes.collections
        assert [path.get_extents().x0 for path in collection.get_paths()] == [0, 4, 0, 2, 0]
        colours = collection.get_facecolors()
        np.testing.assert_allclose(colours[:, 3], 0.85 * np.abs(strength(text.values)))
        assert [red > blue for red, _, blue, share in colours if share] == [True, False, True, False]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_long_text_is_cut(text):
    long = ColouredText("x", [["a"]] * 30, np.arange(30.0))
    axes, = coloured_figure([long], most=4).axes
    assert len(axes.texts) == 1 + 4
