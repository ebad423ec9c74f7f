"""Fine-tuning: a model begins with parameters of another one that has been trained.

A parameter fits to the one of the same name by structure if both have one shape. An axis whose entries stand for
something that has a name, such as a word, a character or a class, is compared by these names: the embedding of a word
that both vocabularies have is taken over, wherever it stands in them, and that of another word stays as it was
initialised. So a row never comes to stand for another word because two vocabularies happen to be of one size.
"""
from dataclasses import dataclass, field

import mxnet as mx
import numpy as np

from gluon_rnn.config import ConfigError
from gluon_rnn.registry import suggest

__all__ = ["Source", "Taken", "checked_source", "take_over"]


@dataclass
class Source:
    """A trained model to start from.

    Attributes
    ----------
    name : str
        The run or zoo model, for messages.
    arrays : dict of str to NDArray
        By name in the model's structure.
    named_axes : dict of str to list of (str, list of str)
        See `gluon_rnn.tasks.predictor.Predictor.named_axes`.
    """

    name: str
    arrays: dict
    named_axes: dict = field(default_factory=dict)


@dataclass
class Taken:
    """What became of the parameters of both models; `str` gives three lines.

    Attributes
    ----------
    taken : dict of str to str
        Name in the new model: how much, where it is not all of it.
    left : list of str
        Names in the source that were not used.
    new : dict of str to str
        Name in the new model: why, where the source has one of this name.
    """

    name: str
    taken: dict
    left: list
    new: dict

    def __str__(self):
        return "\n".join(f"{what}: {_listed(names)}" for what, names in (
            (f"taken from {self.name}", self.taken), ("left there, not used", dict.fromkeys(self.left, "")),
            ("new, freshly initialised", self.new)))


def take_over(parameters, named_axes, source, names=None):
    """Set `parameters` to those of `source` that fit.

    Parameters
    ----------
    parameters : dict of str to gluon.Parameter
        Of the new model, by name in its structure, initialised; those that do not fit stay as they are.
    named_axes : dict of str to list of (str, list of str)
        Of the new model.
    source : Source
    names : dict of str to (str or None), optional
        ``training.start_names``: from the beginning of names in the new model to what stands there in the source, such
        as ``{"encoder": "char_encoder"}``; None leaves these parameters as they are. The longest one counts.

    Returns
    -------
    Taken

    Raises
    ------
    ConfigError
        If nothing fits, or a beginning in `names` is that of no parameter.
    """
    origins = _origins(parameters, source, names or {})
    found = Taken(source.name, {}, [], {})
    for name, parameter in parameters.items():
        array = source.arrays.get(origins[name])
        if array is None:
            found.new[name] = ""
            continue
        places = _places(parameter.shape, array.shape, named_axes.get(name, []),
                         source.named_axes.get(origins[name], []))
        if places is None:
            found.new[name] = f"shape {parameter.shape}, there {array.shape}"
            continue
        _set(parameter, array, places)
        found.taken[name] = _extent(places, parameter.shape, named_axes.get(name, []))
    if not found.taken:
        raise ConfigError(f"training.start_from: nothing in {source.name!r} fits by name and shape; it has "
                          f"{_shapes(source.arrays)}, this model has {_shapes(parameters)}; give sizes as there, or "
                          "say in training.start_names what names are called there")
    found.left = sorted(set(source.arrays) - {origins[name] for name in found.taken}, key=list(source.arrays).index)
    return found


def _origins(parameters, source, names):
    """Return {name: name in the source, or None}."""
    for begin, there in names.items():
        for where, known, text in (("its key", parameters, begin), ("its value", source.arrays, there)):
            if text is not None and not any(name.startswith(text) for name in known):
                raise ConfigError(f"training.start_names.{begin}: {where} {text!r} is the beginning of no parameter; "
                                  f"{suggest(text, list(known))}")
    found = {}
    for name in parameters:
        begin = max((begin for begin in names if name.startswith(begin)), key=len, default=None)
        there = "" if begin is None else names[begin]
        found[name] = None if there is None else there + name[len(begin or ""):]
    return found


def _places(shape, other, named, other_named):
    """Return (indices here, indices there) of what fits for each axis; None where nothing does."""
    if len(shape) != len(other):
        return None
    found = []
    for axis, sizes in enumerate(zip(shape, other)):
        (kind, here), (other_kind, there) = (axes[axis] if axis < len(axes) else (None, None)
                                             for axes in (named, other_named))
        if kind != other_kind or (kind is None and sizes[0] != sizes[1]):
            return None
        found.append(_common(here, there) if kind else (np.arange(sizes[0]),) * 2)
    return found if all(len(here) for here, _ in found) else None


def _common(here, there):
    """Return the positions of the names that both lists have, (n,) each."""
    positions = {name: position for position, name in enumerate(there)}
    pairs = [(position, positions[name]) for position, name in enumerate(here) if name in positions]
    return tuple(np.array(pairs, dtype=np.int64).reshape(-1, 2).T)


def _set(parameter, array, places):
    here, there = zip(*places)
    values = parameter.list_data()[0].asnumpy()
    values[np.ix_(*here)] = array.asnumpy()[np.ix_(*there)].astype(values.dtype)
    parameter.set_data(mx.nd.array(values, dtype=values.dtype))


def _extent(places, shape, named):
    """Return such as ``5,123 of 7,203 words`` where a parameter was not taken over as a whole."""
    return ", ".join(f"{len(here):,} of {size:,} {kind}s" for (here, _), size, (kind, _) in zip(places, shape, named)
                     if len(here) < size)


def _listed(names):
    return ", ".join(f"{name} ({text})" if text else name for name, text in names.items()) or "none"


def _shapes(parameters):
    return ", ".join(f"{name} {tuple(parameter.shape)}" for name, parameter in parameters.items())


def checked_source(start, name):
    """Return the `Source` `start`; ValueError where a recipe names one by `name` and there is none."""
    if name and start is None:
        raise ValueError(f"training.start_from is {name!r}, but train() got no parameters to start from; pass "
                         "start=gluon_rnn.runs.starting_point(config)")
    return start
