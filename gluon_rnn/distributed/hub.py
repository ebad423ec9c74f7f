"""The hub: where all processes of a training say that they are there, and exchange small values.

It is a thread of the scheduler's process. Each of the others holds a connection to it, on which both sides send lines
of JSON:

=====================  ======================  ===========================================================
to the hub             from the hub            meaning
=====================  ======================  ===========================================================
{"join": role, ...}    {"rank": r}             a process comes; a worker gets its rank
{"gather": value}      {"gathered": [...]}     a value of each worker, sent to all once the last has come
{"beat": 1}            {"beat": 1}             a sign of life, a few times in each `timeout`
{"bye": 1}                                     a process has done its work
                       {"done": 1}             all workers have: nobody misses anybody from here on
{"fail": sentence}     {"end": sentence}       something is wrong: everybody ends with this sentence
=====================  ======================  ===========================================================

A connection that closes before its process has said goodbye, a silence of `timeout` seconds, or a process that has not
come within `patience` seconds ends everybody too. A killed process closes its connections at once; a machine that is
cut off is found by its silence.

Like ps-lite itself the hub asks nobody for a password: it belongs into a network that others cannot reach.
"""
import contextlib
import json
import socket
import threading
import time

__all__ = ["Hub"]


class Hub:
    """Accept connections until the training ends.

    Parameters
    ----------
    node : gluon_rnn.distributed.variables.Node
        The scheduler.
    on_end : callable
        Called once with the sentence that ends everybody, after it was sent to them.
    """

    def __init__(self, node, on_end):
        self._node, self._on_end = node, on_end
        self._lock = threading.RLock()
        self._members, self._values = {}, {}                   # connection: its name; worker's rank: its value
        self._ranks, self._servers, self._left = set(), 0, 0   # workers by rank; counts of servers, and of byes
        self._ended = False
        self._socket = socket.create_server(("", node.hub[1]), reuse_port=False)
        for run in (self._accept, self._wait_for_all, self._beat):
            threading.Thread(target=run, daemon=True).start()

    def close(self):
        """Take no more connections."""
        self._ended = True
        self._socket.close()

    # ---- connections ---------------------------------------------------------------------------------------------

    def _accept(self):
        while not self._ended:
            try:
                connection, (host, *_) = self._socket.accept()
            except OSError:                                               # closed
                return
            connection.settimeout(self._node.timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, host), daemon=True).start()

    def _serve(self, connection, host):
        """Read what one process says, until it is gone."""
        name, left, reason = f"a process on {host}", False, "its process has ended"
        try:
            with connection.makefile("r", encoding="utf-8") as lines:
                hello = json.loads(next(lines, "{}"))
                if "join" not in hello:                                   # a stranger: no part of the training
                    connection.close()
                    return
                name, rank = self._join(connection, hello, host)
                for line in lines:
                    message = json.loads(line)
                    left = left or "bye" in message
                    self._take(rank, message)
        except TimeoutError:
            reason = f"nothing was heard of it for {self._node.timeout:g} s"
        except (OSError, ValueError) as error:
            reason = str(error)
        with self._lock:
            self._members.pop(connection, None)
        if not left:
            self.end(f"{name} on {host} is gone ({reason})")

    def _join(self, connection, hello, host):
        """Give a process its place; a sentence ends everybody where there is none for it."""
        with self._lock:
            role, rank = hello["join"], hello.get("rank")
            if role == "server":
                self._servers += 1
                name, taken = "a server", self._servers > self._node.servers
            else:
                free = [number for number in range(self._node.workers) if number not in self._ranks]
                rank = free[0] if rank is None and free else rank
                name, taken = f"worker {rank}", rank not in free
                self._ranks.add(rank)
            self._members[connection] = name
            _send(connection, {"rank": rank})
        if taken:
            self.end(f"{name} on {host} came where {self._node.workers} workers and {self._node.servers} servers were "
                     "there already, or its rank was taken; look for a process of an earlier training")
        return name, rank

    def _take(self, rank, message):
        if "gather" in message:
            with self._lock:
                self._values[rank] = message["gather"]
                if len(self._values) == self._node.workers:
                    values, self._values = self._values, {}
                    self._tell({"gathered": [values[rank] for rank in sorted(values)]}, "worker")
        elif "bye" in message and rank is not None:
            with self._lock:
                self._left += 1
                if self._left == self._node.workers:
                    self._tell({"done": 1})
        elif "fail" in message:
            self.end(f"worker {rank}: {message['fail']}")

    # ---- everybody -----------------------------------------------------------------------------------------------

    def end(self, sentence):
        """Tell everybody the sentence that the training ends with, once."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._tell({"end": sentence})
        self._on_end(sentence)

    def _tell(self, message, kind=""):
        for connection, name in list(self._members.items()):
            if name.startswith(kind):
                _send(connection, message)

    def _wait_for_all(self):
        time.sleep(self._node.patience)
        node, workers = self._node, len(self._ranks)
        if workers < node.workers or self._servers < node.servers:
            self.end(f"{workers} of {node.workers} workers and {self._servers} of {node.servers} servers came within "
                     f"{node.patience:g} s; look at the output of the others")

    def _beat(self):
        while not self._ended:
            time.sleep(self._node.timeout / 5)
            with self._lock:
                self._tell({"beat": 1})


def _send(connection, message):
    """Send one line; a connection that is closed is noticed by whoever reads from it."""
    with contextlib.suppress(OSError):
        connection.sendall((json.dumps(message) + "\n").encode())
