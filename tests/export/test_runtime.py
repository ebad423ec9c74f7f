"""Bundles in ONNX where nothing else but NumPy and onnxruntime is; `gluon_rnn/tasks/trials.py` asks them."""
import importlib.util
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.export import BundleError, export_run, load, runtime
from gluon_rnn.tasks import trials

ROOT = pathlib.Path(__file__).resolve().parents[2]
# one of each kind of answer; those of the zoo that are small
MODELS = {"tdnn_names": (["O'Neil", "Yamamoto"], {}), "elman_grammar": ("", {"length": 12, "seed": 3}),
          "gru_names": ("Irish", {"count": 2, "seed": 1}), "peephole_lstm_pendigits": ("47,100,27,81,57,37,26,0", {})}
ALONE = """
import json, sys

class Alone:
    known = {*sys.stdlib_module_names, "numpy", "gluon_rnn", "onnxruntime",
             "flatbuffers", "packaging", "google", "coloredlogs", "humanfriendly", "sympy", "mpmath"}   # onnxruntime's

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in self.known:
            raise ImportError(f"{name} is kept away")

sys.meta_path.insert(0, Alone())
from gluon_rnn.export import runtime
found = {}
for name, (item, options) in json.loads(sys.argv[2]).items():
    found[name] = runtime.load(f"{sys.argv[1]}/{name}").predict(item, **options)
x = [[0.1 * t] for t in range(20)]
found["narx"] = runtime.load(f"{sys.argv[1]}/narx").predict(x, x, steps_ahead=None).tolist()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    for name in MODELS:
        export_run(gluon_rnn.load(name), folder / name, format="onnx")
    export_run(gluon_rnn.load("narx_gas_furnace"), folder / "narx", format="onnx")
    return folder


@pytest.mark.skipif(not hasattr(sys, "stdlib_module_names"), reason="the list of modules is there from Python 3.10 on")
def test_answers_are_those_of_the_runs_without_mxnet(bundles):
    done = subprocess.run([sys.executable, "-c", ALONE, str(bundles), json.dumps(MODELS)], cwd=ROOT,
                          capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    for name, (item, options) in MODELS.items():
        expected = gluon_rnn.load(name).predict(item, **options)
        if isinstance(expected, dict):
            expected, found[name] = [expected], [found[name]]
        for ours, theirs in zip(found[name], expected):
            # probabilities: the rounding of float32 in another order of sums
            assert ours == (pytest.approx(theirs, abs=1e-5) if isinstance(theirs, dict) else theirs), name
    x = np.array([[0.1 * t] for t in range(20)])
    expected = gluon_rnn.load("narx_gas_furnace").predict(x, x, steps_ahead=None)
    np.testing.assert_allclose(found["narx"], expected, rtol=1e-4)        # float32, fed back over 18 steps


def test_other_kinds_of_bundles_are_named(bundles, tmp_path):
    export_run(gluon_rnn.load("elman_grammar"), tmp_path / "symbol")
    with pytest.raises(BundleError, match="MXNet's symbols; load it by gluon_rnn.export.load.*--format onnx"):
        runtime.load(tmp_path / "symbol")
    assert load(bundles / "elman_grammar").manifest["kind"] == "onnx"


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_an_extra_that_is_missing_costs_one_sentence(bundles, tmp_path, monkeypatch, missing):
    run, find = gluon_rnn.load("elman_grammar"), importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(BundleError, match=r"needs onnx and onnxruntime.*pip install 'gluon_rnn\[onnx\]'"):
        export_run(run, tmp_path / "bundle", format="onnx")
    assert not (tmp_path / "bundle").exists()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BundleError, match="answered by onnxruntime, which is not installed"):
        load(bundles / "elman_grammar")


def test_a_damaged_graph_is_refused(bundles, tmp_path):
    path = bundles / "elman_grammar" / "model.onnx"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-10])
        with pytest.raises(BundleError, match="model.onnx' has sha256"):
            runtime.load(bundles / "elman_grammar")
    finally:
        path.write_bytes(whole)


def test_streams_are_those_of_the_run(bundles):
    words = ["boy", "see", "girl"]
    run, bundle = gluon_rnn.load("elman_grammar"), load(bundles / "elman_grammar")
    ids = [bundle.vocab[word] for word in words]
    session, whole = bundle.session(), bundle([[one] for one in ids])
    steps = np.concatenate([session.step([one]) for one in ids])
    np.testing.assert_allclose(steps, whole[:, 0], rtol=0, atol=1e-5)     # the rounding of float32
    live = run.model(trials.ids(3)[:3]).asnumpy()
    np.testing.assert_allclose(bundle(trials.ids(3)[:3].asnumpy()), live, rtol=0, atol=1e-5)


def test_quantised_weights_are_smaller_and_nearly_right(bundles, tmp_path):
    run = gluon_rnn.load("tdnn_names")
    difference = export_run(run, tmp_path / "small", format="onnx", quantize=True)
    sizes = [(folder / "model.onnx").stat().st_size for folder in (tmp_path / "small", bundles / "tdnn_names")]
    assert sizes[0] < 0.6 * sizes[1] and 1e-5 < difference < 1
    assert load(tmp_path / "small").manifest["quantized"]
    with pytest.raises(BundleError, match="quantised in ONNX only"):
        export_run(run, tmp_path / "symbol", quantize=True)
    assert not (tmp_path / "symbol").exists()


def test_what_is_asked_can_be_answered():
    """Made-up input is of the right kind: a bundle that is compared on nothing would prove nothing."""
    for name in ("tdnn_names", "peephole_lstm_pendigits"):
        run = gluon_rnn.load(name)
        (items,), = (arguments for arguments, _ in run.trials())
        assert len(items) == 3 and len(run.predict(items)) == 3
    assert trials.items(gluon_rnn.load("tdnn_names").assets.reader) == trials.items(
        gluon_rnn.load("tdnn_names").assets.reader)
