"""Tasks whose items have parts with names: what a language model continues, a class to write for, a recording."""
import json
from typing import Annotated, Optional

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from gluon_rnn.serve import values
from gluon_rnn.serve.form import TaskForm, plain

__all__ = ["PART_FORMS"]

_TABLE = {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "array"}, {"type": "null"}]}}
_LIMITED = {"ge": 0, "le": 2**63 - 1}


class _Parts(BaseModel):
    """What is there goes to ``predict`` by name; parts without a default here have that of the model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def chosen(self):
        """Return the parts that are not None, by name: what the client has set, and defaults within the limits."""
        return {name: value for name, value in self if value is not None}


class _Drawing(_Parts):
    """How tokens are drawn."""

    temperature: Optional[float] = Field(None, ge=0, allow_inf_nan=False)
    top_k: Optional[int] = Field(None, ge=1)
    top_p: Optional[float] = Field(None, gt=0, le=1)
    seed: Optional[int] = Field(None, **_LIMITED)


class _PartsForm(TaskForm):
    """A model whose ``predict`` takes the parts of one item."""

    batched = False

    def answers(self, predictor, items):
        return [self.shown(predictor.predict(**item.chosen())) for item in items]


class LanguageModelForm(_PartsForm):
    """A beginning and how many tokens to write; the whole text."""

    task = "language_model"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        most = limits.max_length
        self.item = create_model("Beginning", __base__=_Drawing, prefix=(str, Field("", max_length=most)),
                                 length=(int, Field(min(300, most), ge=0, le=most)))
        self.about = {"kind": "beginning", "unit": json.loads(read("text.json"))["unit"]}


class ConditionalLanguageModelForm(_PartsForm):
    """The name of a class and how many texts to write; the texts, a list."""

    task = "conditional_language_model"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        self.item = create_model("TextOfClass", __base__=_Drawing, label=(str, ...),
                                 count=(int, Field(1, ge=1, le=limits.max_items)),
                                 max_length=(Optional[int], Field(None, ge=1, le=limits.max_length)))
        self.about = {"kind": "class", "labels": json.loads(read("classes.json"))["labels"]}

    def answers(self, predictor, items):
        # unless an item says how long a text may be the model does, within the limit
        most = min(predictor.pipeline.options["max_length"], self.limits.max_length)
        return [self.shown(predictor.predict(**{"max_length": most, **item.chosen()})) for item in items]


class FramesForm(_PartsForm):
    """The beginning of a piano roll; it and its continuation, frames of 0 and 1."""

    task = "frames"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        keys, most = json.loads(read("frames.json"))["num_keys"], limits.max_length
        frames = values.checked(lambda value: values.numbers(value, keys, most, "frames").astype(np.float32), _TABLE)
        self.item = create_model("Roll", __base__=_Parts, source=(frames, ...),
                                 given=(int, Field(min(32, most), ge=1, le=most)),
                                 length=(int, Field(min(64, most), ge=0, le=most)),
                                 temperature=(float, Field(1.0, ge=0, allow_inf_nan=False)),
                                 seed=(int, Field(0, **_LIMITED)))
        self.step = lambda value: values.numbers(value, keys, 1, "a frame")[0].astype(np.float32)
        self.about = {"kind": "json", "example": {"source": [[0] * keys], "length": 16}}

    def shown(self, answer):
        return np.asarray(answer).astype(int).tolist()


class ForecastingForm(_PartsForm):
    """Inputs and measured targets; the predicted rows from `start` on."""

    task = "forecasting"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        scaler, washout = json.loads(read("scaler.json")), json.loads(read("series.json"))["washout"]
        inputs, targets = scaler["input_names"], scaler["target_names"]
        table = self._table
        recording = create_model("Recording", __base__=_Parts,
                                 x=(table(inputs), ...) if inputs else (values.checked(_no_inputs, _TABLE), None),
                                 y=(table(targets), ...), steps_ahead=(Optional[int], Field(1, ge=1)),
                                 start=(Optional[int], Field(None, ge=0)))
        self.item = Annotated[recording, AfterValidator(_complete)]
        self.step = lambda value: _row(value, inputs, targets)
        self.about = {"kind": "series", "inputs": inputs, "targets": targets, "washout": washout}

    def _table(self, names):
        limit = self.limits.max_length
        return values.checked(lambda value: values.series(value, names, limit), _TABLE)

    def answers(self, predictor, items):
        # steps_ahead null is a free run, so what was left out and what is null differ here
        return [plain(predictor.predict(item.x, item.y, steps_ahead=item.steps_ahead, start=item.start))
                for item in items]


def _row(value, inputs, targets):
    """Return (x, y) of a step of a stream, ``{"x": [...], "y": [...]}``; null is what is not there, or not yet."""
    if not isinstance(value, dict) or not set(value) <= {"x", "y"} or not value:
        raise ValueError(f'expected a row {{"x": inputs, "y": targets}}, got {values.shown(value)}')
    x, y = value.get("x"), value.get("y")
    if not inputs:
        _no_inputs(x)
    return (values.numbers(x, len(inputs), 1, "x")[0] if inputs else None,
            None if y is None else values.numbers(y, len(targets), 1, "y")[0])


def _no_inputs(value):
    if value not in (None, []):
        raise ValueError(f"expected no inputs, as this model has none, got {values.shown(value)}; leave x out")


def _complete(recording):
    """Return a recording; ValueError where x and y have other rows, or x is not known in each."""
    if recording.x is None:
        return recording
    if len(recording.x) != len(recording.y):
        raise ValueError(f"expected as many rows of x as of y, got {len(recording.x)} and {len(recording.y)}; rows to "
                         "forecast have y null")
    missing = np.flatnonzero(~np.isfinite(recording.x).all(axis=1))
    if len(missing):
        raise ValueError(f"expected every number of x, got null in row {missing[0]}; inputs of rows to forecast must "
                         "be known")
    return recording


#: by the name of a task
PART_FORMS = {form.task: form for form in (LanguageModelForm, ConditionalLanguageModelForm, FramesForm,
                                          ForecastingForm)}
