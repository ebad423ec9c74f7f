"""What a section of a page is made of: tables, pictures, sounds, texts, charts. The templates say how each looks."""
from dataclasses import dataclass, field

__all__ = ["Audio", "Charts", "Facts", "Image", "Paragraph", "Section", "Table", "Text", "number"]


@dataclass
class Section:
    """A part of a page under a heading; `anchor` is where the table of contents leads."""

    anchor: str
    title: str
    blocks: list = field(default_factory=list)


@dataclass
class Table:
    """Rows of cells under a header; the first cell of a row is its header. `folded`: shown when it is asked for."""

    caption: str
    header: list
    rows: list
    note: str = ""
    folded: bool = False
    kind: str = "table"


@dataclass
class Facts:
    """Pairs of a name and a value, shown large."""

    pairs: list
    kind: str = "facts"


@dataclass
class Charts:
    """Several `gluon_rnn.report.curves.Chart` beside each other."""

    charts: list
    kind: str = "charts"


@dataclass
class Image:
    """A picture as a ``data:`` address, with the text that stands for it."""

    title: str
    source: str
    alt: str
    kind: str = "image"


@dataclass
class Audio:
    """A sound as a ``data:`` address."""

    title: str
    source: str
    kind: str = "audio"


@dataclass
class Text:
    """Text as it was written, in a fixed width; `prose`: long lines are broken, tables keep theirs."""

    title: str
    text: str
    note: str = ""
    prose: bool = False
    kind: str = "text"


@dataclass
class Paragraph:
    """A sentence or two; `warning` where they are to be noticed."""

    text: str
    warning: bool = False
    kind: str = "paragraph"


def number(value):
    """Return a value as a cell shows it: numbers with four figures, counts with commas, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"
