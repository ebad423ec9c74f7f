# PYTHON_ARGCOMPLETE_OK  for users who have argcomplete complete every command that it knows
"""From a command line to a command: ``gluon-rnn train``, ``python -m gluon_rnn train``, ``python -m scripts.train``."""
import argparse
import importlib
import inspect
import os
import sys

import gluon_rnn
from gluon_rnn.cli import COMMANDS
from gluon_rnn.cli.process import run_command
from gluon_rnn.registry import suggest

__all__ = ["build_parser", "call", "main", "script", "start"]

PROG = "gluon-rnn"


def start():
    """Run the command line of this process and exit with its status, or complete it: the entry point of the package."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete
        argcomplete.autocomplete(build_parser())
    run_command(main)


def main(argv=None):
    """Run one command; ``main(["train", "quickstart"])`` returns its exit status.

    Parameters
    ----------
    argv : list of str, optional
        Default: the arguments of this process.

    Raises
    ------
    ValueError, OSError
        A mistake of the user, in one sentence; `start` prints it.
    SystemExit
        With status 2 where the command line is none, and with 0 for ``--help`` and ``--version``.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv and argv[0] in COMMANDS:
        return call(argv[0], argv[1:])
    parser = build_parser()
    if argv and not argv[0].startswith("-"):
        parser.error(f"there is no command {argv[0]!r}; {suggest(argv[0], COMMANDS)}")
    parser.parse_args(argv)
    parser.print_help()
    return 2


def call(name, argv=None, prog=None):
    """Run the command `name` with its own arguments; `prog` is how its messages call it."""
    module = importlib.import_module(f"gluon_rnn.cli.{name}")
    prog = prog or f"{PROG} {name}"
    parser = _fill(argparse.ArgumentParser(prog=prog, **_texts(module, prog)), module)
    parse = parser.parse_intermixed_args if getattr(module, "INTERMIXED", False) else parser.parse_args
    options = parse(argv)
    return module.run(options) or 0


def script(name):
    """Return ``main(argv)`` of the module ``scripts.<name>``: the command under that module's name."""
    def main(argv=None):
        return call(name, argv, f"python -m scripts.{name}")
    return main


def build_parser():
    """Return the parser of the whole command line, which the help and the completion of shells are made from."""
    parser = argparse.ArgumentParser(prog=PROG, description=gluon_rnn.__doc__.splitlines()[0],
                                     epilog=f"{PROG} COMMAND --help shows the options of a command, and an example")
    parser.add_argument("--version", action="version", version=f"gluon_rnn {gluon_rnn.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"gluon_rnn.cli.{name}")
        line = inspect.getdoc(module).splitlines()[0].rstrip(".").replace("%", "%%")
        _fill(commands.add_parser(name, help=line, **_texts(module, f"{PROG} {name}")), module)
    return parser


def _texts(module, prog):
    """Return what the help of a command says around its options; the example calls the command `prog`."""
    name = module.__name__.rpartition(".")[2]
    lines = [line.replace(f"{PROG} {name}", prog) for line in module.EXAMPLE.strip().splitlines()]
    example = "\n".join(["example:", *(f"  {line}" for line in lines)])
    return {"description": inspect.getdoc(module).replace("%", "%%"), "epilog": example.replace("%", "%%"),
            "formatter_class": argparse.RawDescriptionHelpFormatter}


def _fill(parser, module):
    module.add_arguments(parser)
    parser.set_defaults(parser=parser)
    return parser
