"""Rows of numbers, a fixed number of them a step, as standardised steps."""
import json
import math

import numpy as np

from gluon_rnn.answers.columns import check_finite

__all__ = ["TrajectoryReader", "numbers_of"]


class TrajectoryReader:
    """From a row of numbers x_1 y_1 x_2 y_2 ... to standardised steps (T, C).

    Parameters
    ----------
    features : int
        Numbers a step.
    mean, deviation : sequence of `features` floats
        Of the training split.
    differences : bool, default False
        Whether each step also has its difference from the step before (0 at the first): C is then 2 * `features`.
    delimiter : str, default ","
        Separator of the numbers of a row that is given as text.
    """

    def __init__(self, features, mean, deviation, differences=False, delimiter=","):
        self.features, self.mean, self.deviation = features, list(mean), list(deviation)
        self.differences, self.delimiter = differences, delimiter

    @classmethod
    def fit(cls, rows, features, differences=False, delimiter=","):
        """Return the reader with mean and standard deviation over all steps of the `rows`, each `features` a step."""
        steps = np.concatenate([np.reshape(row, (-1, features)) for row in rows])
        deviation = steps.std(axis=0)
        # a constant feature has deviation 0 and is not divided by it
        return cls(features, steps.mean(axis=0).tolist(), np.where(deviation > 0, deviation, 1).tolist(), differences,
                   delimiter)

    @property
    def model_arguments(self):
        """Arguments of a model that the input determines."""
        return {"input_size": self.features * (2 if self.differences else 1)}

    def __call__(self, row):
        if isinstance(row, str):
            row = numbers_of(row.split(self.delimiter), self.features, "the row")
        elif np.ndim(row) > 1 and np.shape(row)[1:] != (self.features,):
            raise ValueError(f"expected steps (T, {self.features}), got an array of the shape {np.shape(row)}")
        row = np.asarray(row, dtype=np.float64)
        if row.size % self.features:
            raise ValueError(f"the row: {row.size} numbers are not whole steps of {self.features}; mend the row, or "
                             "set features to the numbers a step has")
        check_finite(row, "a sequence")
        return self.finished((np.reshape(row, (-1, self.features)) - self.mean) / self.deviation)

    def finished(self, steps):
        """Return standardised steps (T, features) as (T, C) float32, with differences where they are asked for."""
        if self.differences:
            steps = np.concatenate([steps, np.diff(steps, axis=0, prepend=steps[:1])], axis=1)
        return steps.astype(np.float32)

    def to_json(self):
        """Return the settings and statistics as JSON text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text):
        """Return the reader stored by `to_json`."""
        return cls(**json.loads(text))


def numbers_of(fields, features, where):
    """Return `fields` as a tuple of finite floats, `features` a step; ValueError that begins with `where`."""
    odd = [field for field in fields if "_" in field]
    if odd:                                                     # Python reads 1_000, which no measuring device writes
        raise ValueError(f"{where}: {odd[0]!r:.62} is no number; mend the row, or set delimiter and label to what the "
                         "file has")
    try:
        numbers = tuple(float(field) for field in fields)
    except ValueError as error:
        raise ValueError(f"{where}: {error}; a row is numbers and a label, set delimiter and label to what the file "
                         "has") from None
    if not numbers or len(numbers) % features:
        raise ValueError(f"{where}: {len(numbers)} numbers are not whole steps of {features}; mend the line, or set "
                         "features to the numbers a step has")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{where}: a number is missing or infinite; fill it in, or leave the row out")
    return numbers
