"""Manifests that are damaged, newer or hostile: one sentence each, and nothing is read beyond the folder."""
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
    (folder / "expected.npz").unlink()
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
    with pytest.raises(BundleError, match="not inside of the bundle; take bundles from people you trust"):
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
