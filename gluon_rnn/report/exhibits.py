"""Files of a run as blocks of its page: pictures, sounds, tables and texts, each inside the page itself.

A task says in its closing `gluon_rnn.tasks.task.Report` what it wrote, as `Exhibit`; nothing here knows a task.
"""
import base64
import csv
import re
from dataclasses import dataclass

from gluon_rnn.report.blocks import Audio, Image, Paragraph, Table, Text

__all__ = ["Exhibit", "block_of", "image_of"]

_MOST_ROWS = 20
_MOST_CHARACTERS = 8000
_LONGEST_CELL = 300
_NUMBER = re.compile(r"-?\d+\.\d{5,}(e-?\d+)?")      # with more decimals than anyone reads
#: larger pictures and sounds stay outside, so that the page opens on a phone
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Exhibit:
    """A file in the folder of a run that its page shows.

    Parameters
    ----------
    file : str
        Name within the folder: a picture (.png), a sound (.wav), a table (.csv, .tsv) or a text.
    title : str
    description : str, optional
        What is to be seen; of a picture, the text for those who do not see it.
    header : tuple of str, optional
        Of a table whose first line is none; what a row has beyond it goes into its last cell.
    """

    file: str
    title: str
    description: str = ""
    header: tuple = ()


def block_of(folder, exhibit):
    """Return the block that shows an `Exhibit` of the run in `folder`; one that says so where the file is not there."""
    path = folder / exhibit.file
    if not path.is_file():
        return Paragraph(f"{exhibit.title}: {exhibit.file} is not in the folder any more.", warning=True)
    kinds = {".png": image_of, ".wav": _audio, ".csv": _table, ".tsv": _table}
    return kinds.get(path.suffix, _text)(path, exhibit)


def image_of(path, exhibit):
    """Return the block of a PNG file."""
    return _embedded(path, "image/png") or Image(exhibit.title, _address(path, "image/png"),
                                                 exhibit.description or f"{exhibit.title}, a picture")


def _audio(path, exhibit):
    return _embedded(path, "audio/wav") or Audio(exhibit.title, _address(path, "audio/wav"))


def _embedded(path, kind):
    """Return the sentence that stands in the place of a file which is too large; None for others."""
    size = path.stat().st_size
    if size <= _MOST_BYTES:
        return None
    return Paragraph(f"{path.name} ({kind}) has {size / 2**20:.0f} MB and is left out; it is in the folder of the run.",
                     warning=True)


def _address(path, kind):
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _table(path, exhibit):
    """Return the first rows of a file of comma- or tab-separated values."""
    with open(path, newline="", encoding="utf-8") as file:
        if path.suffix == ".tsv":
            reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)   # quotation marks are words there
        else:
            reader = csv.reader(file)
        header = list(exhibit.header or next(reader, []))
        rows, count = [], 0
        for row in reader:
            count += 1
            if len(rows) < _MOST_ROWS:
                rows.append(_cells(row, len(header)))
    note = f"The first {len(rows)} of {count:,} rows; all are in {exhibit.file}." if count > len(rows) else ""
    return Table(exhibit.title, header, rows, " ".join(filter(None, [exhibit.description, note])))


def _cells(row, width):
    cells = [*row[:width - 1], " | ".join(row[width - 1:])]
    return [_short(cell) for cell in cells]


def _short(cell):
    """Return a cell as it is read best: numbers with six figures, long texts cut."""
    if _NUMBER.fullmatch(cell):
        return f"{float(cell):.6g}"
    return cell if len(cell) <= _LONGEST_CELL else cell[:_LONGEST_CELL] + "…"


def _text(path, exhibit):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read(_MOST_CHARACTERS + 1)
    cut = len(text) > _MOST_CHARACTERS
    note = f"The first {_MOST_CHARACTERS:,} characters; all is in {exhibit.file}." if cut else ""
    return Text(exhibit.title, text[:_MOST_CHARACTERS], " ".join(filter(None, [exhibit.description, note])), prose=True)
