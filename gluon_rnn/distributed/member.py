"""A process's connection to the hub: signs of life, values of all workers, and the end of everybody."""
import contextlib
import json
import queue
import socket
import threading
import time

__all__ = ["Member"]


class Member:
    """Connect to the hub, and keep the connection alive on a thread.

    Parameters
    ----------
    node : gluon_rnn.distributed.variables.Node
        A server or a worker.
    on_end : callable
        Called with the sentence that ends everybody, on a thread of its own: the main one may wait in MXNet, which
        nothing can call back from there.

    Attributes
    ----------
    rank : int or None
        Of a worker.

    Raises
    ------
    OSError
        If the hub does not answer within `patience` seconds.
    """

    def __init__(self, node, on_end):
        self.node, self._on_end, self._lock = node, on_end, threading.Lock()
        self._gathered, self._closed = queue.Queue(), False
        self._socket = _connect(node)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._send({"join": node.role, "rank": node.rank})
        line = next(self._lines, "")
        if not line:
            raise OSError(f"the hub on {node.root} takes nobody any more; has the training ended already?")
        self.rank = json.loads(line).get("rank")
        for run in (self._listen, self._beat):
            threading.Thread(target=run, daemon=True).start()

    def gather(self, value):
        """Return a list of the `value` of each worker, by rank, once all have called this; values are those of JSON."""
        self._send({"gather": value})
        return self._gathered.get()

    def fail(self, sentence):
        """Have everybody else end with a sentence."""
        self._closed = True
        self._send({"fail": sentence})

    def close(self):
        """Say that the work is done: the hub may go, and this process too."""
        self._closed = True
        self._send({"bye": 1})

    def _listen(self):
        sentence = "the scheduler's process has ended"
        try:
            for line in self._lines:
                message = json.loads(line)
                if "gathered" in message:
                    self._gathered.put(message["gathered"])
                elif "done" in message:
                    self._closed = True
                elif "end" in message:
                    sentence = message["end"]
                    break
        except TimeoutError:
            sentence = f"nothing was heard of the scheduler on {self.node.root} for {self.node.timeout:g} s"
        except (OSError, ValueError) as error:
            sentence = f"the connection to the scheduler on {self.node.root} is broken ({error})"
        if not self._closed:
            self._on_end(sentence)

    def _beat(self):
        while True:
            time.sleep(self.node.timeout / 5)
            self._send({"beat": 1})

    def _send(self, message):
        """Send one line; that the hub is gone is noticed by the thread that listens."""
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall((json.dumps(message) + "\n").encode())


def _connect(node):
    """Return a connection to the hub, which may come later than this process."""
    deadline = time.monotonic() + node.patience
    while True:
        try:
            connection = socket.create_connection(node.hub, timeout=node.timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as error:
            if time.monotonic() > deadline:
                raise OSError(f"the scheduler on {node.root} did not answer at port {node.hub[1]} within "
                              f"{node.patience:g} s ({error}); is it started, and are both ports open?") from error
            time.sleep(0.1)
