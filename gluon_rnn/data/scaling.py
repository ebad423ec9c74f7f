"""Scaling of columns to a common range, fitted on training data only and stored with the model."""
import dataclasses
import json

from gluon_rnn.answers.scaling import KINDS, Scaler
from gluon_rnn.data.series import Recording

__all__ = ["KINDS", "Scaler", "SeriesScaler"]

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
