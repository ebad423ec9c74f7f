"""What the commands share: user errors as one sentence on standard error, log lines on standard output."""
import argparse
import logging
import os
import sys

__all__ = ["add_ensemble", "ensemble_of", "run_command"]


def run_command(command, argv=None):
    """Call ``command(argv)`` and exit with its status.

    A mistake of the user (`ValueError`, which the package raises with a sentence that says what to do, or an `OSError`)
    ends with that sentence and status 2; training that cannot go on with its sentence and status 1; a run that a signal
    stopped with 130 or 143, the run's folder printed last as ever.
    """
    log_to_stdout()
    try:
        status = command(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except KeyboardInterrupt:
        status = 130
    except Exception as error:  # sorted below; what is not ours keeps its traceback
        status = _report(error)
    sys.exit(status)


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


def log_to_stdout():
    """Print the package's log lines, as they are, to standard output."""
    logger = logging.getLogger("gluon_rnn")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _report(error):
    from gluon_rnn.training import Interrupted, TrainingError
    if isinstance(error, Interrupted):
        print(error, file=sys.stderr)
        print(error.path, flush=True)
        return error.exit_status
    if isinstance(error, TrainingError):
        print(f"error: {error}", file=sys.stderr)
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if isinstance(error, ValueError):
        print(f"error: {error}", file=sys.stderr)
        return 2
    raise error
