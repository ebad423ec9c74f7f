"""Put scores of runs into configs/results.csv, and write docs/results.md from it; no number is typed by hand.

For a clone of the repository. Without options it writes the page. With ``--add classify/names_gru --metric macro_f1
RUN RUN RUN`` it first puts the mean and standard deviation over these runs, which differ in nothing but their seed,
into the CSV. Runs that differ in another key, such as the speaker who is left out, are added with ``--over
data.test.speaker``.
"""
import pathlib

EXAMPLE = "gluon-rnn results --check"
#: Columns that no run knows.
TYPED = ("variant", "data", "published", "source", "hardware", "note")


def run(options):
    """Write the page; with --check change nothing and return 1 if it is out of date."""
    from gluon_rnn import recipe_files, results
    from gluon_rnn.files import write_text
    table, page = recipe_files.results_file(), page_of(recipe_files.folder())
    if options.add:
        if not options.runs or not options.metric:
            raise ValueError("--add needs --metric and the folders of one or more runs")
        row = results.collect(options.runs, options.add, options.metric, options.over, options.override)
        results.put(table, {**row, **{name: getattr(options, name) for name in TYPED}})
    text = results.render(results.read(table))
    if options.check:
        return 0 if page.exists() and page.read_text(encoding="utf-8") == text else 1
    write_text(page, text)
    return 0


def page_of(recipes):
    """Return the path of the page that belongs to the folder of the `recipes`; ValueError outside a clone."""
    docs = recipes.parent / "docs"
    if not docs.is_dir():
        raise ValueError(f"{docs} is missing: the page of results is written in a clone of the repository only; "
                         "gluon-rnn recipes shows the figures of the installed package")
    return docs / "results.md"


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the page is out of date")
    parser.add_argument("--add", metavar="RECIPE", help="name of the recipe, such as classify/names_gru")
    parser.add_argument("--metric", help="one of the scores in results.json of the runs")
    parser.add_argument("--over", default="seed", metavar="KEY", help="what the runs differ in; default seed")
    parser.add_argument("--override", action="append", default=[], metavar="KEY=VALUE",
                        help="what all runs change of the recipe; may be given several times")
    parser.add_argument("--data", default="", help="what the data are and how they are split")
    parser.add_argument("--variant", default="", help="what the runs change of the recipe, such as 'ensemble of 5'")
    parser.add_argument("--published", default="", help="a figure of others")
    parser.add_argument("--source", default="", help="where the published figure is from")
    parser.add_argument("--note", default="", help="a sentence below the table")
    parser.add_argument("--hardware", default="2 cores, AVX-512")
    parser.add_argument("runs", nargs="*", metavar="RUN", type=pathlib.Path)
