"""Peers that several tests ask: each is a process that takes seconds to load its libraries."""
import contextlib

import pytest

from gluon_rnn.benchmark.peers import Peer
from gluon_rnn.cli import benchmark


@pytest.fixture(scope="package")
def running():
    """Return a function that gives the running peer of a name, on one thread."""
    with contextlib.ExitStack() as stack:
        found = {}

        def peer(name):
            if name not in found:
                found[name] = stack.enter_context(Peer(name, threads=1))
            return found[name]

        yield peer


@pytest.fixture
def script_asks_running(running, monkeypatch):
    """Have the script take the running peers; one by an interpreter of its own it starts itself."""
    def start(name, threads, python=None):
        return Peer(name, threads, python) if python else contextlib.nullcontext(running(name))

    monkeypatch.setattr(benchmark, "Peer", start)
