"""A file server on the loopback address that can misbehave as the servers and proxies of the world do."""
import contextlib
import hashlib
import http.server
import threading

__all__ = ["serving"]


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, {path: bytes}; a proxy's request has the whole address as its path.

    Attributes that a test sets: `breaks_after` bytes of an answer (None: never), `stalls` (waits instead of breaking),
    `ranges` and `validators` (whether the server knows of them), `chunked` (a length is not said before), `status` (of
    every answer, or None). `requests` holds (path, Range or None) of everything that was asked for.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.requests = {}, []
        self.breaks_after, self.stalls, self.status = None, False, None
        self.ranges = self.validators = True
        self.chunked = False
        self.go_on = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server_version = "local"
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        body = server.files.get(self.path)
        if server.status or body is None:
            self.send_error(server.status or 404)
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        same = self.headers.get("If-Range") in (None, tag)
        start = int(wanted[len("bytes="):-1]) if wanted and server.ranges and same else 0
        if start >= len(body) > 0 and start:
            self.send_error(416)
            return
        self._send(body, start, tag)

    def _send(self, body, start, tag):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.server.validators:
            self.send_header("ETag", tag)
        self.send_header("Connection", "close")
        self.send_header(*(("Transfer-Encoding", "chunked") if self.server.chunked
                           else ("Content-Length", str(len(body) - start))))
        self.end_headers()
        stop = len(body) if self.server.breaks_after is None else start + self.server.breaks_after
        self._write(body[start:stop])
        if self.server.stalls and stop < len(body):
            self.server.go_on.wait(30)
            self._write(body[stop:])
        if self.server.chunked and stop >= len(body):
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.server.chunked else piece)
        self.wfile.flush()

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(files=()):
    """Serve `files`, {path: bytes}, inside the ``with`` block; its value is the server."""
    with Server() as server:
        server.files.update(files)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
