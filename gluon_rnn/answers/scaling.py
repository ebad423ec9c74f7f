"""Scaling of columns to a common range, fitted on training data only and stored with the model."""
import json

import numpy as np

from gluon_rnn.registry import suggest

__all__ = ["KINDS", "Scaler"]

KINDS = ("standard", "minmax", "none")


class Scaler:
    """Column by column, scaled = (value - offset) / scale.

    Parameters
    ----------
    kind : {"standard", "minmax", "none"}, default "standard"
        "standard": mean 0 and (population) standard deviation 1 on the data fitted. "minmax": their range becomes
        [-1, 1]. "none": numbers stay what they are.

    Attributes
    ----------
    offset, scale : (C,) float64 arrays, None before `fit`

    Notes
    -----
    A column that is constant in the training data has scale 1, so that it becomes 0 there and a change that comes later
    keeps its unit, as in scikit-learn. It is constant if its range is no more than the rounding of its largest value.
    scikit-learn's own scalers are not used, as they have no text form that is exact and safe to load.

    Examples
    --------
    >>> scaler = Scaler().fit([np.array([[1.0], [3.0]]), np.array([[5.0]])])
    >>> scaler.transform(np.array([[3.0]])).item(), scaler.inverse(np.zeros((1, 1))).item()
    (0.0, 3.0)
    """

    def __init__(self, kind="standard"):
        if kind not in KINDS:
            raise ValueError(f"scaler must be one of {', '.join(KINDS)}, got {kind!r}; {suggest(kind, KINDS)}")
        self.kind = kind
        self.offset = self.scale = None

    def fit(self, arrays):
        """Fit offset and scale to all rows of a list of (T, C) arrays, and return self."""
        rows = np.concatenate([np.asarray(array, dtype=np.float64) for array in arrays])
        if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
            raise ValueError(f"a scaler is fitted on finite numbers of shape (T, C), got {rows.shape} with "
                             f"{int((~np.isfinite(rows)).sum())} that are not finite")
        low, high = rows.min(axis=0), rows.max(axis=0)
        if self.kind == "standard":
            self.offset, self.scale = rows.mean(axis=0), rows.std(axis=0)
        elif self.kind == "minmax":
            self.offset, self.scale = (low + high) / 2, (high - low) / 2
        else:
            self.offset, self.scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
        if self.kind != "none":
            rounding = 4 * np.finfo(np.float64).eps * np.maximum(abs(low), abs(high))
            constant = high - low <= np.maximum(rounding, 1e-150)  # below that, squares are 0
            self.offset = np.where(constant, low, self.offset)     # the mean of equal numbers may be an ulp off
            self.scale = np.where(constant, 1.0, self.scale)
        return self

    def transform(self, values):
        """Return `values` (..., C) scaled, float64; NaN stays NaN."""
        return (self._checked(values) - self.offset) / self.scale

    def inverse(self, values):
        """Return scaled `values` (..., C) in their own units, float64."""
        return self._checked(values) * self.scale + self.offset

    def inverse_scale(self, deviations):
        """Return differences or standard deviations (..., C) of scaled values in their own units, float64."""
        return self._checked(deviations) * self.scale

    def _checked(self, values):
        values = np.asarray(values, dtype=np.float64)
        if self.scale is None:
            raise ValueError("the scaler is not fitted; call fit with the training data first")
        if values.shape[-1:] != self.scale.shape:
            raise ValueError(f"the scaler was fitted on {len(self.scale)} columns, got shape {values.shape}")
        return values

    def to_dict(self):
        """Return a dict of plain numbers and text, from which `from_dict` restores every number exactly."""
        return {"kind": self.kind, "offset": self.offset.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, stored):
        """Return the scaler stored by `to_dict`."""
        scaler = cls(stored["kind"])
        scaler.offset, scaler.scale = (np.array(stored[key], dtype=np.float64) for key in ("offset", "scale"))
        return scaler

    def to_json(self):
        """Return JSON text, from which `from_json` makes the same scaler, bit for bit."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text):
        """Return the scaler stored by `to_json`."""
        return cls.from_dict(json.loads(text))

    def __eq__(self, other):
        return isinstance(other, Scaler) and self.to_json() == other.to_json()

    __hash__ = None
