"""Runs that have been trained: reading a model back, and its scores on the data of its recipe."""
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mxnet as mx

from gluon_rnn import recipes, runtime
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints
from gluon_rnn.training.evaluation import in_words
from gluon_rnn.training.folder import check_assets, recipe_of, write_results

__all__ = ["Run", "config_of", "evaluate_run", "evaluate_together", "load_run"]


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


def config_of(path):
    """Return the effective configuration of the run in `path`; ValueError where there is no run."""
    return recipes.load(recipe_of(path))


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


def _model_beside(run, other):
    """Return the model of `other`, a Run that is to answer together with `run`; ValueError if it cannot."""
    if not hasattr(tasks.get(run.config.task.name), "evaluate_together"):
        raise ValueError(f"models of the task {run.config.task.name!r} do not answer together; pass one run")
    if other.config.task.name != run.config.task.name or other.assets.texts() != run.assets.texts():
        raise ValueError(f"{str(other.path)!r} cannot answer beside {str(run.path)!r}: its task, or its "
                         "vocabulary or scaler, is another one; take runs of one recipe and the same data")
    return other.model


def evaluate_run(path, split=None, which="best"):
    """Return the scores of a run's checkpoint on a split of its own data, as a sentence.

    Parameters
    ----------
    path : str or Path
        The run's folder.
    split : str, optional
        "train", "valid" or "test"; by default "test" where there is one, else "valid".
    which : {"best", "last"}

    Raises
    ------
    ValueError
        If there is no such run, checkpoint or split, or the data have changed since.
    """
    config, checkpoint = config_of(path), checkpoints.load(path, which)
    task = recipes.build_task(config)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(path)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    check_assets(checkpoint, task.assets, f"the run in {str(path)!r}")
    task.model.load_parameters(checkpoint.parameters, ctx=runtime.devices(config.device)[0])
    task.graph.hybridize()
    return in_words(task, split, task.evaluate(split))


def evaluate_together(paths, split=None, which="best", *, save=False):
    """Return the scores that several runs of a recipe reach together, as a sentence.

    Parameters
    ----------
    paths : list of str or Path
        Folders of runs of one recipe, which answer together as `gluon_rnn.training.load_run` says.
    split, which
        As for `evaluate_run`.
    save : bool
        Whether the scores go into ``results.json`` of the first run too, beside those of the same split.

    Raises
    ------
    ValueError
        If a run is missing or does not fit to the first one, if models of their task do not answer together, or if
        another split's scores are to be saved.
    """
    path, *beside = paths
    run = load_run(path, which, beside=beside)
    task = recipes.build_task(run.config)
    check_assets(checkpoints.load(run.path, which), task.assets, f"the run in {str(path)!r}")
    split = split or task.final_split
    if save and split != task.final_split:
        raise ValueError(f"results.json holds scores of the {task.final_split} split, and those of {split} cannot be "
                         "saved beside them; leave save or split out")
    scores = task.evaluate_together(split, [run.model, *run.beside])
    if save:
        results = json.loads((run.path / "results.json").read_text(encoding="utf-8"))
        write_results(run.path, {**results, "scores": {**results["scores"], **scores}})
    return in_words(task, split, scores)
