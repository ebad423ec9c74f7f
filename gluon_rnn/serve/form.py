"""What clients send to a model and what they get back: the base class of each task's form."""
from typing import Any

import numpy as np

from gluon_rnn.serve import values
from gluon_rnn.serve.values import checked

__all__ = ["TaskForm", "filled", "plain"]

_NUMBERS = {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}}


class TaskForm:
    """Base class: a subclass sets the attributes in its constructor, and overrides `answers` where items have parts.

    Parameters
    ----------
    read : callable
        From the name of an asset file of the task to its text.
    limits : gluon_rnn.serve.limits.Limits

    Attributes
    ----------
    task : str
    item : type
        Of one item, for pydantic.
    step : callable or None
        From a step of a stream, as JSON has it, to what ``predictor.stream`` takes; ValueError for a wrong one.
    about : dict
        What a page has to know to ask a person for an item: "kind", and names.
    batched : bool
        Whether ``predictor.predict`` takes a list of items in one call of the network.
    """

    task = None
    step = None
    batched = True

    def __init__(self, read, limits):
        self.limits = limits
        self.item, self.about = Any, {}

    def answers(self, predictor, items):
        """Return the answers to a list of items, made of plain dicts, lists, texts and numbers."""
        return [self.shown(answer) for answer, _ in zip(predictor.predict(filled(items)), items)]

    def shown(self, answer):
        """Return one answer of ``predict`` in plain values."""
        return plain(answer)

    def _takes_text(self, unit="character", what="a text"):
        limit = self.limits.max_length
        self.item = checked(lambda value: values.text(value, limit, what=what), {"type": "string"})
        self.step = lambda value: values.text(value, limit, unit, f"a {'word' if unit == 'word' else 'piece of text'}")

    def _takes_rows(self, reader):
        """Set what a `TrajectoryReader`'s model takes: rows of numbers, and steps of features."""
        limit, (columns,) = self.limits.max_length, reader.model_arguments.values()
        self.item = checked(lambda value: values.row(value, reader, limit),
                            {"anyOf": [{"type": "string"}, _NUMBERS]})
        self.step = _steps_of(columns)
        self.about = {"kind": "rows", "features": reader.features}

    def _takes_recordings(self, reader):
        """Set what an `AudioReader`'s model takes: .wav files, and steps of features."""
        self.item = checked(values.wav, {"type": "object", "properties": {"wav": {"type": "string"}}})
        self.step = _steps_of(*reader.model_arguments.values())
        self.about = {"kind": "wav"}


def filled(items):
    """Return `items` and as many copies of the last as lead to the next size of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...

    MXNet plans each shape that it meets anew, and keeps the plan: batches of any size would cost time at each size that
    is new, and memory for all of them.

    >>> [len(filled([0] * size)) for size in (1, 3, 5, 9, 13, 17, 33, 49)]
    [1, 3, 6, 12, 16, 24, 48, 64]
    """
    items, power = list(items), 1 << (len(items) - 1).bit_length()        # the least power of 2 that holds them
    size = power * 3 // 4 if power >= 4 and len(items) <= power * 3 // 4 else power
    return items + items[-1:] * (size - len(items))


def plain(value):
    """Return a value in dicts, lists, texts and numbers; arrays become lists, and what is not finite null."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _steps_of(columns):
    """Return what takes one step of a stream: `columns` numbers."""
    return lambda value: values.numbers(value, columns, 1, "a step")[0].astype(np.float32)
