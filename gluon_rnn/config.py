"""The schema of a recipe: its sections, their keys, types, ranges and defaults; a mistake in it is a `ConfigError`.

Named parts (``data``, ``model.encoder``, ``training.optimizer``, ``training.schedule``) have any keys here: the
signatures of their constructors are their schemas, which `check_arguments` compares with.
"""
import difflib
import math
import typing
from typing import Any, Literal, Optional

import pydantic
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gluon_rnn.answers.checks import quotes_hint
from gluon_rnn.registry import suggest

__all__ = ["Algorithm", "Config", "ConfigError", "Data", "Embedding", "Model", "Part", "Thaw", "Training",
           "check_arguments", "explain", "section", "to_yaml"]


class ConfigError(ValueError):
    """A mistake in a recipe: one sentence with the source, the YAML path and the nearest right spelling."""


class _Checked(BaseModel):
    """Numbers are numbers: ``true`` is not 1, and infinity is none that a key could mean."""

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value, info):
        """Refuse a truth value where a number belongs; pydantic takes it for 0 or 1."""
        annotation = cls.model_fields[info.field_name].annotation
        kinds = {annotation, *typing.get_args(annotation)}
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise PydanticCustomError("number", "expected a number and not a truth value")
        return value


class _Section(_Checked):
    """A mapping with a fixed set of keys; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class Part(_Checked):
    """A registered part by name; the other keys of its mapping are its constructor's arguments."""

    model_config = ConfigDict(extra="allow", protected_namespaces=(), allow_inf_nan=False)
    name: str

    @property
    def arguments(self):
        """Everything of the section that goes to the constructor, as a dict."""
        return dict(self.model_extra)


class Data(Part):
    """Which data set, and how it is cut into batches; a task adds keys of its own in a subclass."""

    batch_size: int = Field(32, ge=1)
    eval_batch_size: int = Field(10, ge=1)


class Model(Part):
    """Which model, with its parts (``encoder: {name: lstm, ...}``) inside it."""

    name: Optional[str] = None                           # the task's own model where it is left out


class Optimizer(Part):
    """Which of MXNet's optimisers."""

    name: str = "adam"


class Schedule(Part):
    """How the learning rate changes."""

    name: str = "constant"


class Algorithm(Part):
    """Where gradients come from, with the algorithm's own keys; see `gluon_rnn.training.algorithms.settings`."""

    name: str = "bptt"


class Thaw(_Section):
    """From which epoch on some parameters learn."""

    epoch: int = Field(ge=2)                             # counted from 1, as in the log
    parameters: str                                      # regular expression


class Training(_Section):
    """How the model is fitted; see the comment behind each key."""

    epochs: int = Field(10, ge=1)
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    algorithm: Algorithm = Algorithm()                   # bptt; for streams tbptt, rtrl, uoro too
    clip_norm: Optional[float] = Field(None, gt=0)       # largest global norm of the gradient
    clip_value: Optional[float] = Field(None, gt=0)      # largest absolute value of each element
    clip_norm_per_layer: Optional[float] = Field(None, gt=0)    # largest norm of the gradient of each layer
    norm_preserving: float = Field(0.0, ge=0)            # weight of the regulariser of gradients' norms; for `rnn`
    weight_decay: float = Field(0.0, ge=0)               # decoupled, biases left alone
    average: float = Field(0.0, ge=0, lt=1)              # decay per step of the average of the weights; 0 is off
    eval_interval: int = Field(1, ge=1)                  # epochs from one evaluation and checkpoint to the next
    patience: Optional[int] = Field(None, ge=1)          # epochs without improvement that end training
    stop_at: dict[str, float] = {}                       # {score: value}: an evaluation with all as good is the last
    static_shapes: bool = True                           # a plan for each frequent shape of batch: faster, for memory
    tensorboard: bool = False                            # the fields of metrics.csv into RUN/tensorboard too
    report: bool = True                                  # pictures, predictions and baselines; without it scores only
    log_interval: float = Field(60.0, gt=0)              # seconds between progress lines where there is no terminal
    # Several machines; see gluon_rnn.distributed.
    kvstore: Literal["local", "dist_sync", "dist_device_sync", "dist_async"] = "local"
    gradient_compression: Optional[float] = Field(None, gt=0)   # threshold of MXNet's two-bit gradients
    # Fine-tuning. Patterns are regular expressions on names by structure, from their beginning, as in Gluon.
    start_from: Optional[str] = None                     # a run, or a zoo model, whose parameters are taken over
    start_names: dict[str, Optional[str]] = {}           # beginnings of names here: what they are there; null: new
    freeze: list[str] = []                               # patterns of parameters that stay as they are
    thaw: list[Thaw] = []                                # patterns of those that stay so until an epoch
    learning_rates: dict[str, float] = {}                # {pattern: factor} of the learning rate; the last one wins

    @pydantic.field_validator("optimizer", "schedule", "algorithm", mode="before")
    @classmethod
    def _name_alone(cls, value):
        return {"name": value} if isinstance(value, str) else value

    @pydantic.field_validator("start_names", "freeze", "thaw", "learning_rates", "stop_at", mode="before")
    @classmethod
    def _taken_back(cls, value, info):
        """Take null for none: an override cannot empty a mapping of the recipe otherwise."""
        return cls.model_fields[info.field_name].default if value is None else value

    @pydantic.field_validator("thaw", mode="before")
    @classmethod
    def _one_an_epoch(cls, value):
        """Take patterns alone too: the first thaws at epoch 2, the next at 3 (Howard & Ruder 2018)."""
        if not isinstance(value, (list, tuple)):
            return value
        return [{"epoch": number, "parameters": entry} if isinstance(entry, str) else entry
                for number, entry in enumerate(value, start=2)]


class Embedding(_Section):
    """Word vectors of a file that a model of texts begins with."""

    file: str                                            # in word2vec's text form
    frozen: bool = False                                 # whether the whole table stays as it is
    table: Optional[str] = None                          # its name, where a model has several


class Config(_Section):
    """One recipe, checked."""

    task: Part = Part(name="language_model")             # a name, or a mapping with the task's own keys
    seed: int = Field(0, ge=0, lt=2**31)
    device: str = "auto"
    output_dir: str = "runs"
    data_root: str = ""                                  # only there for interpolation: ${data_root}/file.txt
    data: pydantic.SerializeAsAny[Data]                  # the task puts a subclass with its own keys here
    model: Model = Model()
    embedding: Optional[Embedding] = None                # see gluon_rnn.training.word_embedding
    training: Training = Training()

    @pydantic.field_validator("task", mode="before")
    @classmethod
    def _name_alone(cls, value):
        return {"name": value} if isinstance(value, str) else value


_SECTIONS = {"": Config, "embedding": Embedding, "training": Training, "training.thaw": Thaw}


def section(cls, values, where):
    """Return `values`, a dict, as the pydantic section `cls`; ConfigError with the YAML path below `where`."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a mapping such as {{name: ...}}, got {values!r}")
    try:
        return cls.model_validate(values)
    except pydantic.ValidationError as error:
        raise ConfigError(f"{where}.{explain(error.errors()[0])}") from error


def to_yaml(config):
    """Return the effective configuration as YAML text that `load` reads back to an equal object."""
    return OmegaConf.to_yaml(OmegaConf.create(_plain(config.model_dump(exclude={"data_root"}))))


def _plain(value):
    """Return nested values with texts of the plain kind: data in memory leave their address."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, str) else value


def explain(error, sections=None):
    """Turn one pydantic error into a sentence that starts with the YAML path.

    `sections` are the mappings of the file by their YAML paths, each with the class that has its keys; by default those
    of a recipe.
    """
    path = [str(key) for key in error["loc"]]
    where = ".".join(path) or "the file"
    if error["type"] == "extra_forbidden":
        above = ".".join(key for key in path[:-1] if not key.isdigit())   # a number is a place in a list
        section = (_SECTIONS if sections is None else sections).get(above)
        return f"{where}: unknown key" + (f"; {suggest(path[-1], list(section.model_fields))}" if section else "")
    if error["type"] == "missing":
        near = difflib.get_close_matches(path[-1], [str(key) for key in error["input"]], n=1)
        return f"{where}: this key is required and missing" + (f"; is {near[0]!r} meant to be it?" if near else "")
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{where}: {message}, got {error['input']!r}"


def check_arguments(where, arguments, parameters, neighbours=()):
    """Check the `arguments` of a part against the `parameters` of its constructor.

    Parameters
    ----------
    where : str
        YAML path of the section, for messages.
    arguments : dict
    parameters : dict of str to inspect.Parameter
        An annotation is checked where there is one; else the kind of the default (a number, a truth value, a text).
    neighbours : sequence of str
        Other keys that may stand in this section, for suggestions.

    Raises
    ------
    ConfigError
        An unknown argument, a missing one or one of the wrong type.
    """
    for key, value in arguments.items():
        if key not in parameters:
            raise ConfigError(f"{where}.{key}: unknown key; {suggest(key, [*parameters, *neighbours])}")
        _check_finite(f"{where}.{key}", value)
        _check_type(f"{where}.{key}", value, parameters[key])
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in arguments:
            raise ConfigError(f"{where}.{key}: this key is required and missing")


def _check_finite(where, value):
    """Raise ConfigError for a number in `value`, or in lists and mappings in it, that is infinite or none."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        _check_finite(f"{where}.{key}", part)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where}: expected a finite number, got {value!r}")


def _check_type(where, value, parameter):
    expected = parameter.annotation
    if value is None and parameter.default is None:                       # an optional key that is switched off
        return
    if expected is parameter.empty or isinstance(expected, str):
        expected, words = _kind_of(parameter.default)
    else:
        words = getattr(expected, "__name__", str(expected))
    try:
        pydantic.TypeAdapter(expected).validate_python(value, strict=True)
    except pydantic.ValidationError as error:
        hint = quotes_hint(value) if expected is str else ""
        raise ConfigError(f"{where}: expected {words}, got {value!r}{hint}") from error


def _kind_of(default):
    """Return the type that a value may have whose default is `default`, and its name in words."""
    if isinstance(default, bool):
        return bool, "true or false"
    if isinstance(default, (int, float)):
        return float, "a number"  # an integer default may be a rate's, as in dropout=0; strict floats take integers
    if isinstance(default, str):
        return str, "a text"
    return Any, "anything"
