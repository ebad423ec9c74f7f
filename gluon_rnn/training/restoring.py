"""Going on with a run: its last checkpoint is compared with the recipe, the data and the model before it is used.

A checkpoint that does not fit is refused in one sentence, and nothing is written before all of it is compared.
"""
import dataclasses
import logging

import mxnet as mx

from gluon_rnn.nn.flat_parameters import split_old_vectors
from gluon_rnn.optim import optimizers
from gluon_rnn.report.record import flat
from gluon_rnn.training import checkpoints, folder
from gluon_rnn.training.position import Position, Totals

__all__ = ["check_selection", "checked", "position_of", "set_optimizer", "set_weights", "states_of"]

_log = logging.getLogger("gluon_rnn")

# What may not change while an epoch is only half done: the batches that are left would be others.
_OF_BATCHES = ("seed", "data.batch_size", "data.bptt", "data.num_buckets", "data.stride", "data.random_offset")


def checked(path, config, assets):
    """Return the `last` checkpoint of the run in `path`, all its files compared with its manifest.

    Parameters
    ----------
    path : Path
    config : gluon_rnn.config.Config
        Of the resume.
    assets
        Made from the data now.

    Raises
    ------
    ValueError
        If a file is damaged, or the recipe or the data are not those of the run.
    """
    checkpoint = checkpoints.load(path, "last")
    checkpoint.check()
    values = folder.recipe_values(folder.recipe_of(path))
    own = folder.recipe_values(checkpoint.file("config.yaml"))
    folder.check_whole(path, values, own)
    folder.check_same_model(values, config)
    folder.check_same_model(own, config)
    folder.check_assets(checkpoint, assets, "the run to resume")
    _compare(checkpoint, flat(own), flat(config.model_dump()))
    return checkpoint


def _compare(checkpoint, old, new):
    """Log which keys of the recipe are others now, and refuse those that may not change within an epoch."""
    changed = {key: f"{key} {old[key]!r} -> {new.get(key)!r}" for key in old
               if old[key] != new.get(key) and key != "data_root" and not key.startswith("data.")}
    if changed:
        _log.info("changed since the checkpoint: %s", ", ".join(changed.values()))
    within = position_of(checkpoint).step_in_epoch
    for key in _OF_BATCHES:
        if within and old.get(key) != new.get(key):
            raise ValueError(f"{key} is {new.get(key)!r}, and the run was stopped within an epoch of {old.get(key)!r}; "
                             "leave it as it was until that epoch is over")


def position_of(checkpoint):
    """Return the `Position` of a checkpoint; ValueError where it is none."""
    saved = checkpoint.position
    for key in ("position", "average", "optimizer", "schedule"):
        if key not in saved:
            raise _damaged(checkpoint, f"it lacks {key!r}")
    try:
        found = Position(**saved["position"])
        Totals(**found.totals)
    except TypeError as error:
        raise _damaged(checkpoint, str(error)) from error
    counts = {key: getattr(found, key) for key in ("epoch", "step_in_epoch", "step", "best_epoch")}
    for key, value in counts.items():
        if type(value) is not int or value < 0:
            raise _damaged(checkpoint, f"{key} is {value!r}")
    floats = {"best": found.best, "first_loss": found.first_loss}
    for key, value in floats.items():
        if not isinstance(value, (int, float, type(None))):
            raise _damaged(checkpoint, f"{key} is {value!r}")
    if not _are_numbers(found.totals):
        raise _damaged(checkpoint, f"totals are {found.totals!r}")
    return found


def check_selection(position, selection):
    """Raise ValueError where the best score so far is another one than that of `selection`, a name and "min" or "max".

    The one cannot be compared with the other. Runs of older versions did not note which it was.
    """
    if position.selection not in (None, selection[0]):
        raise ValueError(f"the best epoch is selected by {selection[0]!r}, but by {position.selection!r} in the run to "
                         "resume; leave the section task as it was, or start a new run")


def _are_numbers(totals):
    return all(type(value) in (int, float) for value in totals.values()) and set(totals) <= {
        field.name for field in dataclasses.fields(Totals)}


def _damaged(checkpoint, why):
    return ValueError(f"{checkpoint.path / 'position.json'} is no position of a run: {why}; restore it, or train anew")


def set_weights(checkpoint, model, parameters, average):
    """Set `parameters`, {name: gluon.Parameter}, and their `WeightAverage` to those of a checkpoint.

    ValueError where a name or a shape is another one.
    """
    weights, averages = (split_old_vectors(model, checkpoint.arrays(kind)) for kind in ("weight", "average"))
    _check_names(checkpoint, "weights", weights, parameters)
    state = checkpoint.position["average"]
    if averages or (average.arrays and state.get("updates")):
        _check_names(checkpoint, "averages", averages, parameters)
    for name, array in weights.items():
        parameters[name].set_data(array)
    average.set_state(averages, state)


def _check_names(checkpoint, what, arrays, parameters):
    """Raise ValueError unless `arrays` have the names and shapes of the model's `parameters`."""
    where = checkpoint.path / "training.params"
    for name in sorted({*arrays, *parameters}):
        if name not in arrays:
            raise ValueError(f"{where} has no {name!r} among its {what}, and the model has; the file is damaged, or of "
                             "another model")
        if name not in parameters:
            raise ValueError(f"{where} has {name!r} among its {what}, and the model has not; the file is damaged, or "
                             "of another model")
        if arrays[name].shape != tuple(parameters[name].shape):
            raise ValueError(f"{where}: {name!r} among its {what} has shape {arrays[name].shape}, and the model's "
                             f"has {tuple(parameters[name].shape)}; the file is damaged, or of another model")


def set_optimizer(checkpoint, trainer):
    """Set the optimiser of a gluon.Trainer to the state of a checkpoint; ValueError where it does not fit."""
    try:
        optimizers.set_arrays(trainer, checkpoint.arrays("optimizer"))
        optimizers.set_numbers(trainer, checkpoint.position["optimizer"])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, mx.MXNetError) as error:
        raise ValueError(f"the optimiser's state in {checkpoint.path} does not fit to training.optimizer ({error}); "
                         "keep the optimiser of the run, or start a new run") from error


def states_of(checkpoint):
    """Return the carried states of a checkpoint as `gluon_rnn.training.carried.restored` takes them.

    ValueError where one is missing: every device has as many.
    """
    states = checkpoint.arrays("state")
    pieces = {name.partition(".")[0] for name in states}
    count = len(states) // max(1, len(pieces))
    if set(states) != {f"{piece}.{index}" for piece in range(len(pieces)) for index in range(count)}:
        raise ValueError(f"{checkpoint.path / 'training.params'} has the carried states {', '.join(sorted(states))}, "
                         "and some are missing; the file is damaged: restore it, or train anew")
    return states
