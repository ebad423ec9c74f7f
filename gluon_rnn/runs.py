"""Runs that have been trained, and models of the zoo: reading one back, and its scores on the data of its recipe."""
import functools
from pathlib import Path

import pandas as pd

from gluon_rnn import config as configuration
from gluon_rnn import recipes, runtime
from gluon_rnn.data.placement import addresses
from gluon_rnn.inference.neural_cache import evaluate_with_cache
from gluon_rnn.model_zoo import entries
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints, manifest
from gluon_rnn.training.evaluation import in_words
from gluon_rnn.training.folder import check_assets, check_fits, recipe_of, write_results
from gluon_rnn.training.start import Source

__all__ = ["Run", "check_same_data", "config_of", "evaluate_cached", "evaluate_run", "evaluate_ensemble",
           "load_run", "load_task", "starting_point"]


class Run:
    """The folder of a run: its scores, and the model that it trained.

    Parameters
    ----------
    path : str or Path
    data : object, optional
        The data of a run that was trained on data in memory, as they were passed to `gluon_rnn.train`; `evaluate` alone
        needs them, and they are compared with the hashes that the run has noted. `gluon_rnn.train` fills them in.

    Attributes
    ----------
    path : Path

    Raises
    ------
    ValueError
        If there is no run in `path`.
    """

    def __init__(self, path, data=None):
        self.path, self._data = Path(path), data
        recipe_of(self.path)

    @functools.cached_property
    def config(self):
        """The effective recipe, a `gluon_rnn.config.Config`."""
        return config_of(self.path)

    @property
    def results(self):
        """What ``results.json`` holds: scores, baselines, seed, parameters, epochs, seconds; a dict.

        ValueError where the run has not come to its end.
        """
        path = self.path / "results.json"
        if not path.is_file():
            raise ValueError(f"the run in {str(self.path)!r} has not come to its end, so that there are no results; "
                             f"gluon_rnn.train(resume={str(self.path)!r}) goes on, with the data where they were in "
                             "memory")
        return manifest.read_json(path, dict)

    @property
    def scores(self):
        """The scores on the test split, or on the validation split where there is no other; a dict."""
        return self.results["scores"]

    @property
    def metrics(self):
        """The rows of ``metrics.csv``, one for each evaluation; a pandas.DataFrame."""
        try:
            return pd.read_csv(self.path / "metrics.csv", float_precision="round_trip")
        except ValueError as error:                                           # of pandas, or of a text that is none
            raise ValueError(f"{self.path / 'metrics.csv'} is damaged: {error}; restore it, or resume the run, whose "
                             "checkpoint has its rows") from error

    def predictor(self, which="best", ctx=None, ensemble=()):
        """Return the predictor of a checkpoint; see `load_run`."""
        return load_run(self.path, which, ctx, ensemble)

    @functools.cached_property
    def _best(self):
        return self.predictor()

    def predict(self, *inputs, **options):
        """Apply the best checkpoint; arguments and answer are those of its predictor's `predict`."""
        return self._best.predict(*inputs, **options)

    def evaluate(self, split=None, which="best"):
        """Return the scores of a checkpoint on a split of the run's data, a dict; see `evaluate_run`."""
        return _evaluated(self.path, split, which, self._data)[2]

    def __repr__(self):
        text = f"Run({str(self.path)!r}: {self.config.task.name}, {self.config.model.name}"
        if not (self.path / "results.json").is_file():
            return f"{text}, not finished)"
        scores = ", ".join(f"{name} {value:.4g}" for name, value in list(self.scores.items())[:4])
        return f"{text}; {self.results['split']} {scores})"


def config_of(path, data=None):
    """Return the effective configuration of the run in `path`, of one whose data were in memory with these `data`.

    Raises
    ------
    ValueError
        If there is no run, or the data are not those that it was trained on.
    """
    recipe = recipe_of(path)
    if data is None:
        return recipes.load(recipe)
    config = recipes.from_dict(recipes.with_data(recipes.read(recipe), data, str(recipe)), str(recipe))
    check_same_data(path, config)
    return config


def check_same_data(path, config):
    """Raise ValueError unless the data in memory of a recipe are those of the run in `path`, by their hashes."""
    old, new = (addresses(each.data.arguments) for each in (recipes.load(recipe_of(path)), config))
    if new and not old:
        raise ValueError(f"the run in {str(path)!r} read its data from files, and data in memory were given; leave "
                         "them out")
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            raise ValueError(f"the data given are not those of the run in {str(path)!r}: {key} is {new.get(key)} and "
                             f"was {old.get(key)}; pass the data of that run, in the same form, or start a new run")


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


def _saved(path, which, data=None):
    """Return the folder for what commands write, the configuration and the checkpoint of a run or a zoo model.

    The `Entry` of a zoo model reads like a checkpoint.
    """
    entry = entries.find(path)
    if entry is None:
        _check_exists(path)
        config, checkpoint = config_of(path, data), checkpoints.load(path, which)
        check_fits(path, config, checkpoint)
        return path, config, checkpoint
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
    return in_words(*_evaluated(path, split, which))


def _evaluated(path, split, which, data=None):
    """Return the task, the split and the scores of a checkpoint on it."""
    _, config, checkpoint = _saved(path, which, data)
    task, split = _loaded(path, split, config, checkpoint)
    return task, split, task.evaluate(split)


def load_task(path, split=None, which="best"):
    """Return the folder of a run, its task with the parameters of a checkpoint, and a split of its data.

    Parameters and errors are those of `evaluate_run`.
    """
    folder, config, checkpoint = _saved(path, which)
    return (Path(folder), *_loaded(path, split, config, checkpoint))


def _loaded(path, split, config, checkpoint):
    """Return the task of a checkpoint, with its parameters, and the split, by default the one that is reported."""
    task = recipes.build_task(config)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(path)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    check_assets(checkpoint, task.assets, f"the run in {str(path)!r}")
    checkpoint.load_parameters(task.model, runtime.devices(config.device)[0])
    task.graph.hybridize()
    return task, split


def evaluate_cached(path, size, split=None, which="best"):
    """Return the scores of a language model with a neural cache of `size` places, as a sentence.

    Parameters and errors are those of `evaluate_run`; see `gluon_rnn.inference.neural_cache`.
    """
    _, config, checkpoint = _saved(path, which)
    if config.task.name != "language_model":
        raise ValueError(f"a cache goes with a language model, and the task of {str(path)!r} is {config.task.name!r}; "
                         "leave it out")
    task, split = _loaded(path, split, config, checkpoint)
    found = evaluate_with_cache(task, split, size)
    return (f"{in_words(task, split, task.scores_of(found.loss))}, with a cache of {size} places, theta {found.theta} "
            f"and lambda {found.share} by the validation split")


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
        results = manifest.read_json(run.path / "results.json", dict)
        write_results(run.path, {**results, "scores": {**results["scores"], **scores}})
    return in_words(task, split, scores)
