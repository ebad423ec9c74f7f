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

A letter in a shape is an axis of any length. Version 1, which had one graph without lengths, is read as version 2; it
has hashes too, and one without is refused. What the keys may hold is checked in `gluon_rnn.export.manifest_form`.
"""
import hashlib
import pathlib

from gluon_rnn.export.manifest_form import ASSETS, check_form
from gluon_rnn.export.reading import BundleError, read_json

__all__ = ["ASSETS", "FORMAT", "MANIFEST", "VERSION", "BundleError", "read", "read_if_any", "sha256"]

MANIFEST = "manifest.json"
FORMAT, VERSION = "gluon_rnn bundle", 2


def read(directory):
    """Return the manifest of a bundle, every file checked by its hash.

    Raises
    ------
    BundleError
        If there is no bundle, it is of a newer format, its manifest is damaged or names a file outside of the folder,
        or a file is missing, not the one that was exported (both hashes are named), or not in the manifest.
    """
    directory = pathlib.Path(directory)
    manifest = read_if_any(directory)
    if manifest is None:
        raise BundleError(f"no bundle in {str(directory)!r}: expected {MANIFEST} of a {FORMAT} there; pass the folder "
                          "that an export wrote")
    manifest = _upgraded(manifest, directory / MANIFEST)
    _check_complete(directory, manifest)
    for name, expected in manifest["sha256"].items():
        _check_file(directory, name, expected)
    return manifest


def read_if_any(directory):
    """Return the manifest of the bundle in `directory` as it is written, None where there is none of ours."""
    try:
        manifest = read_json(pathlib.Path(directory) / MANIFEST, "a manifest")
    except BundleError:
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def sha256(path):
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(2**20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _upgraded(manifest, path):
    """Return a manifest as one of the present version, its structure checked."""
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:                           # True is no version either
        raise BundleError(f"{str(path)!r} has format_version {version!r}, and a whole number was expected; export "
                          "again")
    if version > VERSION:
        raise BundleError(f"{str(path)!r} is of format version {version}, and this release reads up to {VERSION}; "
                          "install a newer gluon_rnn, or export with this one")
    if version == 1:
        manifest = _from_version_1(manifest, path)
    check_form(manifest, path)
    return manifest


def _from_version_1(old, path):
    """Return a manifest of version 1 in the words of version 2: one graph, no lengths."""
    missing = [key for key in ("inputs", "outputs", "states", "causal", "sha256") if key not in old]
    if missing:
        raise BundleError(f"{str(path)!r} has no {missing[0]!r}; the file is damaged, export again")
    graph = {"files": ["model-symbol.json", "model-0000.params"], "causal": old["causal"], "inputs": old["inputs"],
             "lengths": [], "outputs": old["outputs"], "states": old["states"], "next_states": old["states"]}
    return {**old, "kind": "symbol", "task": None, "options": {}, "assets": [], "graphs": {"model": graph}}


def _check_complete(directory, manifest):
    """Raise BundleError for a file that the manifest does not name, or a link; hidden files are let be."""
    known = {MANIFEST, *manifest["sha256"]}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            raise BundleError(f"{str(path)!r} is a link, and the files of a bundle lie in its folder; copy it there")
        if not path.is_dir() and not path.name.startswith(".") and name not in known:
            raise BundleError(f"{str(path)!r} is not in the manifest of its bundle; take it away, or export again")


def _check_file(directory, name, expected):
    path = directory / name
    if not path.is_file():
        raise BundleError(f"{str(path)!r} is missing from the bundle; export it again")
    found = sha256(path)
    if found != expected:
        raise BundleError(f"{str(path)!r} has sha256 {found}, but the manifest says {expected}; the file was changed "
                          "or damaged, export it again")
