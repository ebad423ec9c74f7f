"""Commands in processes of their own, forked from one that has loaded everything: loading takes seconds each time.

What a command does before anything is loaded is tested by real processes elsewhere.
"""
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile

__all__ = ["Command"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["gluon_rnn.cli.main", "gluon_rnn.cli.process", "gluon_rnn.python_api",
                                 "gluon_rnn.recipes", "gluon_rnn.training"])


class Command:
    """``python -m MODULE WORDS``, with the streams and methods of `subprocess.Popen` that tests use.

    Parameters
    ----------
    module : str
    words : objects
        Of the command line.
    **environment : str
        Variables beside those of this process.
    """

    def __init__(self, module, *words, **environment):
        pipes = [_CONTEXT.Pipe(duplex=False) for _ in range(2)]
        self._process = _CONTEXT.Process(target=_call, args=(module, [str(word) for word in words],
                                                             {**os.environ, **environment}, [to for _, to in pipes]))
        self._process.start()
        for _, to in pipes:
            to.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(here.fileno()), encoding="utf-8") for here, _ in pipes)

    @property
    def returncode(self):
        """The status, below 0 for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number):
        """Send a signal."""
        os.kill(self._process.pid, number)

    def communicate(self, timeout=120):
        """Wait for the end and return what is left of both streams."""
        with self.stdout, self.stderr:
            found = self.stdout.read(), self.stderr.read()
        self._process.join(timeout)
        return found


def _call(module, words, environment, streams):
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)              # a job in a shell's background ignores it
    signal.signal(signal.SIGHUP, signal.SIG_DFL)                          # and one under nohup this
    tempfile.tempdir = None                                               # TMPDIR may be another one now
    for number, stream in enumerate(streams, 1):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1, closefd=False) for number in (1, 2))
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)
