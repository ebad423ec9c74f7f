"""Making a model of the zoo from a finished run, or making it anew."""
import datetime
import os
import re
import shutil
import tempfile
from pathlib import Path

import gluon_rnn
from gluon_rnn import recipes
from gluon_rnn.fetch import sha256_of
from gluon_rnn.model_zoo import entries, figures
from gluon_rnn.model_zoo.cards import About, Card, Figure, FileSum, Quick, Storage, read_about, write_card
from gluon_rnn.model_zoo.commands import training_command
from gluon_rnn.model_zoo.families import families_of
from gluon_rnn.model_zoo.portable import portable_recipe, training_data
from gluon_rnn.model_zoo.verify import prepared
from gluon_rnn.model_zoo.weights import load_weights, save_weights
from gluon_rnn.training import checkpoints
from gluon_rnn.training.folder import check_assets, recipe_of

__all__ = ["add"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_QUICK_BATCHES = 2


def add(run, name, *, about=None, seeds=(), results=None, store=None, data_root=None):
    """Make the model `name` of the zoo from a run's best checkpoint, in the place of an older one.

    Weights are stored in float16 where this costs less than a tenth of the standard deviation over seeds.

    Parameters
    ----------
    run : str or Path
        Folder of a finished run.
    name : str
        Family, size and data in lower case, with underscores.
    about : str or Path, optional
        YAML file with what is written by hand (`gluon_rnn.model_zoo.cards.About`); by default that of the card or draft
        that is there.
    seeds : list of str or Path
        Further runs of the recipe, for mean and standard deviation; by default both are those of `results`, a CSV.
    store : str or Path, optional
        A folder for the weights, to be put at ``GLUON_RNN_REPO``; by default they stand in the package.
    data_root : str or Path, optional
        What ``${data_root}`` was when the run was trained; default what it is now.

    Returns
    -------
    Entry

    Raises
    ------
    ValueError
        If the run has not finished, the data are not those of the run, its score is not reproduced, a text by hand is
        missing, or a path of the recipe is not inside `data_root`. Nothing has been changed then.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a name has family, size and data, in lower case, as lstm_512x2_shakespeare; got {name!r}")
    folder = entries.FOLDER / name
    texts = read_about(about or _card_of(folder))
    staged = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=entries.FOLDER))
    try:
        card = _fill(staged, run, texts, _Sources(seeds, results, data_root or recipes.data_root()))
        if store is not None:
            _move_weights(staged, name, card, Path(store))
        write_card(staged / entries.CARD, card)
        _put_in_place(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return entries.Entry(folder)


def _card_of(folder):
    if not (folder / entries.CARD).is_file():
        raise ValueError(f"{folder.name} is new: pass --about with a YAML file that has the keys "
                         f"{', '.join(key for key, field in About.model_fields.items() if field.is_required())}")
    return folder / entries.CARD


class _Sources:
    """Where figures of other seeds and of others come from, and the folder of data of the run."""

    def __init__(self, seeds, results, data_root):
        self.runs, self.results, self.data_root = list(seeds), results, data_root

    def seeds_and_row(self, run, about):
        """Return the `Seeds` of the figure, and the row of the results table or {}."""
        row = (figures.published_row(self.results, about) if self.results else None) or {}
        of_row = figures.seeds_of_row(row) if row and not self.runs else None
        return of_row or figures.seeds_of_runs([run, *self.runs], about.metric), row


def _fill(folder, run, about, sources):
    """Write recipe, small files and weights of a model into `folder`; return its card."""
    result = figures.finished(run, about.metric)
    seeds, row = sources.seeds_and_row(run, about)
    recipe = folder / entries.RECIPE
    recipe.write_text(portable_recipe(recipe_of(run), sources.data_root), encoding="utf-8")
    checkpoint, task = checkpoints.load(run, "best"), recipes.build_task(recipes.load(recipe))
    check_assets(checkpoint, task.assets, f"the run in {str(run)!r}")
    for file, text in task.assets.texts().items():
        (folder / file).write_text(text, encoding="utf-8")
    prepared(task, checkpoint)
    tolerance = figures.tolerance_of(about, seeds)
    storage = _store(folder / entries.WEIGHTS, task, checkpoint, about.metric, figures.allowed_difference(seeds))
    _check_reproduced(run, about.metric, storage.float32, result["scores"][about.metric], tolerance)
    figure = Figure(metric=about.metric, split=result["split"], value=getattr(storage, storage.dtype), mean=seeds.mean,
                    sd=seeds.sd, seeds=seeds.seeds, baselines=figures.baselines_of(result, about.metric),
                    published=about.published or row.get("published", ""),
                    published_source=about.published_source or row.get("source", ""), tolerance=tolerance,
                    quick=Quick(batches=_QUICK_BATCHES, value=task.closing_score(about.metric, _QUICK_BATCHES)))
    ended = datetime.date.fromtimestamp((Path(run) / "results.json").stat().st_mtime)
    return Card(about=about, task=task.config.task.name, family=families_of(task.config),
                data=training_data(recipe, about), figure=figure, storage=storage,
                parameters=result["parameters"], command=training_command(recipe, about.recipe), seed=task.config.seed,
                date=ended.isoformat(), version=gluon_rnn.__version__, files=_sums(folder))


def _store(path, task, checkpoint, metric, allowed):
    """Write the weights of a checkpoint in the smaller type that is good enough; leave them so in the task's model."""
    exact, half = task.closing_score(metric), None
    if save_weights(path, task.model, "float16"):
        load_weights(path, task.model, task.device)
        half = task.closing_score(metric)
        if abs(half - exact) < allowed or half == exact:
            return Storage(dtype="float16", float32=exact, float16=half, allowed=allowed)
        prepared(task, checkpoint)
    save_weights(path, task.model, "float32")
    return Storage(dtype="float32", float32=exact, float16=half, allowed=allowed)


def _check_reproduced(run, metric, found, expected, tolerance):
    if abs(found - expected) > tolerance:
        raise ValueError(f"{metric} of the run in {str(run)!r} is {expected:.6g} by its results.json and {found:.6g} "
                         f"when it is evaluated now, more than the tolerance of {tolerance:.2g} apart: data, code or "
                         "checkpoint have changed; train it anew, or state a larger tolerance in the section about")


def _sums(folder):
    return {path.name: FileSum(bytes=path.stat().st_size, sha256=sha256_of(path)) for path in sorted(folder.iterdir())}


def _move_weights(staged, name, card, store):
    """Move the weights out of a staged model into the folder `store`, under the name that they are fetched by."""
    store.mkdir(parents=True, exist_ok=True)
    target = store / entries.remote_name(name, card)
    partial = target.with_name(f".{target.name}.partial")
    shutil.move(staged / entries.WEIGHTS, partial)
    os.replace(partial, target)


def _put_in_place(staged, folder):
    """Put a staged model into its place; the old one is gone only when the new one stands there."""
    old = staged.with_name(f"{staged.name}-old")
    if folder.exists():
        folder.rename(old)
    staged.chmod(0o755)                                                # mkdtemp makes folders for the user alone
    staged.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
