"""Token ids of a large text in memory-mapped files, so that memory does not grow with the text.

A corpus is a folder of the cache: the ids of each split, int32 in this machine's order of bytes, and how often each
token occurs. Its name is made of all that it depends on: sizes and times of the text files, and the settings of
vocabulary and splits.
"""
import contextlib
import hashlib
import json
import mmap
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from filelock import FileLock

from gluon_rnn.data.cache import cache_folder
from gluon_rnn.data.memory import content_of
from gluon_rnn.data.shards import shards_of
from gluon_rnn.public_data import missing

__all__ = ["PIECE", "Corpus", "map_ids", "pieces_of", "release"]

#: so many ids are counted or translated at a time: what NumPy needs besides them stays small
PIECE = 2**20
_FORMAT = 1


class Corpus:
    """The place of a text's ids in the cache, ``GLUON_RNN_CACHE`` or that of the user.

    Parameters
    ----------
    sources : dict of str to path, list or pattern
        The text files, or patterns of them, by what they are.
    settings : JSON value
        All else that ids and vocabulary depend on.
    """

    def __init__(self, sources, settings):
        key = [_FORMAT, sys.byteorder, settings, {name: _stamps(source) for name, source in sources.items()}]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
        self.path = cache_folder() / f"corpus-{digest}"

    def get(self, make):
        """Return (counts, {split: ids}): {token: its number in the training split}, and mapped arrays, read-only.

        ``make(scratch)`` gives the same, ids as iterables of pieces, where the cache has none, or a damaged one.
        `scratch` is a folder for files that are deleted afterwards. Processes that ask for one corpus wait for each
        other.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            found = self._read()
            if found is None:
                self._write(make)
                found = self._read()
        return found

    def _read(self):
        try:
            saved = json.loads((self.path / "corpus.json").read_text(encoding="utf-8"))
            parts = {name: map_ids(self.path / f"{name}.ids") for name in saved["sizes"]}
        except (OSError, ValueError, KeyError):                           # missing or damaged
            return None
        whole = {name: len(ids) for name, ids in parts.items()} == saved["sizes"]
        return (saved["counts"], parts) if whole else None

    def _write(self, make):
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=f".{self.path.name}-") as partial:
            folder, scratch = Path(partial) / "corpus", Path(partial) / "scratch"
            folder.mkdir()
            scratch.mkdir()
            counts, parts = make(scratch)
            sizes = {name: _write_ids(folder / f"{name}.ids", pieces) for name, pieces in parts.items()}
            saved = {"counts": counts, "sizes": sizes}
            (folder / "corpus.json").write_text(json.dumps(saved), encoding="utf-8")
            shutil.rmtree(self.path, ignore_errors=True)
            folder.rename(self.path)


def _stamps(source):
    """Return what tells whether files are still the same: name, size and time of change of each."""
    return [_stamp(path) for path in shards_of(source)]


def _stamp(path):
    if content_of(path) is not None:
        return str(path)                                                  # its address has a hash of the content
    path = Path(path).expanduser()
    if not path.exists():
        raise missing(path)
    stat = path.stat()
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def _write_ids(path, pieces):
    size = 0
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=np.int32).data)
            size += len(piece)
    return size


def map_ids(path):
    """Return the ids of a file, (n,) int32, mapped into memory; nobody can write to them."""
    return np.memmap(path, dtype=np.int32, mode="r")


def pieces_of(ids):
    """Yield (start, piece) of an array of ids; what was read of a mapped file leaves this process's memory again."""
    for start in range(0, len(ids), PIECE):
        yield start, ids[start:start + PIECE]
        release(ids)


def release(ids):
    """Have the system take back the memory of a mapped file that `ids` is, or is a part of; nothing for other arrays.

    It would keep what was read for as long as nobody else needs it, and count it as this process's. What is asked for
    again is read again, mostly from the system's own cache of files.
    """
    while isinstance(ids, np.ndarray):
        ids = ids.base
    if isinstance(ids, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):     # not on Windows
        with contextlib.suppress(OSError):                                # advice, which a system may refuse
            ids.madvise(mmap.MADV_DONTNEED)
