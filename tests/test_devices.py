"""The devices that a user names, and the sentences where there are none such: `gluon_rnn/runtime.py`."""
import mxnet as mx
import pytest

from gluon_rnn import runtime


def test_cpu():
    assert runtime.devices("cpu") == [mx.cpu(0)]
    assert runtime.devices("cpu(0), cpu(1)") == [mx.cpu(0), mx.cpu(1)]


@pytest.mark.parametrize(("gpus", "text", "expected"), [
    (0, "auto", [mx.cpu(0)]),
    (2, "auto", [mx.gpu(0)]),
    (2, "gpu", [mx.gpu(0)]),
    (2, "gpu(1),gpu(0)", [mx.gpu(1), mx.gpu(0)]),
    (2, "cpu", [mx.cpu(0)]),
])
def test_the_choice_follows_the_gpus_there_are(monkeypatch, gpus, text, expected):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: gpus)
    assert runtime.devices(text) == expected


@pytest.mark.parametrize(("text", "message"), [
    ("gpu", r"'gpu' needs gpu\(0\), but MXNet sees 0 GPU"),
    ("gpu(0),gpu(0)", r"needs gpu\(0\), but MXNet sees 0 GPU"),
    ("cpu(1),cpu(1)", r"names cpu\(1\) twice"),
    ("cpu,cpu(0)", r"names cpu\(0\) twice"),
    ("tpu", "expected 'auto', 'cpu', 'gpu' or a list like .* got 'tpu'"),
    ("cpu,", "got 'cpu,'"),
    ("", "got ''"),
    ("gpu(-1)", "got"),
    (0, "got 0"),
    (None, "got None"),
])
def test_what_is_wrong_is_said_in_one_sentence(monkeypatch, text, message):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 0)
    with pytest.raises(ValueError, match=message) as caught:
        runtime.devices(text)
    assert "\n" not in str(caught.value)


def test_cpu_and_gpu_do_not_mix(monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 1)
    with pytest.raises(ValueError, match="mixes CPU and GPU"):
        runtime.devices("cpu,gpu")


def test_a_driver_that_is_missing_means_no_gpu(monkeypatch):
    def fail():
        raise mx.base.MXNetError("CUDA: no driver")
    monkeypatch.setattr(mx.context, "num_gpus", fail)
    assert runtime.devices("auto") == [mx.cpu(0)]


@pytest.mark.gpu
def test_a_real_gpu_computes():
    device, = runtime.devices("gpu")
    assert mx.nd.ones((2, 3), ctx=device).sum().asscalar() == 6
