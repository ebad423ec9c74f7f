"""Checkpoints that a kill at any moment cannot spoil.

Each checkpoint is a folder of its own, ``RUN/checkpoints/000012``, written under another name, synced to disk and
renamed. ``RUN/last`` and ``RUN/best`` are symbolic links to two of them (or both to one), replaced in one atomic step::

    parameters.params  what evaluation, sampling and export use: the averaged weights where training.average is on
    training.params    what only training goes on from: weights, average, the optimiser's arrays, carried states
    position.json      epoch, step, best score, counters
    config.yaml        and what the model needs besides parameters: vocab.json, scaler.json, ...
    metrics.csv        the rows so far, from which a resume goes on
    manifest.json      the SHA-256 of each of these files, and the names of all arrays

Arrays are in MXNet's own format and numbers in JSON: nothing is pickled.
"""
import errno
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import mxnet as mx
import numpy as np

from gluon_rnn import params_file
from gluon_rnn.files import naming
from gluon_rnn.training import manifest

__all__ = ["Checkpoint", "FORMAT", "load", "save"]

#: of position.json: from 3 on there is a manifest
FORMAT = 3
_FOLDER, _PARAMETERS, _TRAINING, _POSITION = "checkpoints", "parameters.params", "training.params", "position.json"
_ROOM = 1 << 16      # a disk with less than this is full
_FULL = (errno.ENOSPC, errno.EDQUOT)
# What checkpoints are called; anything else in their folder is somebody else's.
_NAME = re.compile(r"(partial-)?[0-9]+", re.ASCII)


@dataclass
class Checkpoint:
    """One checkpoint read back; its arrays are of the kinds "weight", "average", "optimizer" and "state".

    Every file is compared with the manifest before it is used; checkpoints of earlier versions have none.
    """

    path: Path
    position: dict
    manifest: Optional[dict] = None
    _checked: set = field(default_factory=set, repr=False)

    @property
    def parameters(self):
        """Path of the file for `Block.load_parameters`, compared with the manifest."""
        return str(self.file(_PARAMETERS))

    def file(self, name):
        """Return the path of one of the files; ValueError where it is missing, or not the one that was written."""
        if name not in self._checked:
            manifest.check(self.path, name, self.manifest)
            self._checked.add(name)
        return self.path / name

    def check(self):
        """Compare all files with the manifest; ValueError names the first that is missing or another one."""
        for name in self.manifest["files"] if self.manifest else (_PARAMETERS, _TRAINING):
            self.file(name)
        self._check_names(_PARAMETERS, "parameters")

    def _check_names(self, name, key):
        """Return the names in a file of arrays; ValueError where they are not those under a key of the manifest."""
        path = self.file(name)
        found = list(params_file.read_header(path))
        if self.manifest and found != self.manifest.get(key):
            raise ValueError(f"{path} has other arrays than {manifest.NAME} beside it says; restore both, or "
                             "train anew")
        return found

    def load_parameters(self, model, ctx=None):
        """Load the parameters into a `model`, on the CPU by default; ValueError where they are not those of it."""
        self._check_names(_PARAMETERS, "parameters")
        try:
            model.load_parameters(self.parameters, ctx=ctx or mx.cpu())
        except (AssertionError, KeyError, ValueError, mx.MXNetError) as error:
            why = str(error).strip().splitlines()[0]
            raise ValueError(f"{self.parameters} does not fit to the model of the recipe: {why}; the recipe, or the "
                             "file, is of another run") from error

    def read(self, name):
        """Return the text of one of the checkpoint's small files."""
        try:
            return self.file(name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.path / name} is no text in UTF-8: {error}; the file is damaged") from error

    def own(self, name):
        """Return the text of a small file that checkpoints of earlier versions lack; None where it is not there."""
        return self.read(name) if self.manifest and name in self.manifest["files"] else None

    def arrays(self, kind):
        """Return the arrays of one kind, the kind taken off their names."""
        if not self._check_names(_TRAINING, "arrays"):
            return {}
        stored = params_file.load(self.path / _TRAINING)
        return {name.split(":", 1)[1]: array for name, array in stored.items() if name.split(":", 1)[0] == kind}


def save(run, write_parameters, arrays, position, texts, names):
    """Write a checkpoint and point `names` at it.

    Parameters
    ----------
    run : Path
        The run's folder.
    write_parameters : callable
        Given a file name, writes the model's parameters there.
    arrays : dict of str to NDArray
    position : dict
        Numbers for JSON.
    texts : dict of str to str
        Other small files by name.
    names : sequence of str
        Of "best" and "last", in the order in which they are moved: "best" first, so that a kill between the two leaves
        a `last` that will find the same best again.

    Raises
    ------
    OSError
        If the disk is full, or cannot be written to; nothing of the new checkpoint is left then, and the old ones are
        as they were.
    """
    folder = run / _FOLDER
    folder.mkdir(exist_ok=True)
    numbers = [int(path.name) for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.name.isdigit()]
    final = folder / f"{max(numbers, default=0) + 1:06d}"
    partial = folder / f"partial-{final.name}"
    _remove(partial)
    try:
        partial.mkdir()
        _write(partial, write_parameters, arrays, {_POSITION: json.dumps(position, indent=1), **texts})
        partial.rename(final)
    except OSError as error:
        _remove(partial)
        if error.errno not in _FULL:
            raise
        raise _explained(error, run, arrays) from error
    _sync(folder)
    for name in names:
        _point(run, name, final)
    _remove_unused(run, folder)


def _write(partial, write_parameters, arrays, texts):
    """Write all files of a checkpoint, and have them on the disk."""
    with naming(partial), _as_os_error(partial):
        write_parameters(str(partial / _PARAMETERS))
        mx.nd.save(str(partial / _TRAINING), arrays)
        # MXNet does not notice what is lost when a file is closed on a full disk.
        parameters, training = (list(params_file.read_header(partial / name)) for name in (_PARAMETERS, _TRAINING))
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
        manifest.write(partial, {"parameters": parameters, "arrays": training})
        for path in (*partial.iterdir(), partial):
            _sync(path)


class _as_os_error:
    """Context manager: what MXNet, or the look at what it wrote, says of a file that could not be written."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if isinstance(error, (mx.MXNetError, ValueError)):
            why = str(error).strip().splitlines()[0]
            full = shutil.disk_usage(self._path).free < _ROOM
            raise OSError(errno.ENOSPC if full else errno.EIO,
                          os.strerror(errno.ENOSPC) if full else f"could not be written ({why})",
                          str(self._path)) from error


def _explained(error, run, arrays):
    """Return the error of a disk with what a checkpoint needs, and what to do."""
    needed = sum(array.size * np.dtype(array.dtype).itemsize for array in arrays.values()) / 1e6
    there = run / "last"
    goes_on = f"--resume {run} goes on from {there}" if there.exists() else "no checkpoint was written so far"
    return type(error)(error.errno, f"{error.strerror}; a checkpoint needs about {max(needed, 0.1):.1f} MB here: free "
                       f"some, or give another output_dir; {goes_on}", error.filename)


def load(run, name):
    """Return the `Checkpoint` that `name` ("best" or "last") points at.

    Raises
    ------
    ValueError
        If there is none, or its position or its manifest is damaged.
    """
    path = Path(run) / name
    if not path.is_dir():
        raise ValueError(f"there is no {name!r} checkpoint in {str(run)!r}; pass the folder of a run that has finished "
                         "at least one epoch")
    path = path.resolve()
    found = manifest.read(path)
    manifest.check(path, _POSITION, found)
    position = manifest.read_json(path / _POSITION, dict)
    if found is None and position.get("format", 0) >= FORMAT:
        raise ValueError(f"{path / manifest.NAME} is missing, which says what the files of this checkpoint are; "
                         f"restore it, or train anew")
    return Checkpoint(path, position, found)


def _point(run, name, target):
    link, old = run / f".{name}-new", run / f".{name}-old"
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(run))
    if (run / name).is_dir() and not (run / name).is_symlink():       # a copy of the run without symbolic links
        shutil.rmtree(old, ignore_errors=True)
        (run / name).rename(old)
    os.replace(link, run / name)
    shutil.rmtree(old, ignore_errors=True)
    _sync(run)


def _remove_unused(run, folder):
    used = {(run / name).resolve() for name in ("best", "last") if (run / name).exists()}
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name) and path.resolve() not in used:
            _remove(path)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
