"""Servers for the tests: each a uvicorn on a free port, asked by real clients."""
import contextlib

import httpx
import pytest

from gluon_rnn.serve import Limits, build_app, running
from tests.serve.fakes import fake


@pytest.fixture
def serve():
    """Return a function that serves a fake under limits, and gives an httpx client and the fake."""
    with contextlib.ExitStack() as stack:
        def start(seconds=0.0, unit="character", **limits):
            limits = Limits(**limits)
            served = fake(seconds, limits, unit)
            address = stack.enter_context(running(build_app(served, limits)))
            return stack.enter_context(httpx.Client(base_url=address, timeout=30)), served.predictor

        yield start
