"""The process of a command: log lines on standard output, user errors as one sentence on standard error, the status."""
import contextlib
import logging
import signal
import sys

from gluon_rnn.cli import streams

__all__ = ["log_to_stdout", "run_command"]


def run_command(command, argv=None):
    """Call ``command(argv)`` and exit with its status.

    A mistake of the user (`ValueError`, which the package raises with a sentence that says what to do, or an `OSError`)
    ends with that sentence and status 2; training that cannot go on, or output that cannot be written, with its
    sentence and status 1; a run that a signal stopped with 129, 130 or 143, the run's folder printed last as ever; a
    pipe that nobody reads any more with 141 and no word, as other tools do.
    """
    streams.prepare()
    log_to_stdout()
    try:
        status = _call(command, argv)
        streams.check_output()
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        status = 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        status = 130
    except Exception as error:  # sorted below; what is not ours keeps its traceback
        status = _report(error)
    streams.discard_output()
    sys.exit(status)


def _call(command, argv):
    """Return the status of a command, also where it exits: ``--help`` prints to a full device too."""
    try:
        return command(argv)
    except SystemExit as ended:
        return ended.code


def log_to_stdout():
    """Print the package's log lines, as they are, to standard output."""
    logger = logging.getLogger("gluon_rnn")
    if not logger.handlers:
        handler = streams.LogHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _report(error):
    """Print what `error` says and return the status; raise it again where it is no mistake of the user."""
    if isinstance(error, OSError) and streams.of_output(error):
        streams.say(f"error: {streams.OUTPUT}: {error.strerror}")
        return 1
    if isinstance(error, OSError) and error.strerror is not None:
        streams.say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror}")
        return 2
    if isinstance(error, ValueError):
        streams.say(f"error: {error}")
        return 2
    return _report_training(error)


def _report_training(error):
    from gluon_rnn.training import Interrupted, TrainingError  # MXNet: loaded already if one of these was raised
    if isinstance(error, Interrupted):
        streams.say(error)
        with contextlib.suppress(OSError):                   # of a terminal that is gone
            print(error.path, flush=True)
        return error.exit_status
    if isinstance(error, TrainingError):
        streams.say(f"error: {error}")
        return 1
    raise error
