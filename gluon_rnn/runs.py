"""Runs that have been trained, and models of the zoo: reading one back, and its scores on the data of its recipe."""
import json
from pathlib import Path

from gluon_rnn import config as configuration
from gluon_rnn import recipes, runtime
from gluon_rnn.model_zoo import entries
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints
from gluon_rnn.training.evaluation import in_words
from gluon_rnn.training.folder import check_assets, recipe_of, write_results
from gluon_rnn.training.start import Source

__all__ = ["config_of", "evaluate_run", "evaluate_ensemble", "load_run", "starting_point"]


def config_of(path):
    """Return the effective configuration of the run in `path`; ValueError where there is no run."""
    return recipes.load(recipe_of(path))


def load_run(path, which="best", ctx=None, ensemble=()):
    """Return the `Predictor` of the run in folder `path`, with the parameters of its checkpoint `which`.

    Parameters
    ----------
    path : str or Path
        The folder; or the name of a model of the zoo, where nothing has this name in the working folder.
    which : {"best", "last"}
        A model of the zoo has "best" only.
    ctx : mxnet.Context, optional
        Where the parameters go; the CPU by default.
    ensemble : list of str or Path
        Further runs of the same recipe and data, which answer together with this one: translations and classes by the
        mean of their probabilities, forecasts by the median of what they predict.

    Raises
    ------
    ValueError
        If there is no run and no such model, or no such checkpoint in it, or a run of the ensemble does not fit.
    """
    folder, config, checkpoint = _saved(path, which)
    predictor = tasks.get(config.task.name).predictor_class.read(folder, config, checkpoint, ctx)
    predictor.ensemble = [_member(predictor, load_run(other, which, ctx)) for other in ensemble]
    return predictor


def starting_point(config):
    """Return the parameters that a recipe starts from, for `gluon_rnn.training.train`.

    Parameters
    ----------
    config : gluon_rnn.config.Config

    Returns
    -------
    gluon_rnn.training.start.Source
        Of the best checkpoint; None where the recipe has no ``training.start_from``.

    Raises
    ------
    ConfigError
        If there is no such run and no such model of the zoo, or it cannot be read.
    """
    name = config.training.start_from
    if not name:
        return None
    try:
        found = load_run(name)
    except ValueError as error:
        raise configuration.ConfigError(f"training.start_from: {error}") from error
    return Source(name, found.arrays(), found.named_axes(found.assets, found.model))


def _saved(path, which):
    """Return the folder for what commands write, the configuration and the checkpoint of a run or a zoo model.

    The `Entry` of a zoo model reads like a checkpoint.
    """
    entry = entries.find(path)
    if entry is None:
        _check_exists(path)
        return path, config_of(path), checkpoints.load(path, which)
    if which != "best":
        raise ValueError(f"{path} is a model of the zoo, which has no {which!r} checkpoint; leave the checkpoint out")
    config = entry.config
    return Path(config.output_dir) / entry.name, config, entry


def _check_exists(path):
    """Raise ValueError for a word that is neither a run nor a model of the zoo; `config_of` says the rest."""
    if len(Path(path).parts) == 1 and not Path(path).exists():
        raise ValueError(f"there is no run in {str(path)!r}, and no model of the zoo has this name; "
                         f"{entries.nearest(path)}")


def _member(first, other):
    """Return the model of `other`, a predictor that is to answer together with `first`; ValueError if it cannot."""
    if first.ensemble_rule is None:
        raise ValueError(f"models of the task {first.config.task.name!r} form no ensemble; pass one run")
    if type(other) is not type(first) or other.assets.texts() != first.assets.texts():
        raise ValueError(f"{str(other.path)!r} and {str(first.path)!r} form no ensemble: its task, or its vocabulary "
                         "or scaler, is another one; take runs of one recipe and the same data")
    return other.model


def evaluate_run(path, split=None, which="best"):
    """Return the scores of a run's checkpoint on a split of its own data, as a sentence.

    Parameters
    ----------
    path : str or Path
        The run's folder, or the name of a model of the zoo.
    split : str, optional
        "train", "valid" or "test"; by default "test" where there is one, else "valid".
    which : {"best", "last"}

    Raises
    ------
    ValueError
        If there is no such run, checkpoint or split, or the data have changed since.
    """
    _, config, checkpoint = _saved(path, which)
    task = recipes.build_task(config)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(path)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    check_assets(checkpoint, task.assets, f"the run in {str(path)!r}")
    checkpoint.load_parameters(task.model, runtime.devices(config.device)[0])
    task.graph.hybridize()
    return in_words(task, split, task.evaluate(split))


def evaluate_ensemble(paths, split=None, which="best", *, save=False):
    """Return the scores of an ensemble of several runs of a recipe, as a sentence.

    Parameters
    ----------
    paths : list of str or Path
        Folders of runs of one recipe; see `load_run`.
    split, which
        As for `evaluate_run`.
    save : bool
        Whether the scores go into ``results.json`` of the first run too, beside those of the same split.

    Raises
    ------
    ValueError
        If a run is missing or does not fit to the first one, if models of their task form no ensemble, or if
        another split's scores are to be saved.
    """
    path, *others = paths
    run = load_run(path, which, ensemble=others)
    task = recipes.build_task(run.config)
    check_assets(_saved(path, which)[2], task.assets, f"the run in {str(path)!r}")
    split = split or task.final_split
    if save and entries.find(path) is not None:
        raise ValueError(f"{path} is a model of the zoo, which keeps no scores of ensembles; leave save out")
    if save and split != task.final_split:
        raise ValueError(f"results.json holds scores of the {task.final_split} split, and those of {split} cannot be "
                         "saved beside them; leave save or split out")
    scores = task.evaluate_ensemble(split, run.models)
    if save:
        results = json.loads((run.path / "results.json").read_text(encoding="utf-8"))
        write_results(run.path, {**results, "scores": {**results["scores"], **scores}})
    return in_words(task, split, scores)
