"""Sockets, the start and the end of a server."""
import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from gluon_rnn.serve import build_app, running
from gluon_rnn.serve.server import address_of, bind
from tests.serve.fakes import expected, fake

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_free_port_is_taken_on_loopback():
    with bind("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        assert host == "127.0.0.1" and port > 0 and address_of(listening) == f"http://127.0.0.1:{port}"


def test_an_address_of_version_6_is_written_in_brackets():
    with contextlib.suppress(ValueError), bind("::1", 0) as listening:    # a machine may have none
        assert address_of(listening).startswith("http://[::1]:")


def test_ports_and_addresses_that_cannot_be_had_are_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for host, wanted, reason in [
                ("127.0.0.1", port, "the port is in use; pass another --port, or --port 0 for a free one"),
                ("192.0.2.1", 0, "this machine has no such address; pass --host 127.0.0.1, or 0.0.0.0 for all its "
                                 "addresses"),
                ("127.0.0.1", 70000, "a port is a number from 0 to 65535"),
                ("no.such.host.invalid", 0, "")]:
            with pytest.raises(ValueError) as caught:
                bind(host, wanted)
            assert str(caught.value).startswith(f"cannot listen on {host} port {wanted}: {reason}")


def test_the_end_of_the_block_is_the_end_of_the_server_and_its_threads():
    before = set(threading.enumerate())
    with running(build_app(fake())) as address:
        assert httpx.get(f"{address}/health").json()["ready"]
    assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_after_the_requests_in_progress(number):
    code = ("from gluon_rnn.serve import build_app, server\nfrom tests.serve.fakes import fake\n"
            "with server.bind('127.0.0.1', 0) as listening:\n"
            "    app = build_app(fake(seconds=1.0))\n"
            "    print(server.address_of(listening), flush=True)\n"
            "    server.run(app, listening)\nprint('ended')")
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        address = process.stdout.readline().strip()
        answers = []
        asking = threading.Thread(target=lambda: answers.append(httpx.post(f"{address}/predict", json={"item": "a"},
                                                                           timeout=30)))
        httpx.get(f"{address}/health", timeout=30)                        # it has started
        asking.start()
        time.sleep(0.4)                                                   # the model is at work
        process.send_signal(number)
        asking.join()
        rest, errors = process.communicate(timeout=30)
    assert answers[0].json() == {"answers": [expected("a")]}
    assert (process.returncode, rest, errors) == (0, "ended\n", "")
