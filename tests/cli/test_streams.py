"""Streams that are closed, full or not read, by commands in this process; "make rough" tries whole ones in shells."""
import errno
import io
import logging
import os
import subprocess
import sys

import pytest

from gluon_rnn.cli import streams
from gluon_rnn.cli.process import run_command


class Broken(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def ended(command, monkeypatch, stdout=None):
    """Return the status with which `command` ends the process."""
    logger = logging.getLogger("gluon_rnn")
    monkeypatch.setattr(logger, "handlers", [])
    if stdout is not None:
        monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit) as caught:
        run_command(lambda argv: command())
    return caught.value.code


def log_a_line():
    logging.getLogger("gluon_rnn").info("a line")


@pytest.mark.parametrize("command", [log_a_line, lambda: print("a line")])
@pytest.mark.parametrize("error, status, said", [
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
    (OSError(errno.ENOSPC, "No space left on device", streams.OUTPUT), 1,
     "error: standard output: No space left on device\n")])
def test_what_cannot_be_written_ends_a_command(command, error, status, said, monkeypatch, capsys):
    assert ended(command, monkeypatch, Broken(error)) == status
    assert capsys.readouterr().err == said


def test_a_log_line_that_fails_names_the_stream():
    handler = streams.LogHandler(Broken(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError) as caught:
        handler.handle(logging.LogRecord("gluon_rnn", logging.INFO, "", 0, "a line", (), None))
    assert caught.value.filename == streams.OUTPUT and streams.of_output(caught.value)


def test_a_file_that_cannot_be_written_is_named_and_is_no_stream(monkeypatch, capsys):
    def command():
        raise OSError(errno.ENOSPC, "No space left on device", "runs/a-1/metrics.csv")
    assert ended(command, monkeypatch) == 2
    assert capsys.readouterr().err == "error: runs/a-1/metrics.csv: No space left on device\n"


def test_statuses_of_a_parser_pass_through(monkeypatch):
    assert ended(lambda: sys.exit(2), monkeypatch) == 2
    assert ended(lambda: 0, monkeypatch) == 0


def test_closed_streams_are_occupied_and_the_output_refuses():
    """In a process of its own, which loads no MXNet: no file that is opened later gets the number of a stream."""
    code = ("from gluon_rnn.cli import streams, process\n"
            "def command(argv):\n"
            "    file = open('/dev/null')\n"
            "    assert file.fileno() > 2, file.fileno()\n"
            "    print('lost')\n"
            "process.run_command(command)")
    shell = '"$0" -c "$1" <&- >&-'
    done = subprocess.run(["bash", "-c", shell, sys.executable, code], capture_output=True, text=True, check=False,
                          cwd=os.getcwd(), timeout=100)
    assert (done.returncode, done.stderr) == (1, "error: standard output: Bad file descriptor\n")
