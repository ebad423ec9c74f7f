"""The process of a command: log lines on standard output, user errors as one sentence on standard error, the status."""
import logging
import os
import sys

__all__ = ["log_to_stdout", "run_command"]


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


def log_to_stdout():
    """Print the package's log lines, as they are, to standard output."""
    logger = logging.getLogger("gluon_rnn")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _report(error):
    """Print what `error` says and return the status; raise it again where it is no mistake of the user."""
    if isinstance(error, OSError) and error.filename is not None:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if isinstance(error, ValueError):
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _report_training(error)


def _report_training(error):
    from gluon_rnn.training import Interrupted, TrainingError  # MXNet: loaded already if one of these was raised
    if isinstance(error, Interrupted):
        print(error, file=sys.stderr)
        print(error.path, flush=True)
        return error.exit_status
    if isinstance(error, TrainingError):
        print(f"error: {error}", file=sys.stderr)
        return 1
    raise error
