"""The folder of a run: making one, and reading a trained model back from it."""
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mxnet as mx

from gluon_rnn import config as configuration
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints

__all__ = ["Run", "check_assets", "config_of", "create", "load_run", "write_results"]


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
    assets
        What the task's model needs besides parameters: a vocabulary, a scaler, the names of classes.
    position : dict
        Of the checkpoint: epoch, step, best score.
    beside : list of HybridBlock
        Models of further runs, which answer together with this one.
    """

    path: Path
    config: Any
    model: Any
    assets: Any
    position: dict
    beside: list = field(default_factory=list)

    def export_arguments(self):
        """Return the keyword arguments of `gluon_rnn.export.export` for this model."""
        return tasks.get(self.config.task.name).export_arguments(self)

    def predict(self, *inputs, **options):
        """Apply the model to something new, as the `predict` of its task says."""
        return tasks.get(self.config.task.name).predict(self, *inputs, **options)

    def stream(self, steps):
        """Yield an answer after each of `steps` while they come in, as the `stream` of its task says."""
        return tasks.get(self.config.task.name).stream(self, steps)


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


def load_run(path, which="best", ctx=None, beside=()):
    """Return the `Run` in folder `path`, with the parameters of its checkpoint `which`.

    Parameters
    ----------
    path : str or Path
    which : {"best", "last"}
    ctx : mxnet.Context, optional
        Where the parameters go; the CPU by default.
    beside : list of str or Path
        Further runs of the same recipe and data, which answer together with this one: translations and classes by the
        mean of their probabilities, forecasts by the median of what they predict.

    Raises
    ------
    ValueError
        If there is no run, or no such checkpoint in it, or a run beside it does not fit.
    """
    config = config_of(path)
    checkpoint = checkpoints.load(path, which)
    task = tasks.get(config.task.name)
    assets = task.assets_class.from_texts(checkpoint.read)
    model = task.build_model(config.model, assets)
    model.load_parameters(checkpoint.parameters, ctx=ctx or mx.cpu())
    model.hybridize()
    run = Run(Path(path), config, model, assets, checkpoint.position)
    run.beside = [_model_beside(run, load_run(other, which, ctx)) for other in beside]
    return run


def check_assets(checkpoint, assets, whose):
    """Raise ValueError unless vocabulary, scaler and the like of `checkpoint` are `assets`, those of the data now."""
    for name, text in assets.texts().items():
        if checkpoint.read(name) != text:
            raise ValueError(f"{name} made from the data is not the one of {whose}: the data have changed, or are "
                             "others; use the data of that run, or start a new run")


def _model_beside(run, other):
    """Return the model of `other`, a Run that is to answer together with `run`; ValueError if it cannot."""
    if not hasattr(tasks.get(run.config.task.name), "evaluate_together"):
        raise ValueError(f"models of the task {run.config.task.name!r} do not answer together; pass one run")
    if other.config.task.name != run.config.task.name or other.assets.texts() != run.assets.texts():
        raise ValueError(f"{str(other.path)!r} cannot answer beside {str(run.path)!r}: its task, or its "
                         "vocabulary or scaler, is another one; take runs of one recipe and the same data")
    return other.model


def write_results(path, results):
    """Write ``results.json`` of the run in `path`, whole or not at all."""
    partial = Path(path) / ".results.json"
    partial.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, Path(path) / "results.json")
