"""The manifest as a table in Markdown, and where it stands in a page."""
import re
from pathlib import Path

from gluon_rnn.public_data.manifest import all_sets, readers

__all__ = ["markdown", "put_into"]

_MARKS = "<!-- data sets: begin -->", "<!-- data sets: end -->"


def markdown(recipes):
    """Return the table of the sets; `recipes` is the folder of the recipes that read them."""
    read_by = readers(recipes)
    rows = ["| set | what | size | licence | recipes |", "|---|---|---|---|---|"]
    for entry in all_sets().values():
        source = f"[`{entry.name}`](https://github.com/{entry.repository})"
        what = f"{entry.title}. {entry.note}".strip().rstrip(".")
        users = ", ".join(f"`{recipe}`" for recipe in read_by[entry.name]) or "none"
        rows.append(f"| {source} | {what}; cite: {entry.cite} | {megabytes(entry.size)} | {entry.licence} | {users} |")
    return "\n".join(rows)


def put_into(page, recipes):
    """Write the table between its marks in the file `page`; ValueError where it has no marks."""
    page = Path(page)
    text = page.read_text(encoding="utf-8")
    found = re.search("{}\n(.*?){}".format(*map(re.escape, _MARKS)), text, re.DOTALL)
    if not found:
        raise ValueError(f"{page}: the table stands between the lines {' and '.join(_MARKS)}; put these into the page")
    page.write_text(f"{text[:found.start(1)]}{markdown(recipes)}\n{text[found.end(1):]}", encoding="utf-8")


def megabytes(size):
    """Return a number of bytes as text in MB or kB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
