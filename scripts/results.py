"""Make docs/results.md from docs/results.csv: ``python -m scripts.results``. A number is typed once, in the CSV."""
import argparse
import csv
import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
COLUMNS = ("recipe", "data", "split", "metric", "value", "seeds", "baseline", "published", "parameters", "time",
           "hardware", "command")

HEAD = """# Results

Made from `results.csv` by `python -m scripts.results`; do not edit. The checkpoint is selected on the validation split;
where a test split exists, it is looked at once. *baseline* is what no learning reaches, *published* a figure of others
with its source. Several seeds are given as mean +- standard deviation.
"""


def render(rows):
    """Return the Markdown page of result `rows`, dicts with the keys `COLUMNS`: a table, then the commands."""
    shown = [column for column in COLUMNS if column != "command"]
    lines = ["| " + " | ".join(shown) + " |", "|" + "---|" * len(shown)]
    lines += ["| " + " | ".join(row[column] for column in shown) + " |" for row in rows]
    commands = [f"    {row['command']}" for row in rows]
    return "\n".join([HEAD, *lines, "", "Commands, in the order of the rows:", "", *dict.fromkeys(commands), ""])


def read(path):
    """Return the rows of a results file; ValueError if its columns are not `COLUMNS`."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}")
        return list(reader)


def main(arguments=None):
    """Write the page, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the page is out of date")
    options = parser.parse_args(arguments)
    text, page = render(read(DOCS / "results.csv")), DOCS / "results.md"
    if options.check:
        return 0 if page.exists() and page.read_text(encoding="utf-8") == text else 1
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
