"""What the files of a checkpoint are: their hashes, so that a damaged or foreign one is found before it is used."""
import json
from pathlib import Path

from gluon_rnn.fetch import sha256_of

__all__ = ["NAME", "check", "read", "read_json", "write"]

NAME = "manifest.json"


def write(folder, facts):
    """Write the manifest of all files in `folder`, with further `facts` beside it."""
    files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in sorted(folder.iterdir())}
    (folder / NAME).write_text(json.dumps({"files": files, **facts}, indent=1), encoding="utf-8")


def read(folder):
    """Return the manifest in `folder`, a dict; None where there is none, ValueError where it is damaged."""
    path = Path(folder) / NAME
    if not path.exists():
        return None
    found = read_json(path, dict)
    files, arrays = found.get("files"), found.get("arrays")
    if not isinstance(files, dict) or not isinstance(arrays, list) or not all(map(_is_entry, files.values())):
        raise ValueError(f"{path} lacks the hashes of files; it is damaged: restore it, or train anew")
    return found


def check(folder, name, manifest):
    """Raise ValueError unless the file `name` in `folder` is there, and is the one of the `manifest`, if there is one.

    Raises
    ------
    ValueError
        It names the file.
    """
    path = Path(folder) / name
    if not path.is_file():
        raise ValueError(f"{path} is missing; restore it, or train anew")
    if manifest is None:
        return
    if name not in manifest["files"]:
        raise ValueError(f"{path} is not in {NAME} beside it, so that it is not of this checkpoint; restore both, or "
                         "train anew")
    entry, size = manifest["files"][name], path.stat().st_size
    if size != entry["bytes"]:
        raise ValueError(f"{path} has {size:,} bytes, and {entry['bytes']:,} were written: it is damaged or another "
                         "one; restore it, or train anew")
    if sha256_of(path) != entry["sha256"]:
        raise ValueError(f"{path} is not what was written, by its SHA-256 in {NAME}: it is damaged or another one; "
                         "restore it, or train anew")


def read_json(path, kind):
    """Return what a file of JSON holds, of the type `kind`; ValueError with the file and the fault."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no JSON ({error}); the file is damaged: restore it, or train anew") from error
    if not isinstance(found, kind):
        raise ValueError(f"{path} holds {type(found).__name__} and not {kind.__name__}; the file is damaged: restore "
                         "it, or train anew")
    return found


def _is_entry(entry):
    return (isinstance(entry, dict) and isinstance(entry.get("bytes"), int)
            and isinstance(entry.get("sha256"), str))
