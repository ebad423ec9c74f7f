"""Labelled trajectories: one row of numbers per sequence, a fixed number of them per step, and the label."""
from typing import Union

import numpy as np

from gluon_rnn.answers.trajectories import TrajectoryReader, numbers_of
from gluon_rnn.data.forms import labelled_sequences, labels_of_parts
from gluon_rnn.data.labelled import Examples, Labelled, carve, count_across
from gluon_rnn.data.memory import InMemory, content_of
from gluon_rnn.data.readers import read_text
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Trajectories", "TrajectoryReader", "numbers_of", "rows_of", "with_features"]


@datasets.register("trajectories")
class Trajectories(Labelled):
    """Labelled rows of numbers, the features of each step in turn: the format of UCI's pen digits.

    Parameters
    ----------
    train : str
        A text file, plain or ``.gz``, one sequence a line.
    valid : float or str, default 0.1
        A share of each class of `train`, drawn with `split_seed`, or a file.
    test : str, optional
        A file.
    features : int, >= 1, default 2
        Numbers a step, such as x and y. Rows may differ in their number of steps.
    label : {"last", "first"}, default "last"
        Position of the class in a row.
    delimiter : str, default ","
        Blanks around numbers do not count.
    differences : bool, default False
        Whether each step also has its difference from the step before.
    distort : float, >= 0, default 0
        Training sequences are multiplied in each epoch by a random matrix (features, features), the identity plus
        normal numbers of this deviation. On x and y it rotates, stretches and slants. 0.1 is a small distortion.
    encoding : str, default "utf-8"
    split_seed : int, default 0
        Of the division into train and valid alone.

    Raises
    ------
    ValueError
        If a file or a line is not as it should be; it names the file and the line.

    Notes
    -----
    Each of the `features` is standardised with mean and standard deviation over all steps of the training split.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pen.csv"
    >>> _ = path.write_text("0, 0, 1, 2, up\\n1,2,0,0,down\\n" * 10)
    >>> data = Trajectories(str(path), valid=0.2)
    >>> data.labels, data.inputs("train")[0].tolist()
    (['down', 'up'], [[-1.0, -1.0], [1.0, 1.0]])
    """

    example_arguments = {"input_size": 0}

    def __init__(self, train, valid: Union[float, str] = 0.1, test: str = None, *, features=2, label="last",
                 delimiter=",", differences=False, distort=0.0, encoding="utf-8", split_seed: int = 0):
        check_sizes(features=features)
        if not 0 <= distort < 1:
            raise ValueError(f"distort must be at least 0 and below 1, got {distort!r}")
        if label not in ("first", "last"):
            raise ValueError(f"label must be 'first' or 'last', the place of the class in a row, got {label!r}")
        files = {"train": train, "valid": valid if isinstance(valid, str) else None, "test": test}
        parts = {name: _read_rows(file, features, label == "first", delimiter, encoding)
                 for name, file in files.items() if file is not None}
        if files["valid"] is None:
            parts = carve(parts, valid, split_seed)
        reader = TrajectoryReader.fit(parts["train"].items, features, differences, delimiter)
        self._distort = distort
        super().__init__(parts, reader, [f"{count_across(parts, tuple):,} duplicates across splits"])

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for data in memory, each (sequences (T_i, features), labels)."""
        return with_features(parts, section, labelled_sequences)

    def augmented(self, row, rng):
        """Return training example `row` (T, C), distorted by a matrix that `rng` draws."""
        steps = super().augmented(row, rng)
        if not self._distort:
            return steps
        size = self.reader.features
        matrix = np.eye(size) + self._distort * rng.standard_normal((size, size))
        return self.reader.finished(steps[:, :size] @ matrix)


def _read_rows(path, features, label_first, delimiter, encoding):
    """Return the `Examples` of one file or `InMemory`; an item is a tuple of floats."""
    content = content_of(path)
    if content is not None:
        return Examples(rows_of(content[0]), content[1])
    examples = Examples(source=path)
    for number, line in enumerate(read_text(path, encoding).split("\n"), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split(delimiter)]
        label = fields.pop(0 if label_first else -1)
        if not label:
            raise ValueError(f"{path}: line {number}: no label at the {'begin' if label_first else 'end'} of the row; "
                             "mend the line, or set label to first or last")
        examples.items.append(numbers_of(fields, features, f"{path}: line {number}"))
        examples.labels.append(label)
    if not len(examples):
        raise ValueError(f"{path}: no rows; check the path")
    return examples


def rows_of(sequences):
    """Return sequences (T_i, C) as rows of a file: tuples of floats, step after step."""
    return [tuple(sequence.ravel().tolist()) for sequence in sequences]


def with_features(parts, section, form):
    """Return the keys of a recipe for data in memory that `form` puts into shape, the number of features among them."""
    found = {key: InMemory(form(parts[key], label), label) for key, label in labels_of_parts(parts).items()}
    sizes = {key: part.content[0][0].shape[1] for key, part in found.items()}
    features = section.get("features", sizes["train"])
    for key, size in sizes.items():
        if size != features:
            raise ValueError(f"{found[key].label}: steps of {size} features, and {features} were expected, those of "
                             f"{'the recipe' if 'features' in section else 'the train data'}; pass as many")
    return {**found, "features": features}
