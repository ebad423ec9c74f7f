"""The device that the tests of this folder compute on, next to the CPU.

``GLUON_RNN_TEST_DEVICE`` names it:

- ``gpu(0)``, the default: a GPU. The tests are those of ``pytest -m gpu`` and are skipped where there is none.
- ``cpu(1)``: another CPU for MXNet, which refuses operators with arrays on both, as it does of CPU and GPU.
- ``pretended``: ``cpu(1)``, which says of itself that it is a GPU. Whatever is taken on CPUs only is not taken, and
  what would read its memory by NumPy is refused. What NumPy computes, it computes on copies. Some tests run so always.
"""
import os

# Products in float32 as the CPU has them: cuBLAS and cuDNN may round their factors to 10 bits.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")

import pytest

from gluon_rnn import runtime
import mxnet as mx

NAMED = os.environ.get("GLUON_RNN_TEST_DEVICE", "gpu(0)")
#: whether everything is to be tested; the few tests that always run leave out reports
IS_NAMED = "GLUON_RNN_TEST_DEVICE" in os.environ
PRETENDED = "pretended"


def on_devices(cases, always=()):
    """Return parameters ("case", "device"): all `cases` on the device named, those of `always` on a pretended GPU."""
    marks = [pytest.mark.gpu] if NAMED.startswith("gpu") else []
    found = [pytest.param(case, NAMED, marks=marks, id=f"{name_of(case)}-{NAMED}") for case in cases]
    if NAMED != PRETENDED:
        found += [pytest.param(case, PRETENDED, id=f"{name_of(case)}-{PRETENDED}") for case in always]
    return pytest.mark.parametrize("case, device", found, indirect=["device"])


def name_of(case):
    """Return what a case is called."""
    if isinstance(case, str):
        return case
    return f"{case[0]}-{'-'.join(map(str, case[1].values())) or 'plain'}"


@pytest.fixture
def device(request, monkeypatch):
    """Return the device, a `mxnet.Context`."""
    if request.param == PRETENDED:
        _pretend(monkeypatch)
        return mx.cpu(1)
    return runtime.devices(request.param)[0]


def _pretend(monkeypatch):
    """Have cpu(1) say that it is a GPU, but to MXNet itself, which asks for numbers and for texts."""
    truth = mx.Context.device_type

    def device_type(self):
        return "gpu" if self.device_id == 1 else truth.fget(self)

    monkeypatch.setattr(mx.Context, "device_type", property(device_type))
    monkeypatch.setattr(mx.Context, "__str__", lambda self: f"{truth.fget(self)}({self.device_id})")
    monkeypatch.setattr(mx.Context, "__repr__", mx.Context.__str__)
