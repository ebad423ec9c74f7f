"""Manifests that are damaged, newer or hostile: one sentence each, and nothing is read beyond the folder.

Also `manifest_form.py`, which says what a manifest may hold.
"""
import json
import pathlib
import shutil

import pytest

from gluon_rnn.export import BundleError, load, manifest

OLD = pathlib.Path(__file__).parent / "bundle_v1"


@pytest.fixture
def bundle(tmp_path):
    """A bundle that MXNet is not needed for: of version 2, made of the files of version 1."""
    folder = tmp_path / "bundle"
    shutil.copytree(OLD, folder)
    write(folder, manifest.read(folder) | {"format_version": 2})
    return folder


def write(folder, content):
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")


def changed(folder, **changes):
    write(folder, manifest.read_if_any(folder) | changes)


def test_reads_both_versions_alike(bundle):
    old, new = manifest.read(OLD), manifest.read(bundle)
    assert old["graphs"] == new["graphs"] and new["graphs"]["model"]["lengths"] == []
    assert old["kind"] == "symbol" and old["task"] is None


@pytest.mark.parametrize("version, message", [(3, "of format version 3, and this release reads up to 2; install"),
                                              ("2", "has format_version '2', and a whole number"),
                                              (0, "has format_version 0, and a whole number")])
def test_a_version_that_is_not_known(bundle, version, message):
    changed(bundle, format_version=version)
    with pytest.raises(BundleError, match=message):
        load(bundle)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "C:\\secret", "..\\secret"])
@pytest.mark.parametrize("place", ["sha256", "assets", "files"])
def test_a_file_outside_of_the_folder_is_not_read(bundle, name, place):
    content = manifest.read(bundle)
    if place == "sha256":
        content["sha256"][name] = "0" * 64
    elif place == "assets":
        content["assets"] = [name if name[0] != "/" else f"..{name}"]
    else:
        content["graphs"]["model"]["files"] = [name, name]
    write(bundle, content)
    with pytest.raises(BundleError, match="none lies outside of the bundle; take bundles from people you trust"):
        load(bundle)


@pytest.mark.parametrize("key", ["kind", "graphs", "assets", "sha256", "task", "options"])
def test_a_key_that_is_missing_is_named(bundle, key):
    content = manifest.read(bundle)
    del content[key]
    write(bundle, content)
    with pytest.raises(BundleError, match=f"has no '{key}'; the file is damaged"):
        load(bundle)


def test_a_graph_or_kind_that_is_damaged(bundle):
    content = manifest.read(bundle)
    del content["graphs"]["model"]["states"]
    write(bundle, content)
    with pytest.raises(BundleError, match="graph 'model' has no 'states'"):
        load(bundle)
    content = manifest.read(OLD) | {"format_version": 2, "kind": "pickle"}
    write(bundle, content)
    with pytest.raises(BundleError, match="of kind 'pickle', expected one of symbol, onnx"):
        load(bundle)


def test_a_file_without_a_hash_is_not_trusted(bundle):
    content = manifest.read(bundle)
    del content["sha256"]["model-0000.params"]
    write(bundle, content)
    with pytest.raises(BundleError, match="no sha256 of 'model-0000.params'"):
        load(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "\x00\xff"])
def test_what_is_no_manifest(bundle, text):
    (bundle / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match="no bundle in .*pass the folder that an export wrote"):
        load(bundle)


def test_a_truncated_manifest(bundle):
    path = bundle / "manifest.json"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BundleError, match="no bundle in"):
        load(bundle)


def put(*places):
    """Return a function that puts the last of `places` where the others lead to in a manifest."""
    *keys, last, value = places

    def change(content):
        for key in keys:
            content = content[key]
        content[last] = value
    return change


GRAPH = ("graphs", "model")


@pytest.mark.parametrize("change, message", [
    (put("format_version", True), "has format_version True"), (put("format_version", 99), "reads up to 2; install"),
    (put("sha256", {}), "has no sha256 of 'model-symbol.json'"), (put("sha256", []), "'sha256' that is not a mapping"),
    (put("sha256", "model-0000.params", "0" * 63), "not 64 hexadecimal digits"),
    (put("sha256", "assets/passwd", "0" * 64), "the sha256 of 'assets/passwd', which is no file of the bundle"),
    (put("task", 5), "neither a name nor null"), (put("graphs", {}), "has no graphs"),
    (put("assets", "vocab.json"), "'assets' that is not a list"), (put("assets", [None]), "a plain name was expected"),
    (put("assets", ["a/b"]), "a plain name was expected"), (put(*GRAPH, "files", ["model-symbol.json"]), "has 1 files"),
    (put(*GRAPH, "files", ["model-symbol.json"] * 2), "names a file twice"),
    (put(*GRAPH, "causal", 1), "'causal' that is not true or false"), (put(*GRAPH, "inputs", []), "takes nothing"),
    (put(*GRAPH, "inputs", [None]), "inputs: has no 'name'"),
    (put(*GRAPH, "inputs", 0, "shape", ["T", "B"]), "no axis 'N'"),
    (put(*GRAPH, "inputs", 0, "shape", ["N", "N"]), "has the shape"),
    (put(*GRAPH, "inputs", 0, "shape", ["T", "N", 10**12]), "has the shape"),
    (put(*GRAPH, "inputs", 0, "shape", ["T", "N", True]), "has the shape"),
    (put(*GRAPH, "inputs", 0, "dtype", "object"), "of the type 'object'"),
    (put(*GRAPH, "inputs", 0, "below", "4"), "has ids below '4'"),
    (put(*GRAPH, "inputs", 0, "name", "states_h"), "two inputs of one name"),
    (put(*GRAPH, "lengths", [{"name": "l", "of": "x", "axis": 0, "dtype": "float32"}]), "which is no input"),
    (put(*GRAPH, "lengths", [{"name": "l", "of": "data", "axis": 7, "dtype": "float32"}]), "of axis 7"),
    (put(*GRAPH, "states", 0, "shape", [2, "N", 3]), "gives other states than it takes")])
def test_what_no_export_writes_is_refused(bundle, change, message):
    content = json.loads(json.dumps(manifest.read(bundle)))
    change(content)
    write(bundle, content)
    with pytest.raises(BundleError, match=message):
        load(bundle)


def test_states_and_outputs_that_the_graph_does_not_have(bundle):
    for key, shape in (("outputs", ["T", "N", 5]), ("outputs", ["T", "N"]), ("next_states", [1, "N", 4])):
        content = json.loads(json.dumps(manifest.read(OLD) | {"format_version": 2}))
        content["graphs"]["model"][key][0]["shape"] = shape
        content["graphs"]["model"]["states"] = content["graphs"]["model"]["next_states"]
        write(bundle, content)
        with pytest.raises(BundleError, match="does not fit its parameters or its manifest|where the manifest says"):
            load(bundle)


def test_version_1_has_hashes_too(bundle):
    content = json.loads((OLD / "manifest.json").read_text(encoding="utf-8"))
    write(bundle, {name: value for name, value in content.items() if name != "sha256"})
    with pytest.raises(BundleError, match="has no 'sha256'; the file is damaged"):
        load(bundle)
    write(bundle, content | {"sha256": {}})
    with pytest.raises(BundleError, match="has no sha256 of 'model-symbol.json'"):
        load(bundle)


def test_files_beside_those_of_the_manifest(bundle):
    (bundle / ".DS_Store").write_text("a file browser's")
    load(bundle)
    (bundle / "weights.bin").write_text("x")
    with pytest.raises(BundleError, match="weights.bin' is not in the manifest of its bundle"):
        load(bundle)
    (bundle / "weights.bin").unlink()
    (bundle / "link").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="is a link"):
        load(bundle)
