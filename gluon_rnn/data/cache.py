"""Cache of arrays that take long to compute, in a folder of the user; the key is made of settings and source."""
import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

__all__ = ["cache_folder", "cached"]


def cache_folder():
    """Return ``GLUON_RNN_CACHE`` if it is set, else ``gluon_rnn`` in the user's folder for caches."""
    chosen = os.environ.get("GLUON_RNN_CACHE")
    above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(above) / "gluon_rnn"


def cached(kind, key, compute):
    """Return the list of arrays that `compute` makes, from the cache if it was computed before.

    Parameters
    ----------
    kind : str
        First part of the file's name.
    key : JSON value
        All that the arrays depend on: settings, a hash of the source, versions of the libraries.
    compute : callable
        Returns a list of (T_i, ...) arrays that differ in T_i only.

    Notes
    -----
    The file is written under a temporary name and then renamed, so that other processes never see a partial file. A
    damaged file is computed again.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
    path = cache_folder() / f"{kind}-{digest}.npz"
    try:
        with np.load(path, allow_pickle=False) as saved:
            return np.split(saved["values"], saved["edges"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):   # missing or damaged
        arrays = compute()
        _write(path, arrays)
        return arrays


def _write(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    edges = np.cumsum([len(array) for array in arrays])[:-1]
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, values=np.concatenate(arrays), edges=edges)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
