"""From a recipe to a task: YAML file, then ``key=value`` overrides, then types, ranges and names, then the task itself.

OmegaConf reads, merges and interpolates; pydantic checks types and ranges (`gluon_rnn.config`); the constructors of the
named parts are the schema of their sections. All of it happens before any data is read, and every mistake is a
`ConfigError` of one sentence that names the YAML path.
"""
import inspect

import omegaconf
import pydantic
from omegaconf import OmegaConf

from gluon_rnn import config as configuration
from gluon_rnn import runtime
from gluon_rnn import tasks as _tasks  # noqa: F401  importing the package registers the tasks
from gluon_rnn.config import Config, ConfigError, check_arguments, explain
from gluon_rnn.data import placement
from gluon_rnn.optim import optimizers, schedules
from gluon_rnn.parts import check_part
from gluon_rnn.public_data import data_root
from gluon_rnn.recipe_files import find, read_yaml
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training.algorithms.settings import algorithm_of, algorithms
from gluon_rnn.training.parameter_groups import check_patterns

__all__ = ["build_task", "data_root", "find", "from_dict", "load", "read", "read_yaml", "resolve", "with_data"]


#: what messages call a recipe that is no file
_GIVEN = "the recipe given"
#: parts that may be a name alone
_NAMED = ("task", "training.optimizer", "training.schedule", "training.algorithm")


def load(path, overrides=()):
    """Read the recipe at `path`, apply `overrides` and check everything that can be checked without data.

    Parameters
    ----------
    path : str or Path
        A YAML file, or the name of a packaged recipe, such as ``classify/names_tdnn``; see `find`.
    overrides : sequence of str
        ``key=value`` with dotted keys, such as ``model.encoder.hidden_size=256``; they win over the file.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        In one sentence: the file, the YAML path, what is wrong, and the nearest right spelling.
    """
    path = find(path)
    return from_dict(read(path, overrides), str(path))


def read(recipe, overrides=()):
    """Return a recipe with its overrides and `${data_root}` filled in, a nested dict that is not checked yet.

    Parameters
    ----------
    recipe : str, Path or dict
        As for `load`; or a recipe as a nested dict.
    overrides : sequence of str, or dict
        As for `load`; or {dotted key: value}, a mapping being merged into the section of that name.
    """
    source = _GIVEN if isinstance(recipe, dict) else str(recipe)
    try:
        own = OmegaConf.create(recipe) if isinstance(recipe, dict) else read_yaml(find(recipe))
        raw = OmegaConf.merge({"data_root": data_root()}, _with_mappings(own))
        for key, override in _from_overrides(overrides):
            raw = _overridden(raw, key, _with_mappings(override))
        return OmegaConf.to_container(raw, resolve=True)
    except omegaconf.errors.OmegaConfBaseException as error:
        raise ConfigError(f"{source}: {_one_line(error)}") from error


def with_data(raw, data, source=_GIVEN):
    """Return a recipe, as `read` gives it, with data in memory in the place of its files.

    Parameters
    ----------
    raw : dict
    data : object
        What the recipe's data set takes, or a dict of it by split; see `gluon_rnn.data.placement.place`. A recipe
        without ``data.name`` gets the data set that its task has for such data.
    source : str
        Named in messages.
    """
    section = raw.get("data") or {}
    if not isinstance(section, dict):
        raise ConfigError(f"{source}: data: expected a mapping such as {{name: ...}}, got {section!r}")
    task = tasks.get((raw.get("task") or {"name": "language_model"}).get("name"))
    try:
        name = section.get("name") or task.data_set_for(data.get("train") if isinstance(data, dict) else data)
        return {**raw, "data": placement.place({**section, "name": name}, data)}
    except ValueError as error:
        raise ConfigError(f"{source}: data.{error}" if _is_key(error) else f"{source}: {error}") from error


def from_dict(raw, source="<dict>"):
    """Return `raw`, a plain nested dict, as a checked `Config`; `source` is named in messages."""
    try:
        config = Config.model_validate(raw)
    except pydantic.ValidationError as error:
        raise ConfigError(f"{source}: {explain(error.errors()[0])}") from error
    try:
        return resolve(config)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def build_task(config, source=None):
    """Return the task of a checked recipe: data read, model and loss graph built, nothing initialised.

    All generators of random numbers are seeded with ``config.seed`` first. The values that model and encoders are given
    are checked before data are read.

    Parameters
    ----------
    config : Config
    source : str, optional
        The recipe's file, which messages name.

    Raises
    ------
    ConfigError
        If a value in the recipe is wrong, or does not fit to the data.
    """
    runtime.seed_all(config.seed)
    try:
        return tasks.get(config.task.name)(config, **config.task.arguments)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}" if source else str(error)) from error


def _with_mappings(raw):
    """Return a recipe in which parts that are a name alone are mappings, to which an override can add a key."""
    for key in _NAMED:
        name = OmegaConf.select(raw, key, throw_on_resolution_failure=False)
        if isinstance(name, str):
            OmegaConf.update(raw, key, {"name": name})
    return raw


def _is_key(error):
    """Whether a sentence begins with a key of the section `data`, so that it lacks the section's name only."""
    return str(error).split(":")[0] in ("name", "split")


def _from_overrides(overrides):
    """Return (dotted key, recipe that has this key alone) of each override."""
    if isinstance(overrides, dict):
        found = []
        for key, value in overrides.items():
            found.append((key, OmegaConf.create()))
            OmegaConf.update(found[-1][1], key, value, force_add=True)
        return found
    for text in overrides:
        if "=" not in text:
            raise ConfigError(f"override {text!r} is not of the form key=value, as in training.epochs=5")
    try:
        return [(text.partition("=")[0], OmegaConf.from_dotlist([text])) for text in overrides]
    except Exception as error:
        raise ConfigError(f"overrides {' '.join(overrides)!r}: {_one_line(error)}") from error


def _overridden(raw, key, override):
    """Return a recipe with one override: a mapping is merged into a section, or a part of the same name.

    In the place of anything else, such as a list, a mapping without a name or a part of another name, it is put whole;
    a whole section is put whole where it has another name.
    """
    try:
        # An override by itself may have no answer to the names in it, such as ${output_dir}.
        old, new = (OmegaConf.select(each, key, default=None, throw_on_resolution_failure=False)
                    for each in (raw, override))
        replaces = _is_another_part if "." not in key else lambda *parts: not _same_part(*parts)
        if OmegaConf.is_config(old) and OmegaConf.is_config(new) and replaces(old, new):
            OmegaConf.update(raw, key, new, merge=False)
            return raw
        return OmegaConf.merge(raw, override)
    except (TypeError, omegaconf.errors.ConfigKeyError, omegaconf.errors.ConfigTypeError) as error:
        raise ConfigError(f"{key}: this key cannot be put into what the recipe has there "
                          f"({_one_line(str(error).splitlines()[0])}); give the mapping above it anew") from error


def _same_part(old, new):
    """Whether both are mappings, and the new one has the name of the old one, or none."""
    both = OmegaConf.is_dict(old) and OmegaConf.is_dict(new) and "name" in old
    return both and new.get("name", old["name"]) == old["name"]


def _is_another_part(old, new):
    """Whether the new section says that it is of another name than the old one."""
    return OmegaConf.is_dict(old) and OmegaConf.is_dict(new) and "name" in new and new["name"] != old.get("name")


def _one_line(error):
    return " ".join(str(error).split())


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
    _check_kvstore(config.training)
    _check_devices(config)
    _check_optimizer(config.training.optimizer)
    _check_schedule(config.training.schedule)
    check_patterns(config.training)
    _check_algorithm(config, task)
    task.check(config)
    return config


def _check_devices(config):
    try:
        count = runtime.pieces(config.device)
    except ValueError as error:
        raise ConfigError(f"device: {str(error).removeprefix('device: ')}") from error
    if config.data.batch_size % count:
        raise ConfigError(f"data.batch_size: {config.data.batch_size} cannot be split evenly over the {count} devices "
                          f"of {config.device!r}{_of_workers()}; choose a multiple of {count}")


def _of_workers():
    return f" of {runtime.workers()} workers" if runtime.workers() > 1 else ""


def _check_kvstore(settings):
    if settings.kvstore == "local" and runtime.workers() > 1:
        raise ConfigError(f"training.kvstore: this process is one of {runtime.workers()} workers (DMLC_ROLE and "
                          "DMLC_NUM_WORKER are set), which local cannot join; choose dist_sync, or unset them")
    if settings.gradient_compression and settings.kvstore == "dist_async":
        raise ConfigError("training.gradient_compression: dist_async sends changes of parameters, which two bits "
                          "cannot hold; leave it out, or choose dist_sync")


def _check_algorithm(config, task):
    name = config.training.algorithm.name
    check_part("training.algorithm", algorithms, config.training.algorithm)
    algorithm_of(config)
    if name not in task.algorithms:
        able = [other for other in tasks.names() if name in tasks.get(other).algorithms]
        raise ConfigError(f"training.algorithm: {name} needs a stream whose states run on from update to update, and "
                          f"each sequence of the task {config.task.name!r} begins anew; leave it out, which is bptt, "
                          f"or choose one of the tasks {', '.join(able)}")


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
