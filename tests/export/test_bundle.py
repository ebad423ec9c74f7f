"""Bundles: what comes back is the live model, at any T and N, without its classes; nothing foreign is touched.

Also `graphs.py`, `verification.py`, `loaded.py` and `symbol_network.py`, which writing and loading go through.
"""
import json
import os
import pathlib
import subprocess
import sys

import gluonnlp
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.export import BundleError, export, load
from gluon_rnn.export.verification import _Differences
from gluon_rnn.models import LanguageModel, SequenceTagger
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
    np.testing.assert_allclose(bundle(inputs.asnumpy()), live.asnumpy(), rtol=0, atol=tolerance)
    states, steps = bundle.begin_state(4), []
    for t in range(9):
        output, states = bundle(inputs[t:t + 1].asnumpy(), states)
        steps.append(output)
    np.testing.assert_allclose(np.concatenate(steps), live.asnumpy(), rtol=0, atol=tolerance)
    for ours, theirs in zip(states, live_states):
        np.testing.assert_allclose(ours, theirs.asnumpy(), rtol=0, atol=tolerance)


def test_manifest_says_what_goes_in_and_comes_out(tmp_path):
    export(language_model(), tmp_path / "export", example=tokens(5, 3), extras={"note": "x"})
    manifest = load(tmp_path / "export").manifest
    graph = manifest["graphs"]["model"]
    assert graph["inputs"] == [{"name": "data", "shape": ["T", "N"], "dtype": "int32", "below": 11}]
    assert graph["lengths"] == [{"name": "valid_length", "of": "data", "axis": 0, "dtype": "float32"}]
    assert graph["outputs"] == [{"name": "outputs", "shape": ["T", "N", 11], "dtype": "float32"}]
    assert [(state["name"], state["shape"]) for state in graph["states"]] == [
        ("states_h", [2, "N", 7]), ("states_c", [2, "N", 7])]
    assert graph["next_states"] == graph["states"]
    assert manifest["versions"]["mxnet"] == mx.__version__ and manifest["format_version"] == 2
    assert manifest["extras"] == {"note": "x"} and manifest["task"] is None
    assert load(tmp_path / "export").vocab is None
    symbol = mx.sym.load(str(tmp_path / "export" / "model-symbol.json"))
    assert {"data", "valid_length", "states_h", "states_c"} <= set(symbol.list_arguments())
    assert len(symbol.list_outputs()) == 3


def test_vocabulary_comes_back(tmp_path):
    vocab = gluonnlp.Vocab({"the": 3, "käse": 2, "a": 1}, bos_token=None, eos_token="<eos>")
    model = LanguageModel(len(vocab), nn.GRU(4), embed_size=4)
    model.initialize()
    export(model, tmp_path / "export", example=tokens(2, 2, len(vocab)), assets={"vocab.json": vocab.to_json()})
    found = load(tmp_path / "export").vocab
    assert found.idx_to_token == vocab.idx_to_token
    assert found.eos_token == "<eos>" and found["käse"] == vocab["käse"]


def test_a_bundle_of_format_version_1_still_answers():
    """Files that an earlier release wrote, with the outputs and states that its model gave."""
    folder = pathlib.Path(__file__).parent / "bundle_v1"
    bundle, expected = load(folder), np.load(folder.with_suffix(".npz"))
    outputs, states = bundle(expected["inputs"], bundle.begin_state(2))
    tolerance = rounding("float32", 6 * (3 + 2))                          # sums over units and inputs, at each step
    for found, name in zip([outputs, *states], ["outputs", "h", "c"]):
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=tolerance)
    assert bundle.vocab.idx_to_token == ["<unk>", "a", "b", "c"]
    with pytest.raises(ValueError, match="no input for lengths; export the model again"):
        bundle(expected["inputs"], valid_length=[6, 3])


def test_rows_of_unequal_lengths_answer_as_each_alone(tmp_path):
    export(language_model(), tmp_path / "export", example=tokens(5, 3))
    bundle, inputs, lengths = load(tmp_path / "export"), tokens(6, 4).asnumpy(), [6, 4, 1, 0]
    outputs, states = bundle(inputs, bundle.begin_state(4), lengths)
    for row, length in enumerate(lengths[:3]):
        alone, after = bundle(inputs[:length, row:row + 1], bundle.begin_state(1))
        np.testing.assert_allclose(outputs[:length, row:row + 1], alone, rtol=0, atol=TOLERANCE)
        assert not outputs[length:, row].any()
        for together, by_itself in zip(states, after):
            np.testing.assert_allclose(together[:, row:row + 1], by_itself, rtol=0, atol=TOLERANCE)
    assert not outputs[:, 3].any() and not any(state[:, 3].any() for state in states)


def test_labels_of_a_crf_are_in_the_graph_and_are_those_of_the_model(tmp_path):
    model = SequenceTagger(nn.LSTM(5, bidirectional=True), 4, vocab_size=11, embed_size=6, crf=True)
    model.initialize()
    model.crf.transition_weight.set_data(3 * mx.nd.random.normal(shape=(4, 4)))
    export(model, tmp_path / "export", example=tokens(5, 3))
    inputs, lengths = tokens(9, 6), mx.nd.array([9, 7, 5, 3, 1, 0])
    scores, labels = load(tmp_path / "export")(inputs.asnumpy(), valid_length=lengths.asnumpy())
    expected = model.decode(model(inputs, None, lengths), lengths).asnumpy()
    np.testing.assert_array_equal(labels, expected)
    assert (scores.argmax(axis=2) != labels).any(), "the transitions change no label, so nothing is shown"


def test_a_child_that_the_graph_leaves_out_is_an_error(tmp_path):
    class Half(nn.GRU):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            with self.name_scope():
                self.forgotten = mx.gluon.nn.Dense(2, in_units=3)

    layer = Half(4, input_size=3)
    layer.initialize()
    with pytest.raises(BundleError, match="parameters that no exported graph reads.*forgotten|dense"):
        export(layer, tmp_path / "export", example=mx.nd.ones((4, 2, 3)))
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_a_layer_alone_in_both_layouts_and_float64(tmp_path, layout):
    layer = nn.GRU(6, 2, layout=layout, input_size=3, dtype="float64")
    layer.initialize()
    example = mx.nd.random.normal(shape=(4, 2, 3), dtype="float64")
    assert export(layer, tmp_path / "export", example=example) < EXACT["atol"]
    bundle, inputs = load(tmp_path / "export"), mx.nd.random.normal(shape=(5, 6, 3), dtype="float64")
    np.testing.assert_allclose(bundle(inputs.asnumpy()), layer(inputs).asnumpy(), **EXACT)
    assert bundle.manifest["graphs"]["model"]["inputs"][0]["shape"] == [*layout[:2], 3]


def test_a_block_that_looks_ahead_runs_whole_and_refuses_states(tmp_path):
    layer = nn.LSTM(6, bidirectional=True, input_size=3)
    layer.initialize()
    export(layer, tmp_path / "export", example=mx.nd.random.normal(shape=(4, 2, 3)))
    bundle, inputs = load(tmp_path / "export"), mx.nd.random.normal(shape=(7, 5, 3))
    np.testing.assert_allclose(bundle(inputs.asnumpy()), layer(inputs).asnumpy(), rtol=0, atol=TOLERANCE)
    with pytest.raises(ValueError, match="looks ahead"):
        bundle(inputs, bundle.begin_state(5))


def test_own_state_names(tmp_path):
    layer = nn.GRU(6, input_size=3)
    layer.initialize()
    example = mx.nd.random.normal(shape=(4, 2, 3))
    export(layer, tmp_path / "export", example=example, state_names=["memory"])
    assert load(tmp_path / "export").manifest["graphs"]["model"]["states"][0]["name"] == "memory"
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


def test_the_current_folder_is_refused_and_a_link_is_followed(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "there").mkdir()
    model = language_model()
    export(model, tmp_path / "link", example=tokens(5, 3))
    assert (tmp_path / "link").is_symlink() and load(tmp_path / "there").manifest["model"] == "LanguageModel"
    monkeypatch.chdir(tmp_path / "here")
    for name in (".", tmp_path / "here", "../here"):
        with pytest.raises(BundleError, match="no other folder can take the place of the current one, .* within it"):
            export(model, name, example=tokens(5, 3))
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name.startswith(".")) == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_bundle_that_cannot_be_replaced_stays(tmp_path, monkeypatch, which):
    model, directory, replace, calls = language_model(), tmp_path / "export", os.replace, []
    export(model, directory, example=tokens(5, 3), extras={"number": 1})

    def failing(source, target):
        if pathlib.Path(directory) in (source, target):
            calls.append(source)
            if len(calls) == which + 1:
                raise OSError("disk on fire")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="disk on fire"):
        export(model, directory, example=tokens(5, 3), extras={"number": 2})
    assert load(directory).manifest["extras"] == {"number": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


@pytest.mark.parametrize("tolerance, limit", [(None, 1e-5), (0, 0), (0.5, 0.5)])
def test_a_tolerance_of_0_is_0(tolerance, limit):
    entry = {"outputs": [{"dtype": "float32"}], "next_states": []}
    differences = _Differences("model", tolerance, entry)
    assert differences.limit == limit
    differences.add([mx.nd.ones(3)], [np.ones(3)])
    if not limit:
        with pytest.raises(BundleError, match="differs from the live one by 1.19e-07 where at most 0 was expected"):
            differences.add([mx.nd.ones(3)], [np.ones(3) + np.finfo("float32").eps])


class _Restless:
    """A model whose live outputs are off by 1e-3: what the check after the export is there to notice."""

    def __init__(self, model):
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)

    def __call__(self, inputs, states, valid_length=None):
        outputs, states = self._model(inputs, states, valid_length)
        return (outputs + 1e-3 if isinstance(inputs, mx.nd.NDArray) else outputs), states


def test_runs_without_the_model_classes(tmp_path):
    model = language_model()
    export(model, tmp_path / "export", example=tokens(5, 3))
    inputs = tokens(4, 2)
    np.save(tmp_path / "inputs.npy", inputs.asnumpy())
    code = ("import json, sys\nfrom gluon_rnn.export import load\nimport mxnet as mx, numpy as np\n"
            f"folder = {json.dumps(str(tmp_path))}\nbundle = load(folder + '/export')\n"
            "inputs = mx.nd.array(np.load(folder + '/inputs.npy'), dtype='int32')\n"
            "np.save(folder + '/outputs.npy', bundle(inputs.asnumpy()))\n"
            "print(sorted(name for name in sys.modules if name.startswith(('gluon_rnn.nn', 'gluon_rnn.models'))))\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), model(inputs).asnumpy(), rtol=0, atol=TOLERANCE)
