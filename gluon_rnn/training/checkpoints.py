"""Checkpoints that a kill at any moment cannot spoil.

Each checkpoint is a folder of its own, ``RUN/checkpoints/000012``, written under another name, synced to disk and
renamed. ``RUN/last`` and ``RUN/best`` are symbolic links to two of them (or both to one), replaced in one atomic step::

    parameters.params  what evaluation, sampling and export use: the averaged weights where training.average is on
    training.params    what only training goes on from: weights, average, the optimiser's arrays, carried states
    position.json      epoch, step, best score, counters
    config.yaml        and what the model needs besides parameters: vocab.json, scaler.json, ...

Arrays are in MXNet's own format and numbers in JSON: nothing is pickled.
"""
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import mxnet as mx

from gluon_rnn import params_file

__all__ = ["Checkpoint", "load", "save"]

_FOLDER = "checkpoints"


@dataclass
class Checkpoint:
    """One checkpoint read back; its arrays are of the kinds "weight", "average", "optimizer" and "state"."""

    path: Path
    position: dict

    @property
    def parameters(self):
        """Path of the file for `Block.load_parameters`."""
        return str(self.path / "parameters.params")

    def load_parameters(self, model, ctx=None):
        """Load the parameters into a `model`, on the CPU by default."""
        model.load_parameters(self.parameters, ctx=ctx or mx.cpu())

    def read(self, name):
        """Return the text of one of the checkpoint's small files."""
        return (self.path / name).read_text(encoding="utf-8")

    def arrays(self, kind):
        """Return the arrays of one kind, the kind taken off their names."""
        stored = params_file.load(self.path / "training.params")
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
    """
    folder = run / _FOLDER
    folder.mkdir(exist_ok=True)
    numbers = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    final = folder / f"{max(numbers, default=0) + 1:06d}"
    partial = folder / f"partial-{final.name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    write_parameters(str(partial / "parameters.params"))
    mx.nd.save(str(partial / "training.params"), arrays)
    (partial / "position.json").write_text(json.dumps(position, indent=1))
    for name, text in texts.items():
        (partial / name).write_text(text, encoding="utf-8")
    for path in (*partial.iterdir(), partial):
        _sync(path)
    partial.rename(final)
    _sync(folder)
    for name in names:
        _point(run, name, final)
    _remove_unused(run, folder)


def load(run, name):
    """Return the `Checkpoint` that `name` ("best" or "last") points at; ValueError where there is none."""
    path = Path(run) / name
    if not (path / "position.json").is_file():
        raise ValueError(f"there is no {name!r} checkpoint in {str(run)!r}; pass the folder of a run that has finished "
                         "at least one epoch")
    return Checkpoint(path.resolve(), json.loads((path / "position.json").read_text()))


def _point(run, name, target):
    link = run / f".{name}-new"
    link.unlink(missing_ok=True)
    link.symlink_to(target.relative_to(run))
    os.replace(link, run / name)
    _sync(run)


def _remove_unused(run, folder):
    used = {(run / name).resolve() for name in ("best", "last") if (run / name).exists()}
    for path in folder.iterdir():
        if path.resolve() not in used:
            shutil.rmtree(path, ignore_errors=True)


def _sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
