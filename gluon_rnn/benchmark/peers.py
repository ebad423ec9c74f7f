"""The peers of a benchmark: processes that stay alive and are asked in turn, one at a time."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

from gluon_rnn.benchmark import worker

__all__ = ["Peer", "PeerError", "measure", "measure_forms"]

_WORKER = pathlib.Path(worker.__file__)


class PeerError(RuntimeError):
    """A peer that could not start, or that failed at what it was asked."""


class Peer:
    """One running worker process.

    Parameters
    ----------
    name : str
        A key of `gluon_rnn.benchmark.worker.PEERS`, such as "ours", "gluon", "torch".
    threads : int
        OpenMP threads it may use; ``gluon-default-threads`` is left to MXNet's own choice.
    python : str, optional
        The interpreter to run it; the current one by default.

    Raises
    ------
    PeerError
        If it does not start, with the reason that it gave.
    """

    def __init__(self, name, threads, python=None):
        self.name = name
        self._process = subprocess.Popen([python or sys.executable, str(_WORKER), name],
                                         env=_environment(name, threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, bufsize=1)
        try:
            self.about = self._reply()
        except PeerError:
            self.close()
            raise

    def _reply(self):
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"the peer {self.name!r} ended without an answer (exit status {self._process.wait()}); "
                            "its own message is above")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"the peer {self.name!r} failed: {answer['error']}")
        return answer["value"]

    def ask(self, do, **arguments):
        """Send one request (`worker` lists them), wait, and return the reply."""
        self._process.stdin.write(json.dumps(dict(arguments, do=do)) + "\n")
        return self._reply()

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _environment(name, threads):
    """Return the environment of the worker `name`: `threads` OpenMP threads, or no word on threads at all."""
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    if name != "gluon-default-threads":
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
    return environment


def measure(peers, case, repeats, min_seconds=0.02):
    """Return {name of peer: median seconds of one call} of `case`, the peers taking turns in every repeat.

    Turns, rather than one peer after the other, let a machine that grows slower or faster during the run do so for all.
    """
    return measure_forms(peers, case, repeats, min_seconds)[0]


def measure_forms(peers, case, repeats, min_seconds=0.02):
    """Return what `measure` returns, and {name of peer: name of its fastest form of the case}, "" where it has one."""
    forms = {}
    for peer in peers:
        forms[peer.name] = peer.ask("prepare", case=case, min_seconds=min_seconds)
    rounds = [[peer.ask("time") for peer in peers] for _ in range(repeats)]
    for peer in peers:
        peer.ask("drop")
    return {peer.name: statistics.median(times) for peer, times in zip(peers, zip(*rounds))}, forms
