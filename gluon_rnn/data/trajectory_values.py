"""Trajectories with K real numbers each: one row of numbers a sequence, so many numbers a step, and the targets."""
from typing import Union

import numpy as np

from gluon_rnn.data.forms import sequences_with_values
from gluon_rnn.data.memory import content_of
from gluon_rnn.data.readers import read_text
from gluon_rnn.data.trajectories import TrajectoryReader, numbers_of, rows_of, with_features
from gluon_rnn.data.values import SequenceValues
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["TrajectoryValues"]


@datasets.register("trajectory_values")
class TrajectoryValues(SequenceValues):
    """Rows of numbers with one or more targets each, steps of equal size one after the other.

    Parameters
    ----------
    train : str
        A text file, plain or ``.gz``, one sequence a line: x_1 y_1 x_2 y_2 ... and the targets.
    valid : float or str, default 0.1
        A share of `train`, drawn with `split_seed`, or a file.
    test : str, optional
        A file.
    targets : list of str, default ["value"]
        Names of the targets, in their order in a row; as many numbers of a row are targets.
    targets_at : {"last", "first"}, default "last"
        Where in a row the targets stand.
    features : int, >= 1, default 1
        Numbers a step. Rows may differ in their number of steps.
    delimiter : str, default ","
        Blanks around numbers do not count.
    differences : bool, default False
        Whether each step also has its difference from the step before.
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
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "rows.csv"
    >>> _ = path.write_text("0, 0, 1, 2, 3.5\\n1,2,0,0,1.5\\n" * 10)
    >>> data = TrajectoryValues(str(path), valid=0.2, features=2, targets=["mass"])
    >>> data, sorted({value for row in data.targets("train") for value in row.tolist()})
    (TrajectoryValues(train 16, valid 4 sequences, targets mass), [1.5, 3.5])
    """

    def __init__(self, train, valid: Union[float, str] = 0.1, test: str = None, *, targets: list = ("value",),
                 targets_at="last", features: int = 1, delimiter=",", differences=False, encoding="utf-8",
                 split_seed: int = 0):
        check_sizes(features=features)
        _check_targets(targets, targets_at)
        files = {"train": train, "valid": valid if isinstance(valid, str) else None, "test": test}
        parts = {name: _read_rows(file, features, len(targets), targets_at == "first", delimiter, encoding)
                 for name, file in files.items() if file is not None}
        if files["valid"] is None:
            parts.update(_carved(*parts["train"], valid, split_seed))
        reader = TrajectoryReader.fit(parts["train"][0], features, differences, delimiter)
        super().__init__(parts, targets, reader)

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for data in memory, each (sequences (T_i, features), targets (n, K)).

        Targets that the recipe does not name are value, or value_1, value_2 and so on.
        """
        found = with_features(parts, section, sequences_with_values)
        counts = {key: found[key].content[1].shape[1] for key in parts}
        count = counts["train"]
        names = section.get("targets") or (["value"] if count == 1 else [f"value_{k + 1}" for k in range(count)])
        for key in parts:
            if counts[key] != len(names):
                raise ValueError(f"{found[key].label}: {counts[key]} values a sequence, and {len(names)} were "
                                 f"expected: {', '.join(map(str, names))}; pass as many, or set data.targets")
        return {**found, "targets": list(names)}


def _check_targets(targets, targets_at):
    if not targets or not all(isinstance(name, str) for name in targets) or len(set(targets)) < len(targets):
        raise ValueError(f"targets must be a list of different names, such as [mass, age], got {targets!r}")
    if targets_at not in ("first", "last"):
        raise ValueError(f"targets_at must be 'first' or 'last', the place of the targets in a row, got {targets_at!r}")


def _read_rows(path, features, num_targets, first, delimiter, encoding):
    """Return the rows of one file or `InMemory`, tuples of floats, and their targets (n, K)."""
    content = content_of(path)
    if content is not None:
        return rows_of(content[0]), content[1]
    rows, targets = [], []
    for number, line in enumerate(read_text(path, encoding).split("\n"), start=1):
        if not line.strip():
            continue
        where, fields = f"{path}: line {number}", [field.strip() for field in line.split(delimiter)]
        if len(fields) <= num_targets:
            raise ValueError(f"{where}: {len(fields)} numbers, and {num_targets} of them are targets; mend the line, "
                             "or set delimiter and targets to what the file has")
        place = num_targets if first else len(fields) - num_targets
        values, steps = (fields[:place], fields[place:]) if first else (fields[place:], fields[:place])
        rows.append(numbers_of(steps, features, where))
        targets.append(numbers_of(values, 1, where))
    if not rows:
        raise ValueError(f"{path}: no rows; check the path")
    return rows, np.array(targets)


def _carved(rows, targets, fraction, seed):
    """Return {"train", "valid"}, the share `fraction` of the rows being drawn for "valid"."""
    if isinstance(fraction, bool) or not 0 < fraction < 1:
        raise ValueError(f"valid must be a file or a share of train above 0 and below 1, got {fraction!r}")
    order = np.random.default_rng(seed).permutation(len(rows))
    size = round(fraction * len(rows))
    if not 0 < size < len(rows):
        raise ValueError(f"valid {fraction} leaves nothing of {len(rows)} rows for one of train and valid; take "
                         "another share")
    chosen = {"train": np.sort(order[size:]), "valid": np.sort(order[:size])}
    return {name: ([rows[index] for index in places], targets[places]) for name, places in chosen.items()}
