"""The folder of a run: making one, and reading a trained model back from it."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gluonnlp
import mxnet as mx

from gluon_rnn import config as configuration
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints

__all__ = ["Run", "config_of", "create", "load_run"]


@dataclass
class Run:
    """A trained model with what is needed to use it.

    Attributes
    ----------
    path : Path
        The run's folder.
    config : gluon_rnn.config.Config
    model : HybridBlock
        Parameters loaded, hybridized.
    vocab : gluonnlp.Vocab
    unit, separator : str
        "character" or "word", and what stands between two tokens in a text.
    position : dict
        Of the checkpoint: epoch, step, best score.
    """

    path: Path
    config: Any
    model: Any
    vocab: Any
    unit: str
    separator: str
    position: dict


def create(output_dir, name):
    """Make and return the folder ``output_dir/name-<n>``, n being the first number that is free."""
    number = 1
    while True:
        path = Path(output_dir) / f"{name}-{number}"
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1


def config_of(path):
    """Return the effective configuration of the run in `path`; ValueError where there is no run."""
    path = Path(path)
    if not (path / "config.yaml").is_file():
        near = [str(folder.parent) for folder in path.parent.glob("*/config.yaml")] if path.parent.is_dir() else []
        hint = suggest(str(path), near) if near else "pass the folder that scripts.train printed last"
        raise ValueError(f"there is no run in {str(path)!r}; {hint}")
    return configuration.load(path / "config.yaml")


def load_run(path, which="best", ctx=None):
    """Return the `Run` in folder `path`, with the parameters of its checkpoint `which`.

    Parameters
    ----------
    path : str or Path
    which : {"best", "last"}
    ctx : mxnet.Context, optional
        Where the parameters go; the CPU by default.

    Raises
    ------
    ValueError
        If there is no run, or no such checkpoint in it.
    """
    config = config_of(path)
    checkpoint = checkpoints.load(path, which)
    vocab = gluonnlp.Vocab.from_json((checkpoint.path / "vocab.json").read_text(encoding="utf-8"))
    model = tasks.get(config.task).build_model(config.model, len(vocab))
    model.load_parameters(checkpoint.parameters, ctx=ctx or mx.cpu())
    model.hybridize()
    unit, separator = checkpoint.position["unit"], checkpoint.position["separator"]
    return Run(Path(path), config, model, vocab, unit, separator, checkpoint.position)
