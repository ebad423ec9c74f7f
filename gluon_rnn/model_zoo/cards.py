"""The card of a zoo model: what it is for, what it was trained on, what it reaches; ``card.yaml`` of its folder.

The section ``about`` is written by hand. `gluon_rnn.model_zoo.add` writes the rest and leaves ``about`` as it is. A
card that has nothing but ``about`` is a draft: the model has not been added yet.
"""
from typing import Literal, Optional

import pydantic
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field

from gluon_rnn.config import explain
from gluon_rnn.files import write_text
from gluon_rnn.recipes import read_yaml

__all__ = ["About", "Card", "Figure", "FileSum", "Quick", "Storage", "TrainingData", "read_about", "read_card",
           "write_card"]

_HEAD = "# Written by `gluon-rnn zoo add`; only the section `about` is to be edited by hand.\n"


class _Section(BaseModel):
    """A mapping with a fixed set of keys; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TrainingData(_Section):
    """What a model was trained on."""

    name: str = Field(min_length=1)
    licence: str = Field(min_length=1)                   # of the data, not of the model
    source: str = Field(min_length=1)                    # repository or publication
    citation: str = ""                                   # how to cite the data


class About(_Section):
    """What no command can know about a model."""

    summary: str = Field(min_length=1)                   # one line: what the model does
    recipe: str = Field(pattern=r"^[\w/]+$")             # name under configs/, without .yaml
    variant: str = ""                                    # as in the results table, such as "with a CRF"
    metric: str = Field(pattern=r"^\w+$")                # the score of the task that is the model's figure
    better: Literal["lower", "higher"]
    data: Optional[TrainingData] = None                  # of public sets the manifest of gluon_rnn.public_data has it
    intended_use: str = Field(min_length=1)
    limits: list[str] = Field(min_length=1)
    published: str = ""                                  # figure of others; where empty, that of the results table
    published_source: str = ""
    tolerance: Optional[float] = Field(None, ge=0)       # of verify; where missing, see `figures.tolerance_of`


class Quick(_Section):
    """The figure on the first batches of the split only, for a quick check."""

    batches: int = Field(ge=1)
    value: float


class Figure(_Section):
    """What a model reaches, beside its seeds, trivial methods and published figures."""

    metric: str
    split: Literal["test", "valid"]
    value: float                                         # of this model, with its weights as they are stored
    mean: float                                          # over the seeds
    sd: Optional[float] = Field(None, ge=0)              # over the seeds; None for one seed
    seeds: list[int] = Field(min_length=1)
    baselines: dict[str, float] = {}                     # trivial methods on the same split
    published: str = ""
    published_source: str = ""
    tolerance: float = Field(ge=0)                       # largest difference to `value` that verify calls reproduced
    quick: Quick


class Storage(_Section):
    """How the weights are stored, and what float16 would cost."""

    dtype: Literal["float16", "float32"]
    float32: float                                       # the figure with weights in float32
    float16: Optional[float]                             # the same in float16; None: a weight is out of its range
    allowed: float = Field(ge=0)                         # largest difference of the two for which float16 is kept


class FileSum(_Section):
    """Size and checksum of one file."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Card(_Section):
    """All of a model's card."""

    about: About
    task: str
    family: list[str] = Field(min_length=1)              # what `families.families_of` finds in the recipe
    data: TrainingData
    figure: Figure
    storage: Storage
    parameters: int = Field(ge=1)                        # numbers, not bytes
    command: str                                         # what trained it
    seed: int
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")      # when the training ended
    version: str                                         # of gluon_rnn that added it
    files: dict[str, FileSum]                            # all files of the folder but this card

    @property
    def bytes(self):
        """Size of all files in bytes."""
        return sum(file.bytes for file in self.files.values())


def read_card(path):
    """Return the `Card` in a YAML file.

    Raises
    ------
    ValueError
        If the file is missing or not YAML, a key is missing or unknown, or a value is wrong; it names file and key.
    """
    return _validated(Card, _mapping(path), path)


def read_about(path):
    """Return the `About` in a YAML file: a file with these keys alone, or a card or draft with the section ``about``.

    Raises
    ------
    ValueError
        If the file is missing or not YAML, a key is missing or unknown, or a value is wrong; it names file and key.
    """
    raw = _mapping(path)
    return _validated(About, raw["about"], path, "about.") if "about" in raw else _validated(About, raw, path)


def write_card(path, card):
    """Write a card, whole or not at all."""
    raw = card.model_dump()
    raw["about"] = card.about.model_dump(exclude_defaults=True)
    write_text(path, _HEAD + OmegaConf.to_yaml(OmegaConf.create(raw)))


def _mapping(path):
    return OmegaConf.to_container(read_yaml(path), resolve=False)


def _validated(cls, raw, path, where=""):
    try:
        return cls.model_validate(raw)
    except pydantic.ValidationError as error:
        raise ValueError(f"{path}: {where}{explain(error.errors()[0], _SECTIONS[cls])}") from error


# The keys of each mapping of a file, for the nearest right spelling of a wrong one.
_SECTIONS = {About: {"": About, "data": TrainingData},
             Card: {"": Card, "about": About, "about.data": TrainingData, "data": TrainingData, "figure": Figure,
                    "figure.quick": Quick, "storage": Storage}}
