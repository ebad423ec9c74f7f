"""Compare runs: scores, size and speed, and what their recipes and machines differ in.

The tables go to the terminal, and with the curves over each other to a page that needs no network.
"""
from gluon_rnn.cli.options import folders

EXAMPLE = "gluon-rnn compare runs/quickstart-1 elman_grammar --output compare.html"


def run(options):
    """Print the tables, and where the page is."""
    from gluon_rnn.reports import compare
    print(compare(options.runs, options.output).text())
    print(f"\n{options.output}")
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("runs", metavar="RUN", nargs="+",
                        help="two or more folders of runs, or zoo models").completer = folders
    parser.add_argument("--output", metavar="HTML", default="compare.html", help="default: compare.html")
