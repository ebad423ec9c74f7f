"""Options that several commands have."""
import argparse
import sys

__all__ = ["add_checkpoint", "add_ensemble", "add_run", "ensemble_of", "folders", "recipe_names", "recipes_and_files"]


def add_run(parser):
    """Add the positional argument ``RUN``, the folder of a run."""
    parser.add_argument("run", metavar="RUN", help="folder that train printed last, or zoo model").completer = folders


def add_checkpoint(parser):
    """Add the option ``--checkpoint``."""
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="default: best")


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


def recipe_names(prefix, **_):
    """Return the packaged recipes that a shell may complete `prefix` to, by their names or the last part of them."""
    from gluon_rnn.recipe_files import names
    known = names()
    return [name for name in known if name.startswith(prefix)] or [
        name.rpartition("/")[2] for name in known if name.rpartition("/")[2].startswith(prefix)]


def recipes_and_files(prefix, **_):
    """Return what `recipe_names` does, and the YAML files and folders that begin with `prefix`."""
    from argcomplete.completers import FilesCompleter
    return [*recipe_names(prefix), *FilesCompleter(("yaml", "yml"))(prefix)]


def folders(prefix, **_):
    """Return the folders that a shell may complete `prefix` to."""
    from argcomplete.completers import DirectoriesCompleter
    return DirectoriesCompleter()(prefix)
