"""From an application to a server: a socket, uvicorn, and the end of it."""
import contextlib
import errno
import signal
import socket
import threading
import time

import uvicorn

__all__ = ["address_of", "bind", "run", "running"]

_GRACE = 30         # s that requests in progress have when the server is told to end
_REASONS = {
    errno.EADDRINUSE: "the port is in use; pass another --port, or --port 0 for a free one",
    errno.EACCES: "this user may not open the port; pass a --port above 1023",
    errno.EADDRNOTAVAIL: "this machine has no such address; pass --host 127.0.0.1, or 0.0.0.0 for all its addresses",
}


def bind(host, port):
    """Return a listening socket.

    Parameters
    ----------
    host : str
        Address or name of this machine.
    port : int
        0 takes a free one.

    Raises
    ------
    ValueError
        If the port is in use or not to be had, or there is no such address.
    """
    where = f"cannot listen on {host} port {port}"
    if not 0 <= port <= 65535:
        raise ValueError(f"{where}: a port is a number from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                                flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise ValueError(f"{where}: {error.strerror}; pass --host 127.0.0.1, or a name that this machine has") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise ValueError(f"{where}: {_REASONS.get(error.errno, error.strerror)}") from None
    return listening


def address_of(listening):
    """Return the address, ``http://...``, at which a socket of `bind` is found."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _server(app):
    limits = app.state.serving.limits
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws_max_size=limits.max_body,
                                         timeout_graceful_shutdown=_GRACE, server_header=False))


def run(app, listening):
    """Serve until SIGINT or SIGTERM; requests in progress are answered first.

    Parameters
    ----------
    app
        Of `gluon_rnn.serve.app.build_app`.
    listening : socket
        Of `bind`; closed at the end.
    """
    # uvicorn raises the signal that ended it once more, for whoever had it before: nobody here
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _server(app).run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        listening.close()


@contextlib.contextmanager
def running(app, host="127.0.0.1", port=0, listening=None):
    """Serve in a thread inside of the ``with`` block; its value is the server's address.

    Parameters
    ----------
    app
        Of `gluon_rnn.serve.app.build_app`; it serves once.
    host, port
        As for `bind`; or `listening`, a socket that it gave.

    Raises
    ------
    ValueError
        If the port cannot be had.
    """
    listening, server = listening or bind(host, port), _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
