"""The manifest of a bundle: what its graphs take and give, its files and their hashes. Needs no MXNet.

``manifest.json`` of format version 2::

    {"format": "gluon_rnn bundle", "format_version": 2, "kind": "symbol" or "onnx",
     "model": "LanguageModel", "task": "language_model" or null, "options": {...}, "extras": {...},
     "graphs": {"model": {"files": [...], "causal": true,
                          "inputs": [{"name": "data", "shape": ["T", "N"], "dtype": "int32", "below": 33278}],
                          "lengths": [{"name": "valid_length", "of": "data", "axis": 0, "dtype": "float32"}],
                          "states": [{"name": "states_h", "shape": [2, "N", 200], "dtype": "float32"}, ...],
                          "outputs": [...], "next_states": [...]}, ...},
     "assets": ["vocab.json", ...], "versions": {...}, "sha256": {file: hash}}

A letter in a shape is an axis of any length. Version 1, which had one graph without lengths, is read as version 2.
"""
import hashlib
import json
import pathlib

from gluon_rnn.export.reading import BundleError

__all__ = ["ASSETS", "FORMAT", "MANIFEST", "VERSION", "BundleError", "read", "read_if_any", "sha256"]

MANIFEST, ASSETS = "manifest.json", "assets"
FORMAT, VERSION = "gluon_rnn bundle", 2
_KINDS = ("symbol", "onnx")
_GRAPH_KEYS = ("files", "causal", "inputs", "lengths", "states", "outputs", "next_states")


def read(directory):
    """Return the manifest of a bundle, every file checked by its hash.

    Raises
    ------
    BundleError
        If there is no bundle, it is of a newer format, its manifest is damaged or names a file outside of the folder,
        or a file is missing or not the one that was exported (both hashes are named).
    """
    directory = pathlib.Path(directory)
    manifest = read_if_any(directory)
    if manifest is None:
        raise BundleError(f"no bundle in {str(directory)!r}: expected {MANIFEST} of a {FORMAT} there; pass the folder "
                          "that an export wrote")
    manifest = _upgraded(manifest, directory / MANIFEST)
    for name, expected in manifest["sha256"].items():
        _check_file(directory, name, expected)
    return manifest


def read_if_any(directory):
    """Return the manifest of the bundle in `directory` as it is written, None where there is none of ours."""
    try:
        manifest = json.loads((pathlib.Path(directory) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def sha256(path):
    """Return the SHA-256 of a file in hexadecimal digits."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def _upgraded(manifest, path):
    """Return a manifest as one of the present version, its structure checked."""
    version = manifest.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise BundleError(f"{str(path)!r} has format_version {version!r}, and a whole number was expected; export "
                          "again")
    if version > VERSION:
        raise BundleError(f"{str(path)!r} is of format version {version}, and this release reads up to {VERSION}; "
                          "install a newer gluon_rnn, or export with this one")
    if version == 1:
        manifest = _from_version_1(manifest, path)
    _check_structure(manifest, path)
    return manifest


def _from_version_1(old, path):
    """Return a manifest of version 1 in the words of version 2: one graph, no lengths."""
    missing = [key for key in ("inputs", "outputs", "states", "causal", "sha256") if key not in old]
    if missing:
        raise BundleError(f"{str(path)!r} has no {missing[0]!r}; the file is damaged, export again")
    graph = {"files": ["model-symbol.json", "model-0000.params"], "causal": old["causal"], "inputs": old["inputs"],
             "lengths": [], "outputs": old["outputs"], "states": old["states"], "next_states": old["states"]}
    return {**old, "kind": "symbol", "task": None, "options": {}, "assets": [], "graphs": {"model": graph}}


def _check_structure(manifest, path):
    """Raise BundleError for a manifest that lacks a key, or names a file that is not inside of its folder."""
    for key in ("kind", "task", "options", "graphs", "assets", "sha256"):
        if key not in manifest:
            raise BundleError(f"{str(path)!r} has no {key!r}; the file is damaged, export again")
    if manifest["kind"] not in _KINDS:
        raise BundleError(f"{str(path)!r} is a bundle of kind {manifest['kind']!r}, expected one of "
                          f"{', '.join(_KINDS)}; export again")
    for name, graph in manifest["graphs"].items():
        missing = [key for key in _GRAPH_KEYS if key not in graph]
        if missing:
            raise BundleError(f"{str(path)!r}: graph {name!r} has no {missing[0]!r}; the file is damaged, export again")
    files = [*sum((graph["files"] for graph in manifest["graphs"].values()), []),
             *(f"{ASSETS}/{name}" for name in manifest["assets"])]
    for name in [*files, *manifest["sha256"]]:
        _check_inside(name, path)
    unhashed = [name for name in files if name not in manifest["sha256"]]
    if unhashed:
        raise BundleError(f"{str(path)!r} has no sha256 of {unhashed[0]!r}; the file is damaged, export again")


def _check_inside(name, path):
    """Raise BundleError for the name of a file that leaves the folder of the manifest."""
    parts = pathlib.PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\\" in name or ":" in name:
        raise BundleError(f"{str(path)!r} names the file {name!r}, which is not inside of the bundle; take bundles "
                          "from people you trust")


def _check_file(directory, name, expected):
    path = directory / name
    if not path.is_file():
        raise BundleError(f"{str(path)!r} is missing from the bundle; export it again")
    found = sha256(path)
    if found != expected:
        raise BundleError(f"{str(path)!r} has sha256 {found}, but the manifest says {expected}; the file was changed "
                          "or damaged, export it again")
