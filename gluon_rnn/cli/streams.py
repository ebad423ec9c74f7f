"""Standard streams as Unix tools treat them: closed ones, full devices, pipes that nobody reads, narrow locales."""
import contextlib
import io
import logging
import os
import sys

__all__ = ["OUTPUT", "LogHandler", "check_output", "discard_output", "of_output", "prepare", "say"]

#: what messages call the stream
OUTPUT = "standard output"


class LogHandler(logging.StreamHandler):
    """Writes log lines; one that cannot be written ends the command, as it does in other tools."""

    def handleError(self, record):  # noqa: N802  the name is logging's
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        if error.filename is None and not isinstance(error, BrokenPipeError):
            error.filename = OUTPUT
        raise error


class _Output(io.TextIOWrapper):
    """Standard output whose errors say so, and are kept: those of a buffer and of a file bear no name."""

    error = None

    def write(self, text):
        with self._named():
            return super().write(text)

    def flush(self):
        with self._named():
            super().flush()

    @contextlib.contextmanager
    def _named(self):
        try:
            yield
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                error.filename = OUTPUT
            self.error = error
            raise


def prepare():
    """Open streams that are closed, so that no file gets their numbers, and let none fail on a character.

    A closed standard output can be opened but not written to, so that a command that has something to say fails; a
    closed standard error and standard input are empty ones.
    """
    for number, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            _occupy(number, flags)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    if type(sys.stdout) is io.TextIOWrapper:                           # not where a test captures it
        old = sys.stdout
        sys.stdout = _Output(old.detach(), encoding=old.encoding, errors=old.errors, line_buffering=old.line_buffering,
                             write_through=old.write_through)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")


def _occupy(number, flags):
    """Have `os.devnull` under the file number `number`, where it is free."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, flags)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def of_output(error):
    """Return whether an `OSError` is one of standard output."""
    return error.filename == OUTPUT


def check_output():
    """Write what is left to standard output; OSError, also where somebody has swallowed one, as the parser does."""
    sys.stdout.flush()
    error = getattr(sys.stdout, "error", None)
    if error is not None:
        raise error


def discard_output():
    """Let what is still to be written go nowhere: Python would complain of it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


def say(text):
    """Print a line on standard error, if anybody can hear it."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
