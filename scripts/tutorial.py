"""Execute a tutorial and write it as a Markdown page with its outputs and pictures, for `make docs`.

``python -m scripts.tutorial docs/tutorials/ctc.py`` writes ``docs/tutorials/ctc.md`` and ``docs/tutorials/ctc_files/``.
The source is a Python file in the percent format of jupytext. A cell that raises fails the command and writes nothing.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert import MarkdownExporter

ROOT = pathlib.Path(__file__).resolve().parents[1]
TIMEOUT = 900                                         # s for a cell, most of which take seconds
QUIET = ["--IPKernelApp.log_level=ERROR"]             # it warns of other users of this machine at each start


def execute(source):
    """Return the notebook of a tutorial with its outputs; CellExecutionError where a cell raises."""
    notebook = jupytext.read(source)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=TIMEOUT, startup_timeout=TIMEOUT, kernel_name="python3", coalesce_streams=True,
                       extra_arguments=QUIET, resources={"metadata": {"path": folder}}).execute(env=environment())
    return notebook


def environment():
    """Return the variables of this process, with this checkout in front of what is installed."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def write(notebook, page):
    """Write the Markdown `page` of an executed notebook, and its pictures into a folder beside it."""
    pictures = page.with_name(f"{page.stem}_files")
    text, resources = MarkdownExporter().from_notebook_node(notebook, {
        "output_files_dir": pictures.name, "unique_key": page.stem})
    shutil.rmtree(pictures, ignore_errors=True)
    for name, content in resources["outputs"].items():
        path = page.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    partial = page.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, page)       # make must not take half a page for a whole one


def main(argv=None):
    """Execute one tutorial; return 1, with the cell and its traceback on standard error, if it raises."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tutorial", description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path, help="a .py file in the percent format of jupytext")
    source = parser.parse_args(argv).source
    try:
        write(execute(source), source.with_suffix(".md"))
    except (CellExecutionError, CellTimeoutError) as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
