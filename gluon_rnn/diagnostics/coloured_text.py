"""Text with a background by numbers, red above 0 and blue below, as a page of HTML and as a picture."""
import dataclasses
import html

import numpy as np

from gluon_rnn.diagnostics.plots import _panels, _saved
from gluon_rnn.diagnostics.unit_activations import line_ends

__all__ = ["ColouredText", "coloured_figure", "coloured_page", "strength"]

# Letters of the font that comes with matplotlib are 9 pixels wide at this size and resolution; inches.
_SIZE, _DPI = 9, 120
_CELL, _LINE = 9 / _DPI, 24 / _DPI
_RED, _BLUE = (214, 64, 54), (38, 112, 204)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 1em auto; padding: 0 1em; }
h1 { font-size: 1.3em; } h2 { font-size: 1em; margin: 1.5em 0 .3em; }
.text { font: 14px/1.7 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.text span { border-radius: 2px; }
"""


@dataclasses.dataclass
class ColouredText:
    """One text.

    Parameters
    ----------
    title : str
    sequences : list of lists of str
        Tokens of texts that each begin a line, M together.
    values : (M,) array
    joiner : str
        What stands between two tokens.
    """

    title: str
    sequences: list
    values: np.ndarray
    joiner: str = " "

    @property
    def tokens(self):
        """What is shown of each token, a list of M str: the end of a line as a sign."""
        return ["\u21b5" if token in ("\n", "") else token for tokens in self.sequences for token in tokens]


def strength(values):
    """Return values scaled to [-1, 1]: 1 is the size that 2 % of them exceed, 0 stays 0."""
    values = np.asarray(values, np.float64)
    limit = np.quantile(np.abs(values), 0.98) or np.abs(values).max()
    return np.clip(values / limit, -1, 1) if limit else np.zeros_like(values)


def coloured_page(texts, title, note=""):
    """Return texts as one page of HTML that loads nothing, for light and dark screens, also small ones.

    Parameters
    ----------
    texts : list of ColouredText
        A value is shown where one points at its token.
    title, note : str

    Returns
    -------
    str
    """
    parts = [f"<h2>{html.escape(text.title)}</h2>\n<div class=\"text\">{_spans(text)}</div>" for text in texts]
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>\n<h1>{html.escape(title)}</h1>\n"
            f"<p>{html.escape(note)}</p>\n" + "\n".join(parts) + "\n</body></html>\n")


def _spans(text):
    found = []
    ends = line_ends(text.sequences)
    for token, value, share, end in zip(text.tokens, text.values, strength(text.values), ends):
        red, green, blue = _RED if share > 0 else _BLUE
        found.append(f"<span style=\"background:rgba({red},{green},{blue},{abs(share) * 0.85:.3f})\" "
                     f"title=\"{value:.4g}\">{html.escape(token)}</span>" + ("\n" if end else text.joiner))
    return "".join(found)


def lay_out(text, width):
    """Return row, column and length in characters of each token, (M, 3), in lines of at most `width`."""
    places, row, column = [], 0, 0
    for token, end in zip(text.tokens, line_ends(text.sequences)):
        length = min(len(token), width)
        if column and column + length > width:
            row, column = row + 1, 0
        places.append((row, column, length))
        column += length + len(text.joiner)
        if end:
            row, column = row + 1, 0
    return np.array(places, int).reshape(-1, 3)


def coloured_figure(texts, path=None, columns=1, width=100, most=10):
    """Draw texts below each other, each with at most `most` lines of `width` characters.

    Parameters
    ----------
    texts : list of ColouredText
    path : str or Path, optional
        Where a PNG is written.
    columns : int, default 1
        Texts side by side: the first `columns` ones in the first row.
    width, most : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    width = width // columns
    places = [lay_out(text, width) for text in texts]
    rows = [min(most, int(place[-1, 0]) + 1) for place in places]
    heights = [max(rows[start:start + columns]) + 1.8 for start in range(0, len(rows), columns)]
    figure, panels = _panels(1, columns, (_CELL * width, _LINE * (sum(heights) + 0.3)))
    figure.set_layout_engine("none")                                      # a letter is as wide as a cell
    figure.set_dpi(_DPI)
    figure.set_size_inches(_CELL * width * columns, _LINE * (sum(heights) + 0.3))
    for number, (text, place, count) in enumerate(zip(texts, places, rows)):
        axes, top = panels[0, number % columns], sum(heights[:number // columns])
        axes.text(0, top + 0.5, text.title, fontsize=_SIZE, fontweight="bold", va="center", parse_math=False)
        _draw(axes, text, place[place[:, 0] < count], top + 1)
    for number, axes in enumerate(panels[0]):
        axes.set(xlim=(-1, width - 1), ylim=(sum(heights), -0.3), position=(number / columns, 0, 1 / columns, 1))
        axes.set_axis_off()
    return _saved(figure, path)


def _draw(axes, text, places, top):
    from matplotlib.collections import PolyCollection
    corners, colours, lines = [], [], {}
    for (row, column, length), token, share in zip(places, text.tokens, strength(text.values)):
        low, high = top + row, top + row + 1
        corners.append([(column, low), (column + length, low), (column + length, high), (column, high)])
        colours.append((*(part / 255 for part in (_RED if share > 0 else _BLUE)), 0.85 * abs(share)))
        lines[row] = lines.get(row, "").ljust(column) + token[:length]
    for row, line in lines.items():
        axes.text(0, top + row + 0.5, line, fontsize=_SIZE, family="DejaVu Sans Mono", va="center", parse_math=False)
    axes.add_collection(PolyCollection(corners, facecolors=colours, linewidths=0))
