"""Sections as one page of HTML that needs nothing but itself: style, curves and pictures are inside, no scripts."""
import contextlib
import functools
from pathlib import Path

import jinja2

from gluon_rnn.files import write_text
from gluon_rnn.report.record import read
from gluon_rnn.report.sections import headline, sections_of

__all__ = ["NAME", "naming_damage", "render", "report_of", "write"]

#: name of the page in the folder of a run
NAME = "report.html"


@functools.lru_cache(maxsize=1)
def _templates():
    folder = Path(__file__).with_name("templates")
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True, undefined=jinja2.StrictUndefined)


def render(title, line, sections):
    """Return a page as text.

    Parameters
    ----------
    title : str
    line : str
        A sentence below the title.
    sections : list of gluon_rnn.report.blocks.Section
    """
    import gluon_rnn
    return _templates().get_template("page.html").render(title=title, line=line, sections=sections,
                                                         version=gluon_rnn.__version__)


def report_of(record):
    """Return the page of a `Record` as text; ValueError where a file that it was read from lacks something."""
    with naming_damage(record.folder or record.name):
        return render(record.name, headline(record), sections_of(record))


@contextlib.contextmanager
def naming_damage(where):
    """Say of what is missing in the with-block, which makes a page, that a file of `where` is damaged."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, jinja2.UndefinedError) as error:
        raise ValueError(f"run.json, results.json or metrics.csv in {str(where)!r} has not what a run writes there "
                         f"({type(error).__name__}: {error}); take the damaged one away, and what it said is left out"
                         ) from error


def write(folder, path=None):
    """Write the page of the run in `folder`, as far as it came, whole or not at all; return where it is.

    Parameters
    ----------
    folder : Path
    path : Path, optional
        Default ``report.html`` in the folder.

    Raises
    ------
    ValueError, OSError
        If a file of the run is damaged or cannot be read; see `gluon_rnn.report.record.read`.
    """
    path = Path(folder) / NAME if path is None else Path(path)
    write_text(path, report_of(read(folder)))
    return path
