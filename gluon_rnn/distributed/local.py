"""All processes of a distributed training on this machine."""
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from gluon_rnn.distributed.variables import variables_of
from gluon_rnn.runtime import physical_cores

__all__ = ["free_port", "processes_of", "run"]

# Seconds that the others have to end by themselves after the first that failed.
_GRACE = 15


def free_port():
    """Return a port that is free here, as is the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            try:
                second.bind(("127.0.0.1", first.getsockname()[1] + 1))
            except OSError:
                continue
            return first.getsockname()[1]


def processes_of(node):
    """Return the `Node` of each process of a training, `node` being any one of them: scheduler, servers, workers."""
    roles = ["scheduler", *["server"] * node.servers]
    return [*(dataclasses.replace(node, role=role, rank=None) for role in roles),
            *(dataclasses.replace(node, role="worker", rank=rank) for rank in range(node.workers))]


def run(node, words):
    """Start all processes of a training, wait for them, and return the exit status of worker 0.

    Parameters
    ----------
    node : gluon_rnn.distributed.variables.Node
        Any of them.
    words : list of str
        The command line of `gluon-rnn launch` without what is in the variables.
    """
    nodes, seen = processes_of(node), _Seen()
    running = [_start(each, words, seen) for each in nodes]
    workers = [process for each, process in zip(nodes, running) if each.role == "worker"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:                # which workers have inherited, as under nohup
            signal.signal(number, lambda number, _: [process.send_signal(number) for process in workers])
    _wait(running)
    seen.finish()
    return next((abs(process.returncode) for process in (workers[0], *running) if process.returncode), 0)


def _start(node, words, seen):
    """Start the process of one `Node`; all workers together have no more threads than there are cores."""
    # More threads than cores wait for each other actively, which made a step here fifteen times as long.
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    most = int(chosen) if chosen.isdigit() else physical_cores()
    threads = str(max(1, min(most, physical_cores() // node.workers)) if node.role == "worker" else 1)
    environ = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
               **variables_of(node), "DMLC_NODE_HOST": node.root}
    process = subprocess.Popen([sys.executable, "-m", "gluon_rnn", "launch", "--role", node.role, *words], env=environ,
                               start_new_session=True, stderr=subprocess.PIPE, text=True)
    seen.forward(process.stderr)
    return process


def _wait(running):
    """Wait until all processes have ended; those that outlive a failed one for long are killed."""
    deadline = None
    while any(process.poll() is None for process in running):
        if deadline is None and any(process.returncode for process in running):
            deadline = time.monotonic() + _GRACE
        if deadline is not None and time.monotonic() > deadline:
            for process in running:
                process.kill()
        time.sleep(0.1)


class _Seen:
    """Hands on what processes write to standard error, one error that all of them report once."""

    def __init__(self):
        self._lines, self._lock, self._threads = set(), threading.Lock(), []

    def forward(self, stream):
        self._threads.append(threading.Thread(target=self._run, args=(stream,), daemon=True))
        self._threads[-1].start()

    def finish(self):
        for thread in self._threads:
            thread.join()

    def _run(self, stream):
        for line in stream:
            with self._lock:
                if line not in self._lines or not line.startswith("error: "):
                    sys.stderr.write(line)
                    sys.stderr.flush()
                self._lines.add(line)
