"""The command ``gluon-rnn``: each of its commands is a module here, which loads fast and imports MXNet in `run` only.

Such a module has a docstring, whose first line is the command's line in the help; ``EXAMPLE``, lines that begin with
``gluon-rnn NAME``, which the help shows and the tests run; ``add_arguments(parser)``; and ``run(options)``, which
returns the exit status, or None for 0. ``INTERMIXED = True`` lets options stand between its positional arguments.
"""

__all__ = ["COMMANDS"]

#: In the order of the help.
COMMANDS = (
    "train",
    "launch",
    "evaluate",
    "diagnose",
    "report",
    "compare",
    "predict",
    "generate",
    "forecast",
    "export",
    "convert",
    "vectors",
    "serve",
    "recipes",
    "data",
    "results",
    "zoo",
    "benchmark",
    "classic",
    "completion",
)
