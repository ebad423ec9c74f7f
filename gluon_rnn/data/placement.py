"""Data in memory in the keys of a recipe that otherwise name files, and their addresses in a recipe in a file.

A data set that takes data from memory has the class method ``from_memory(parts, section)``: from ``{key: what the user
passes}`` to the keys of the recipe that change, among them an `InMemory` for each key of `parts`. In ``config.yaml``
the hash of the content stands in its place.
"""
import inspect

from gluon_rnn.data.memory import PREFIX, InMemory
from gluon_rnn.data.readers import SPLITS
from gluon_rnn.registry import datasets, suggest

__all__ = ["addresses", "check_readable", "place"]

_SOURCES = ("path", *SPLITS)



def addresses(section):
    """Return {key: address, or list of them} of the keys of a recipe's `data` section whose data were in memory."""
    found = {key: section[key] for key in _SOURCES if key in section}
    return {key: [str(part) for part in value] if isinstance(value, list) else str(value)
            for key, value in found.items() if all(_is_address(part) for part in _listed(value)) and _listed(value)}


def check_readable(section):
    """Raise ValueError where a recipe has the address of data that are not there."""
    for key in _SOURCES:
        for part in _listed(section.get(key)):
            if _is_address(part) and not isinstance(part, InMemory):
                raise ValueError(f"{key}: the data were in memory ({part[:len(PREFIX) + 12]}...), and no file has "
                                 "them; give them again in Python: gluon_rnn.train(None, data, resume=RUN) goes on with"
                                 " a run, gluon_rnn.Run(RUN, data).evaluate() evaluates it")


def _listed(value):
    return value if isinstance(value, list) else [value]


def _is_address(value):
    return isinstance(value, str) and value.startswith(PREFIX)


def place(section, data):
    """Return a recipe's `data` section, a dict with "name", with `data` in the place of its files.

    Parameters
    ----------
    section : dict
    data : object
        What the data set takes, or a dict of it with the keys "train", "valid" and "test". One set is divided as the
        keys of the section say: split, valid, valid_fraction.

    Raises
    ------
    ValueError
        In one sentence: the data set takes no data from memory, a part is missing, or the data are not what it takes.
    """
    cls = datasets.get(section["name"])
    if not hasattr(cls, "from_memory"):
        known = [name for name in datasets.names() if hasattr(datasets.get(name), "from_memory")]
        raise ValueError(f"name: the data set {section['name']!r} takes no data from memory; set data.name to one of "
                         + ", ".join(known))
    if isinstance(data, dict):
        parts, kept = _checked_parts(data), _without_files(section, data)
    else:
        parts, kept = {_key_of_one(cls, section): data}, _without_files(section, ("train",))
        kept.update({"split": section["split"]} if section.get("split") is not None else {})
    return {**kept, **cls.from_memory(parts, kept)}


def _checked_parts(data):
    for key in data:
        if key not in SPLITS:
            raise ValueError(f"data has the part {key!r}; {suggest(str(key), list(SPLITS))}")
    if "train" not in data:
        raise ValueError(f"data has the parts {', '.join(data) or 'none'}, and train is missing; add it")
    return {key: data[key] for key in SPLITS if data.get(key) is not None}


def _without_files(section, given):
    """Return the section without its files and what divides them; a share that is carved off "train" stays."""
    dropped = {"path", "split", *SPLITS} | ({"valid_fraction"} if "valid" in given else set())
    if "valid" not in given and isinstance(section.get("valid"), float):
        dropped.discard("valid")
    return {key: value for key, value in section.items() if key not in dropped}


def _key_of_one(cls, section):
    """Return the key under which a single set stands, which the loader is to divide."""
    keys = inspect.signature(cls).parameters
    if "path" in keys and (section.get("split") is not None or section.get("valid_fraction") is None):
        if section.get("split") is None:
            raise ValueError("split: one set of data was given, and the recipe does not say how to divide it; set "
                             "data.split, for example [0.8, 0.1, 0.1], or pass {'train': ..., 'valid': ...}")
        return "path"
    if keys["valid"].default is inspect.Parameter.empty:
        raise ValueError(f"the data set {section['name']!r} divides nothing; pass {{'train': ..., 'valid': ...}}")
    return "train"
