"""What clients send to a model and what they get back: the base class of each task's form."""
from typing import Any

import numpy as np

from gluon_rnn.serve import values
from gluon_rnn.serve.values import checked

__all__ = ["TaskForm", "plain"]

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
        return [self.shown(answer) for answer in predictor.predict(list(items))]

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
