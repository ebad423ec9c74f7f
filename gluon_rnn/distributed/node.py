"""What the process of a role does: the scheduler and a server serve until the workers are done, a worker trains."""
import importlib
import os
import signal
import socket
import sys

from gluon_rnn.distributed.hub import Hub
from gluon_rnn.distributed.member import Member

__all__ = ["join", "serve"]


def serve(node):
    """Be the scheduler or a server of ps-lite until the workers are done; the process exits from here.

    MXNet does it while it is imported, by ``DMLC_ROLE``. Signals are the workers' affair: they end the training, and
    that ends this process.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    place = Hub(node, _end) if node.role == "scheduler" else Member(node, _end)
    try:
        importlib.import_module("mxnet")
    except SystemExit:                                                    # how MXNet ends what has done its work
        place.close()
        raise
    except Exception as error:  # of MXNet's, such as a port that is taken: ps-lite would wait for the others
        _end(f"{node.role} on {socket.gethostname()}: {' '.join(str(error).split())}")


def join(node):
    """Return the `Member` of a worker."""
    return Member(node, _end)


def _end(sentence):
    """End this process at once, whatever its main thread waits for."""
    print(f"error: {sentence}; the training ends here, and --resume RUN goes on from the last checkpoint of its run",
          file=sys.stderr, flush=True)
    os._exit(1)
