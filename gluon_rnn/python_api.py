"""Training from Python: a recipe, data in memory where they are no files, and the run that comes out.

Data in memory, by task:

============================  ==================================================================================
forecasting                   (inputs, targets): arrays (T,) or (T, C), Series or DataFrames, inputs or None;
                              or one DataFrame with all columns; or a list of recordings of one of these kinds
classification                (texts, labels), or (sequences (T_i, C), labels)
regression                    (sequences (T_i, C), values (n,) or (n, K))
tagging                       (lists of words, lists of tags)
translation                   (source sentences, target sentences), or a list of pairs
language_model                a text, or a list of texts (lines)
conditional_language_model    (texts, labels)
============================  ==================================================================================
"""
import signal
from pathlib import Path

import numpy as np

from gluon_rnn import recipes
from gluon_rnn.runs import Run, check_same_data, starting_point
from gluon_rnn.training import Interrupted
from gluon_rnn.training import train as train_task
from gluon_rnn.training.folder import recipe_of

__all__ = ["train"]


def train(recipe=None, data=None, *, resume=None, **overrides):
    """Train a model by a recipe, on files or on data in memory.

    Parameters
    ----------
    recipe : str, Path or dict, optional
        A YAML file, the name of a packaged recipe ("identify/gas_furnace_narx"), or a nested dict with the same keys.
        With `resume` it may be left out, and is then the run's own.
    data : object, optional
        Data in the place of those that the recipe names; see the table in `gluon_rnn.python_api`.
        One set is divided as the recipe says (``data.split``, ``data.valid_fraction``, ``data.valid``);
        {"train": ..., "valid": ..., "test": ...} is divided already, and then "valid" is what selects the checkpoint.
        The recipe's data set (``data.name``) may be left out.
    resume : Run, str or Path, optional
        The run to go on with, on the same data: on a CPU it ends as an uninterrupted one, bit for bit.
    overrides
        Keys of the recipe that change, two underscores for each dot of the command line: ``training__epochs=3``,
        ``model__encoder__hidden_size=64``, ``seed=1``, ``output_dir="runs"``. A mapping is merged into its section.

    Returns
    -------
    gluon_rnn.runs.Run
        Its folder is what the command leaves behind. ``config.yaml`` has a hash in the place of data in memory.

    Raises
    ------
    ValueError
        If recipe, overrides or data are wrong, in one sentence; nothing is trained.
    TrainingError
        If loss or gradient stop being finite.
    KeyboardInterrupt
        If the user interrupts training: the run is evaluated and saved first, and the message says how to go on.
        SIGTERM ends the process after the same (SystemExit with status 143).
    """
    folder = None if resume is None else Path(resume.path if isinstance(resume, Run) else resume)
    if recipe is None and folder is None:
        raise ValueError("which recipe? Pass a YAML file, the name of a packaged one such as 'quickstart', or a dict")
    recipe = recipe_of(folder) if recipe is None else recipe
    source = "the recipe given" if isinstance(recipe, dict) else str(recipe)
    config = _checked(recipe, data, overrides, source)
    if folder is not None:
        check_same_data(folder, config)
    name = config.task.name if isinstance(recipe, dict) else Path(recipe).stem
    start = starting_point(config) if folder is None else None
    return Run(_train(recipes.build_task(config, source), name, folder, start), data)


def _checked(recipe, data, overrides, source):
    """Return the checked `Config` of a recipe with its overrides, and with data in memory where there are any."""
    raw = recipes.read(recipe, {key.replace("__", "."): _plain(value) for key, value in overrides.items()})
    return recipes.from_dict(raw if data is None else recipes.with_data(raw, data, source), source)


def _train(task, name, folder, start):
    """Return the folder of the run; an interruption, saved, ends the program that asked for it as it would any other.

    It must not look like a failure, which a search over many models would pass over.
    """
    try:
        return train_task(task, name, resume=folder, start=start)
    except Interrupted as stopped:
        if stopped.exit_status == 128 + signal.SIGTERM:
            raise SystemExit(stopped.exit_status) from stopped
        raise KeyboardInterrupt(f"training was interrupted and is saved; gluon_rnn.train(resume={str(stopped.path)!r}) "
                                "goes on, with the data where they were in memory") from stopped


def _plain(value):
    """Return numbers of NumPy, which a search over parameters passes, as those of Python."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
