"""Bundles: what comes back is the live model, at any T and N, without its classes; nothing foreign is touched."""
import json
import pathlib
import subprocess
import sys

import gluonnlp
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.export import BundleError, export, load
from gluon_rnn.models import LanguageModel
from tests.reference import EXACT, rounding

ROOT = pathlib.Path(__file__).resolve().parents[2]
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
# float32 one step at a time: products summed in another order, at nine steps of two layers of seven inputs and units
TOLERANCE = rounding("float32", 9 * 2 * (7 + 7))


def tokens(T, N, vocab_size=11):
    return mx.nd.array(np.random.randint(0, vocab_size, (T, N)), dtype="int32")


def language_model(cell="lstm", num_layers=2, dtype="float32", **kwargs):
    model = LanguageModel(11, CELLS[cell](7, num_layers, dtype=dtype), embed_size=7, **kwargs)
    model.initialize()
    model.hybridize()
    return model


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("tied, dtype, tolerance", [(False, "float64", EXACT["atol"]), (True, "float64", EXACT["atol"]),
                                                    (True, "float32", TOLERANCE)])
def test_round_trip_whole_and_stepwise(tmp_path, cell, tied, dtype, tolerance):
    model = language_model(cell, dtype=dtype, tie_weights=tied)
    assert export(model, tmp_path / "export", example=tokens(5, 3)) <= tolerance
    bundle = load(tmp_path / "export")
    inputs = tokens(9, 4)
    live, live_states = model(inputs, model.begin_state(4))
    np.testing.assert_allclose(bundle(inputs).asnumpy(), live.asnumpy(), rtol=0, atol=tolerance)
    states, steps = bundle.begin_state(4), []
    for t in range(9):
        output, states = bundle(inputs[t:t + 1], states)
        steps.append(output.asnumpy())
    np.testing.assert_allclose(np.concatenate(steps), live.asnumpy(), rtol=0, atol=tolerance)
    for ours, theirs in zip(states, live_states):
        np.testing.assert_allclose(ours.asnumpy(), theirs.asnumpy(), rtol=0, atol=tolerance)


def test_manifest_says_what_goes_in_and_comes_out(tmp_path):
    export(language_model(), tmp_path / "export", example=tokens(5, 3), extras={"note": "x"})
    manifest = load(tmp_path / "export").manifest
    assert manifest["inputs"] == [{"name": "data", "shape": ["T", "N"], "dtype": "int32"}]
    assert manifest["outputs"] == [{"name": "outputs", "shape": ["T", "N", 11], "dtype": "float32"}]
    assert [(state["name"], state["shape"]) for state in manifest["states"]] == [
        ("states_h", [2, "N", 7]), ("states_c", [2, "N", 7])]
    assert manifest["versions"]["mxnet"] == mx.__version__
    assert manifest["extras"] == {"note": "x"}
    assert manifest["vocabulary"] is None and load(tmp_path / "export").vocab is None
    graph = mx.sym.load(str(tmp_path / "export" / "model-symbol.json"))
    assert {"data", "states_h", "states_c"} <= set(graph.list_arguments())
    assert len(graph.list_outputs()) == 3


def test_vocabulary_comes_back(tmp_path):
    vocab = gluonnlp.Vocab({"the": 3, "käse": 2, "a": 1}, bos_token=None, eos_token="<eos>")
    model = LanguageModel(len(vocab), nn.GRU(4), embed_size=4)
    model.initialize()
    export(model, tmp_path / "export", example=tokens(2, 2, len(vocab)), vocab=vocab, unit="word", separator=" ")
    bundle = load(tmp_path / "export")
    assert json.loads(bundle.vocab.to_json()) == json.loads(vocab.to_json())
    assert bundle.vocab.eos_token == "<eos>" and bundle.vocab["käse"] == vocab["käse"]
    assert bundle.manifest["vocabulary"]["tokens"] == vocab.idx_to_token
    assert bundle.manifest["vocabulary"]["unit"] == "word"


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_a_layer_alone_in_both_layouts_and_float64(tmp_path, layout):
    layer = nn.GRU(6, 2, layout=layout, input_size=3, dtype="float64")
    layer.initialize()
    example = mx.nd.random.normal(shape=(4, 2, 3), dtype="float64")
    assert export(layer, tmp_path / "export", example=example) < EXACT["atol"]
    bundle, inputs = load(tmp_path / "export"), mx.nd.random.normal(shape=(5, 6, 3), dtype="float64")
    np.testing.assert_allclose(bundle(inputs).asnumpy(), layer(inputs).asnumpy(), **EXACT)
    assert bundle.manifest["inputs"][0]["shape"] == [*layout[:2], 3]


def test_a_block_that_looks_ahead_runs_whole_and_refuses_states(tmp_path):
    layer = nn.LSTM(6, bidirectional=True, input_size=3)
    layer.initialize()
    export(layer, tmp_path / "export", example=mx.nd.random.normal(shape=(4, 2, 3)))
    bundle, inputs = load(tmp_path / "export"), mx.nd.random.normal(shape=(7, 5, 3))
    np.testing.assert_allclose(bundle(inputs).asnumpy(), layer(inputs).asnumpy(), rtol=0, atol=TOLERANCE)
    with pytest.raises(ValueError, match="looks ahead"):
        bundle(inputs, bundle.begin_state(5))


def test_own_state_names(tmp_path):
    layer = nn.GRU(6, input_size=3)
    layer.initialize()
    example = mx.nd.random.normal(shape=(4, 2, 3))
    export(layer, tmp_path / "export", example=example, state_names=["memory"])
    assert load(tmp_path / "export").manifest["states"][0]["name"] == "memory"
    with pytest.raises(ValueError, match="2 names, but the model has 1 states"):
        export(layer, tmp_path / "export", example=example, state_names=["h", "c"])


def test_wrong_states_are_refused_by_name(tmp_path):
    export(language_model(), tmp_path / "export", example=tokens(5, 3))
    bundle = load(tmp_path / "export")
    with pytest.raises(ValueError, match=r"'states_h' has shape \(2, 2, 7\).*need \(2, 3, 7\)"):
        bundle(tokens(1, 3), bundle.begin_state(2))
    with pytest.raises(ValueError, match=r"expected 2 states \(states_h, states_c\), got 1"):
        bundle(tokens(1, 3), bundle.begin_state(3)[:1])


@pytest.mark.parametrize("name", ["model-0000.params", "model-symbol.json"])
def test_a_changed_file_is_refused_naming_both_hashes(tmp_path, name):
    export(language_model(), tmp_path / "export", example=tokens(5, 3))
    expected = load(tmp_path / "export").manifest["sha256"][name]
    path = tmp_path / "export" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=rf"{name}' has sha256 [0-9a-f]{{64}}, but the manifest says {expected}"):
        load(tmp_path / "export")
    path.unlink()
    with pytest.raises(BundleError, match="is missing from the bundle"):
        load(tmp_path / "export")


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="no bundle of ours"):
        export(language_model(), tmp_path, example=tokens(5, 3))
    with pytest.raises(BundleError, match="it is a file"):
        export(language_model(), tmp_path / "thesis.txt", example=tokens(5, 3))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(BundleError, match="no bundle in"):
        load(tmp_path)


def test_a_bundle_is_replaced_only_by_a_whole_one(tmp_path):
    model, directory = language_model(), tmp_path / "export"
    export(model, directory, example=tokens(5, 3), extras={"number": 1})
    with pytest.raises(BundleError, match="differs from the live one"):
        export(_Restless(model), directory, example=tokens(5, 3), extras={"number": 2})
    assert load(directory).manifest["extras"] == {"number": 1}
    export(model, directory, example=tokens(5, 3), extras={"number": 3})
    assert load(directory).manifest["extras"] == {"number": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["export"], "temporary folders are left behind"


class _Restless:
    """A model whose live outputs are off by 1e-3: what the check after the export is there to notice."""

    def __init__(self, model):
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)

    def __call__(self, inputs, states):
        outputs, states = self._model(inputs, states)
        return (outputs + 1e-3 if isinstance(inputs, mx.nd.NDArray) else outputs), states


def test_runs_without_the_model_classes(tmp_path):
    model = language_model()
    export(model, tmp_path / "export", example=tokens(5, 3))
    inputs = tokens(4, 2)
    np.save(tmp_path / "inputs.npy", inputs.asnumpy())
    code = ("import json, sys\nfrom gluon_rnn.export import load\nimport mxnet as mx, numpy as np\n"
            f"folder = {json.dumps(str(tmp_path))}\nbundle = load(folder + '/export')\n"
            "inputs = mx.nd.array(np.load(folder + '/inputs.npy'), dtype='int32')\n"
            "np.save(folder + '/outputs.npy', bundle(inputs).asnumpy())\n"
            "print(sorted(name for name in sys.modules if name.startswith(('gluon_rnn.nn', 'gluon_rnn.models'))))\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), model(inputs).asnumpy(), rtol=0, atol=TOLERANCE)
