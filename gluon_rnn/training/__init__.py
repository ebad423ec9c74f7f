"""Training: the loop, updates, schedules, checkpoints and what a run leaves behind."""
import inspect

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError, check_arguments
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.runtime import devices
from gluon_rnn.training import (  # noqa: F401  (registers the tasks)
    classification,
    conditional,
    forecasting,
    frames,
    language_model,
    optimizers,
    schedules,
    tagging,
    translation,
)
from gluon_rnn.training.evaluation import evaluate_run, evaluate_together
from gluon_rnn.training.language_model import stream_text
from gluon_rnn.training.loop import Interrupted, TrainingError, train
from gluon_rnn.training.parts import check_part
from gluon_rnn.training.runs import Run, load_run

__all__ = ["Interrupted", "Run", "TrainingError", "evaluate_run", "evaluate_together", "load_run", "resolve",
           "stream_text", "train"]


def resolve(config):
    """Check every named part of a recipe before any data is read, and fill in what its task decides.

    Returns
    -------
    Config
        The same one, with the task's own schema of the section ``data`` and its model's name.

    Raises
    ------
    ConfigError
        With the YAML path.
    """
    if config.task.name not in tasks.names():
        raise ConfigError(f"task: unknown task {config.task.name!r}; {suggest(config.task.name, tasks.names())}")
    task = tasks.get(config.task.name)
    check_part("task", tasks, config.task, given=("config",))
    config.data = configuration.section(task.data_section, config.data.model_dump(exclude_unset=True), "data")
    config.model.name = config.model.name or task.default_model
    _check_devices(config)
    _check_optimizer(config.training.optimizer)
    _check_schedule(config.training.schedule)
    task.check(config)
    return config


def _check_devices(config):
    try:
        count = len(devices(config.device))
    except ValueError as error:
        raise ConfigError(f"device: {str(error).removeprefix('device: ')}") from error
    if config.data.batch_size % count:
        raise ConfigError(f"data.batch_size: {config.data.batch_size} cannot be split evenly over the {count} devices "
                          f"of {config.device!r}; choose a multiple of {count}")


def _check_optimizer(part):
    where = "training.optimizer"
    try:
        parameters = optimizers.parameters(part.name)
    except ValueError as error:
        raise ConfigError(f"{where}.name: {error}") from error
    try:
        optimizers.check_keys(part.arguments)
        check_arguments(where, part.arguments, parameters, neighbours=type(part).model_fields)
        optimizers.build(part.name, **part.arguments)
    except ConfigError:
        raise
    except (ValueError, TypeError, AssertionError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _check_schedule(part):
    where = "training.schedule"
    try:
        builder = schedules.schedules.get(part.name)
    except ValueError as error:
        raise ConfigError(f"{where}.name: {error}") from error
    parameters = inspect.signature(builder).parameters
    known = {key: parameters[key] for key in parameters if key not in schedules.GIVEN}
    check_arguments(where, part.arguments, known, neighbours=type(part).model_fields)
    try:
        schedules.build(part.name, 1.0, 10**9, 10**6, **part.arguments)
    except (ValueError, AssertionError) as error:
        raise ConfigError(f"{where}: {error}") from error
