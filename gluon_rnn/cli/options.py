"""Options that several commands have."""
import argparse
import sys

__all__ = ["add_ensemble", "ensemble_of"]


def add_ensemble(parser, text, former="extend"):
    """Add the option ``--ensemble RUN ...`` to a parser, `text` being its help, and its former name.

    `former` is how that one took its runs: all that follow ("extend"), or one each time ("append").
    """
    parser.add_argument("--ensemble", metavar="RUN", nargs="+", action="extend", default=[], help=text)
    parser.add_argument("--beside", metavar="RUN", nargs="+" if former == "extend" else None, action=former, default=[],
                        help=argparse.SUPPRESS)


def ensemble_of(options):
    """Return the further runs that a command line names; under the option's former name with a note."""
    if options.beside:
        print("note: --beside is now called --ensemble, and will go in the next version", file=sys.stderr)
    return [*options.ensemble, *options.beside]
