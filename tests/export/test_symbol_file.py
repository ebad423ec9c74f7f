"""Altered symbols are refused before MXNet sees them, and wrong lengths within one do no harm.

Also `bounded_lengths.py`, `symbol_shapes.py` and `reading.py`, through which a symbol goes.
"""
import copy
import hashlib
import json

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.export import BundleError, export, load
from gluon_rnn.export.symbol_file import checked_symbol
from gluon_rnn.models import LanguageModel, SequenceTagger


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A tagger with a CRF: lengths, states, and a loop over steps."""
    model = SequenceTagger(nn.LSTM(5), 4, vocab_size=11, embed_size=6, crf=True)
    model.initialize()
    folder = tmp_path_factory.mktemp("symbol") / "bundle"
    export(model, folder, example=mx.nd.zeros((5, 3), dtype="int32"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder, files):
    """Write a bundle whose hashes are right, whatever is in it: its author is the attacker."""
    manifest = json.loads(files["manifest.json"])
    manifest["sha256"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["sha256"]}
    for name, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
        (folder / name).write_bytes(content)
    return folder


def altered(original, folder, change):
    symbol = json.loads(original["model-symbol.json"])
    change(symbol, {node["op"]: node for node in reversed(symbol["nodes"])})
    return written(folder, {**original, "model-symbol.json": json.dumps(symbol).encode()})


def an_address(symbol, by_op):
    symbol["nodes"].append({"op": "_NDArray", "name": "x", "attrs": {"info": "0xdeadbeef"}, "inputs": [[0, 0, 0]]})


def an_edge(source, output=0):
    def change(symbol, by_op):
        by_op["Embedding" if "Embedding" in by_op else "where"]["inputs"][0] = [source, output, 0]
    return change


def attribute(op, key, value):
    def change(symbol, by_op):
        by_op[op]["attrs"][key] = value
    return change


def in_the_loop(change):
    return lambda symbol, by_op: change(by_op["_foreach"]["subgraphs"][0])


@pytest.mark.parametrize("change, message", [
    (an_address, "has the operator '_NDArray', which no export writes"),
    (lambda symbol, by_op: by_op["where"].update(op="Custom"), "has the operator 'Custom'"),
    (in_the_loop(lambda body: body["nodes"][-1].update(op="_Native")), "body: node .* has the operator '_Native'"),
    (an_edge(10**6), r"reads \[1000000, 0, 0\], which is no output of a node before it"),
    (an_edge(-1), "which is no output of a node before it"), (an_edge(0, 1), "which is no output of a node before it"),
    (attribute("RNN", "state_size", "-5"), "has state_size='-5', which no export writes"),
    (attribute("RNN", "p", "inf"), "has p='inf'"), (attribute("RNN", "workspace", "1"), "has workspace='1'"),
    (attribute("RNN", "state_size", 5), "attributes that are no texts"),
    (attribute("_foreach", "in_data_locs", "[999]"), "a loop whose inputs are not the"),
    (attribute("_foreach", "num_out_data", "2"), "a loop whose outputs are not the"),
    (attribute("_foreach", "num_args", "9"), "inputs, expected 8"),
    (lambda symbol, by_op: by_op["_foreach"].pop("subgraphs"), "a loop and has no body"),
    (lambda symbol, by_op: by_op["where"].update(subgraphs=[{}]), "has a body and is no loop"),
    (lambda symbol, by_op: by_op["where"]["inputs"].pop(), "has 2 inputs, expected 3"),
    (lambda symbol, by_op: symbol["heads"].clear(), "has no outputs"),
    (lambda symbol, by_op: symbol["heads"].pop(), "gives 3 arrays, and the manifest says 4"),
    (lambda symbol, by_op: symbol["heads"].reverse(), "gives 'outputs' of shape"),
    (lambda symbol, by_op: symbol["nodes"].clear(), "no list of 1 to"),
    (lambda symbol, by_op: symbol.update(nodes={}), "no list of 1 to"),
    (lambda symbol, by_op: by_op["null"].update(name="elsewhere"), "do not fit: 'elsewhere'"),
    (attribute("RNN", "state_size", "7"), "does not fit its parameters or its manifest"),
    (attribute("Reshape", "shape", "(-4, 3)"), "does not fit its parameters or its manifest|where the manifest says"),
    (lambda symbol, by_op: by_op["null"]["attrs"].update(__dtype__="99"), "a variable of an unknown type")])
def test_an_altered_symbol_is_refused_in_a_sentence(original, tmp_path, change, message):
    with pytest.raises(BundleError, match=message):
        load(altered(original, tmp_path, change))


@pytest.mark.parametrize("text, message", [
    (b"[" * 100_000, "nests too deep"), (b"{", "is no symbol: it is damaged at character 1"), (b"\xff", "is no UTF-8"),
    (b'{"nodes": ' + b"1" * 5000 + b"}", "is no symbol: it is damaged"), (b"[]", "no list of 1 to")])
def test_what_is_no_symbol(original, tmp_path, text, message):
    with pytest.raises(BundleError, match=message):
        load(written(tmp_path, {**original, "model-symbol.json": text}))


def unclamped(symbol, by_op):
    """Let every operator with lengths read the input itself, and what it reads be 1,000 more or less."""
    names = [node["name"] for node in symbol["nodes"]]
    place = [names.index("valid_length"), 0, 0]
    for node in symbol["nodes"]:
        if node["op"].startswith("Sequence"):
            node["inputs"][1] = place


@pytest.mark.parametrize("shift", ["-100000", "100000"])
def test_lengths_that_a_graph_does_not_bound_are_bounded(original, tmp_path, shift):
    """Without the bound MXNet ends the process: a negative length of SequenceMask writes before its data."""
    def change(symbol, by_op):
        unclamped(symbol, by_op)
        for node in by_op.values():
            if node["op"] in ("_plus_scalar", "_maximum_scalar", "_minus_scalar"):
                node["attrs"]["scalar"] = shift
    bundle = load(altered(original, tmp_path, change))
    inputs = np.arange(12).reshape(6, 2) % 11
    for lengths in ([6, 2], [0, 0]):
        scores, labels = bundle(inputs, valid_length=lengths)
        assert scores.shape == (6, 2, 4) and np.isfinite(scores).all() and labels.shape == (6, 2)


def test_a_bounded_graph_answers_as_the_one_that_was_exported(original, tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    whole = load(written(tmp_path / "a", original))
    bounded = load(altered(original, tmp_path / "b", unclamped))
    inputs = np.arange(12).reshape(6, 2) % 11
    for ours, theirs in zip(whole(inputs, valid_length=[6, 2]), bounded(inputs, valid_length=[6, 2])):
        np.testing.assert_array_equal(ours, theirs)


def test_lengths_of_today_need_no_further_nodes(original):
    """What `clamp` bounds is recognised: a model without a CRF, whose counts of steps are computed, stays as it is."""
    from gluon_rnn.export.symbol_network import SymbolNetwork  # noqa: F401  (MXNet is loaded)
    assert "_bound" not in _loaded_json(LanguageModel(11, nn.LSTM(7, 2, bidirectional=False), embed_size=7))


def _loaded_json(model):
    import pathlib
    import tempfile

    from gluon_rnn.export import manifest, symbol_shapes
    model.initialize()
    with tempfile.TemporaryDirectory() as folder:
        export(model, folder, example=mx.nd.zeros((5, 3), dtype="int32"))
        graph = manifest.read(folder)["graphs"]["model"]
        return symbol_shapes.load_symbol(graph, pathlib.Path(folder)).tojson()


def test_parameters_that_do_not_fit(original, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    mx.nd.save(str(tmp_path / "p"), {"arg:a": mx.nd.ones(2)})
    with pytest.raises(BundleError, match="and its parameters do not fit"):
        load(written(folder, {**original, "model-0000.params": (tmp_path / "p").read_bytes()}))
    with pytest.raises(BundleError, match="ends within"):
        load(written(folder, {**original, "model-0000.params": original["model-0000.params"][:-9]}))
    arrays = mx.nd.load_frombuffer(original["model-0000.params"])
    name = next(name for name in arrays if name.endswith("weight"))
    mx.nd.save(str(tmp_path / "p"), {**arrays, name: mx.nd.ones((2, 3))})
    with pytest.raises(BundleError, match="does not fit its parameters"):
        load(written(folder, {**original, "model-0000.params": (tmp_path / "p").read_bytes()}))
    mx.nd.save(str(tmp_path / "p"), {**arrays, name: arrays[name].astype("int8")})
    with pytest.raises(BundleError, match="does not fit its parameters"):
        load(written(folder, {**original, "model-0000.params": (tmp_path / "p").read_bytes()}))


def test_more_memory_than_any_model_takes(original, tmp_path):
    def change(symbol, by_op):
        names = [node["name"] for node in symbol["nodes"]]
        symbol["nodes"] += [{"op": "_zeros", "name": f"big{i}", "attrs": {"shape": "(16777216, 16)"}, "inputs": []}
                            for i in range(3)]
        symbol["nodes"] += [{"op": "sum", "name": "little", "attrs": {}, "inputs": [[len(names), 0, 0]]}]
    with pytest.raises(BundleError, match="would make .* made to harm"):
        load(altered(original, tmp_path, change))


def test_what_is_checked_is_what_is_loaded(original):
    symbol = json.loads(original["model-symbol.json"])
    again = checked_symbol(copy.deepcopy({**symbol, "extra": 1}), "here")
    assert set(again) == {"nodes", "heads", "arg_nodes"}
    assert again["arg_nodes"] == symbol["arg_nodes"] and len(again["nodes"]) == len(symbol["nodes"])


def test_assets_of_a_stranger_that_fit_nothing(tmp_path):
    layer = nn.GRU(4, input_size=3)
    layer.initialize()
    for number, (text, message) in enumerate([('["x", "1"]', "KeyError"), ("[[], 1]", "TypeError"), ("{", "Expect")]):
        export(layer, tmp_path / str(number), example=mx.nd.ones((4, 2, 3)), task="classification",
               assets={"reader.json": text, "labels.json": "[]"})
        with pytest.raises(ValueError, match=message):
            load(tmp_path / str(number)).predict([1])
    with pytest.raises(BundleError, match="has no asset '../manifest.json'; it has reader.json, labels.json"):
        load(tmp_path / "0").read("../manifest.json")
