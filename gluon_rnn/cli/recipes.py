"""List the packaged recipes with their figures, or print one of them.

Minutes and figures are those of the table of results: mean and standard deviation over runs that differ in their seed.
Print a recipe into a file to change it, and pass that file to train.
"""
import sys

from gluon_rnn.cli.options import recipe_names

EXAMPLE = """gluon-rnn recipes
gluon-rnn recipes quickstart > mine.yaml"""
COLUMNS = ("recipe", "task", "data", "minutes", "figures")


def run(options):
    """Print the recipe that was named, or the table of all."""
    from gluon_rnn import recipe_files
    if options.name is not None:
        sys.stdout.write(recipe_files.find(options.name).read_text(encoding="utf-8"))
        return 0
    rows = list(table())
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    for row in rows:
        print(*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1], sep="  ")
    return 0


def table():
    """Yield the rows of the table of recipes, tuples of text as `COLUMNS`, which come first."""
    from gluon_rnn import recipe_files, results
    found = {}
    for row in results.read(recipe_files.results_file()):
        if not row["variant"]:                                            # an ensemble is not what the recipe trains
            found.setdefault(row["recipe"], []).append(row)
    yield COLUMNS
    for name in recipe_files.names():
        rows = found.get(name, [])
        figures = "; ".join(f"{row['metric']} {row['value'].replace('+-', '±')}" for row in rows)
        yield name, *recipe_files.describe(name), minutes(rows[0]["time"]) if rows else "-", figures or "-"


def minutes(time):
    """Return the minutes of a `time` such as ``"70 s"`` or ``"3 min"``, whatever is said behind it, as short text."""
    number, unit = time.split()[:2]
    found = float(number) / {"s": 60, "min": 1}[unit]
    return "<0.1" if found < 0.1 else f"{found:.1f}".removesuffix(".0")


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("name", nargs="?", metavar="RECIPE", help="print this recipe, instead of the table"
                        ).completer = recipe_names
