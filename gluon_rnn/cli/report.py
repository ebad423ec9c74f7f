"""Write the page of a run anew.

Every training leaves report.html in the folder of its run: one page with curves, scores, pictures, answers, recipe and
machine, which needs no network. This command makes it of a run that has none, or that has been diagnosed since.
"""
from gluon_rnn.cli.options import add_run

EXAMPLE = "gluon-rnn report runs/quickstart-1"


def run(options):
    """Write the page and print where it is."""
    from gluon_rnn.reports import write_report
    print(write_report(options.run, options.output))
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--output", metavar="HTML", help="where the page goes; default: report.html in the folder of "
                                                         "the run, runs/NAME of a zoo model")
