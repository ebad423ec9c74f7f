"""The page of data sets is in step with the manifest and the recipes."""
import pathlib
import re

import pytest

from gluon_rnn import recipe_files
from gluon_rnn.public_data import all_sets, table

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "data.md"


def test_the_page_is_in_step():
    assert table.markdown(recipe_files.folder()) in PAGE.read_text(encoding="utf-8"), (
        "run: gluon-rnn data list --write docs/data.md")


def test_a_row_for_each_set():
    rows = table.markdown(recipe_files.folder()).split("\n")[2:]
    assert [re.match(r"\| \[`(.+?)`\]", row)[1] for row in rows] == list(all_sets())
    assert all(row.count("|") == 6 for row in rows)
    names = next(row for row in rows if "[`names`]" in row)
    assert "`classify/names_tdnn`, `language_model/names_gru`" in names and "0.2 MB" in names and "MIT" in names


def test_the_table_is_put_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- data sets: begin -->\nold\n<!-- data sets: end -->\nafter\n")
    for _ in range(2):
        table.put_into(page, recipe_files.folder())
        assert page.read_text() == ("before\n<!-- data sets: begin -->\n" + table.markdown(recipe_files.folder())
                                    + "\n<!-- data sets: end -->\nafter\n")


def test_a_page_without_marks(tmp_path):
    (tmp_path / "page.md").write_text("text")
    with pytest.raises(ValueError, match="put these into the page"):
        table.put_into(tmp_path / "page.md", recipe_files.folder())


def test_sizes():
    assert [table.megabytes(size) for size in (1746, 100_000, 21_128_848)] == ["1.7 kB", "0.1 MB", "21.1 MB"]
