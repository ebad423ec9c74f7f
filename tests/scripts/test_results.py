"""The results page is made from the CSV, and the one in the repository is up to date."""
import pytest

from scripts import results


def test_page_is_up_to_date():
    assert results.main(["--check"]) == 0, "run: python -m scripts.results"


def test_every_value_and_command_is_in_the_page():
    row = {column: f"<{column}>" for column in results.COLUMNS}
    page = results.render([row, row])
    assert all(f"<{column}>" in page for column in results.COLUMNS)
    assert page.count("<command>") == 1                                   # a command that two rows share stands once


def test_other_columns_are_refused(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("recipe,value\na,1\n")
    with pytest.raises(ValueError, match="expected the columns recipe, data"):
        results.read(path)
