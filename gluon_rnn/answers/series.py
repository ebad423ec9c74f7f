"""Recordings of inputs and targets, and the scaler of their columns."""
import dataclasses
import json
from typing import Any

import numpy as np

from gluon_rnn.answers.scaling import Scaler

__all__ = ["Recording", "SeriesScaler"]


@dataclasses.dataclass
class Recording:
    """Inputs and targets measured together without gaps.

    Parameters
    ----------
    name : str
        For messages and plots.
    x : (T, Cx) float64 array
        Exogenous inputs, x[t] known when y[t] is predicted; (T, 0) where there are none.
    y : (T, Ky) float64 array
        Targets.
    start : int, default 0
        Rows before it are context: known history from before the split begins. They may fill delays and washouts and
        are never targets.
    times : pandas.DatetimeIndex (T,), optional
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    start: int = 0
    times: Any = None

    def __post_init__(self):
        if self.x.ndim != 2 or self.y.ndim != 2 or len(self.x) != len(self.y):
            raise ValueError(f"recording {self.name}: x (T, Cx) and y (T, Ky) must have the same rows, got shapes "
                             f"{self.x.shape} and {self.y.shape}")
        if not 0 <= self.start < len(self.y):
            raise ValueError(f"recording {self.name}: start is {self.start}, which is none of its {len(self.y)} rows")

    def __len__(self):
        """Return T, context included."""
        return len(self.y)

    def part(self, start, stop):
        """Return rows 0 to `stop` with those before `start` as context; the arrays are views, not copies."""
        return Recording(self.name, self.x[:stop], self.y[:stop], start,
                         None if self.times is None else self.times[:stop])

    def recent(self, history):
        """Return the recording with at most `history` rows of context; the arrays are views, not copies."""
        first = max(self.start - history, 0)
        return Recording(self.name, self.x[first:], self.y[first:], self.start - first,
                         None if self.times is None else self.times[first:])


@dataclasses.dataclass
class SeriesScaler:
    """One scaler for the inputs and one for the targets of recordings, with the names of their columns.

    Parameters
    ----------
    x, y : Scaler
    input_names, target_names : list of str

    Examples
    --------
    >>> part = Recording("a", np.zeros((3, 0)), np.array([[1.0], [2.0], [3.0]]))
    >>> scaler = SeriesScaler.fit([part], [], ["y"])
    >>> SeriesScaler.from_json(scaler.to_json()) == scaler
    True
    """

    x: Scaler
    y: Scaler
    input_names: list
    target_names: list

    @classmethod
    def fit(cls, recordings, input_names, target_names, kind="standard"):
        """Return the scaler of these recordings, which are to be those of the training split, context included."""
        return cls(Scaler(kind).fit([recording.x for recording in recordings]),
                   Scaler(kind).fit([recording.y for recording in recordings]), list(input_names), list(target_names))

    def transform(self, recording):
        """Return the recording with scaled x and y, float64; name, start and times stay."""
        return Recording(recording.name, self.x.transform(recording.x), self.y.transform(recording.y), recording.start,
                         recording.times)

    def inverse_targets(self, values):
        """Return scaled targets (..., Ky) in their own units."""
        return self.y.inverse(values)

    def inverse_deviations(self, deviations):
        """Return standard deviations or errors (..., Ky) of scaled targets in units of the targets."""
        return self.y.inverse_scale(deviations)

    def to_json(self):
        """Return JSON text, from which `from_json` makes the same scaler, bit for bit."""
        return json.dumps({"x": self.x.to_dict(), "y": self.y.to_dict(), "input_names": self.input_names,
                           "target_names": self.target_names}, indent=1)

    @classmethod
    def from_json(cls, text):
        """Return the scaler stored by `to_json`."""
        stored = json.loads(text)
        return cls(Scaler.from_dict(stored["x"]), Scaler.from_dict(stored["y"]), stored["input_names"],
                   stored["target_names"])
