"""Edit distances against a table of dynamic programming, rates by hand, baselines of label strings."""
import doctest
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rapidfuzz", reason="rapidfuzz is not installed")

from gluon_rnn.metrics import label_errors
from gluon_rnn.metrics.baselines.labels import baselines
from gluon_rnn.metrics.label_errors import error_counts, string_scores


def distance(first, second):
    """The table of Wagner and Fischer (1974)."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(first) + 1), np.arange(len(second) + 1)
    for i, a in enumerate(first, start=1):
        for j, b in enumerate(second, start=1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
    return table[-1, -1]


def test_example():
    assert doctest.testmod(label_errors).failed == 0


def test_rates_are_those_of_the_table_of_distances():
    rng = np.random.default_rng(0)
    strings = [[rng.integers(3, size=rng.integers(1, 7)).tolist() for _ in range(40)] for _ in range(2)]
    distances = [distance(right, found) for right, found in zip(*strings)]
    labels = sum(map(len, strings[0]))
    assert sum(error_counts(*strings).values()) == sum(distances)
    assert string_scores(*strings) == {"label_error_rate": sum(distances) / labels,
                                       "string_error_rate": np.mean([value > 0 for value in distances])}


def test_kinds_of_errors_and_rates_by_hand():
    right, found = [(1, 2, 3), (4,), (5, 6)], [(1, 3), (4, 4), (5, 7)]
    assert error_counts(right, found) == {"delete": 1, "insert": 1, "replace": 1}
    assert string_scores(right, found) == {"label_error_rate": 0.5, "string_error_rate": 1.0}
    assert string_scores([(1,)], [(2, 2, 2)])["label_error_rate"] == 3
    with pytest.raises(ValueError, match="no labels to relate errors to"):
        string_scores([()], [(1,)])


def test_baselines_by_hand():
    """Label 1 is the most frequent; alone it makes 3 errors on 5 training labels, two of it 5, none 5."""
    strings = {"train": [[1], [1, 0], [0, 1]], "test": [[1, 1], [0]]}
    frames = {"train": [10, 20, 20], "test": [20, 10]}
    data = SimpleNamespace(labels=["a", "b"], targets=lambda split: [np.array(each) for each in strings[split]],
                           inputs=lambda split: [np.zeros((steps, 1)) for steps in frames[split]])
    found = baselines(data, "test")
    assert found["most frequent label"] == {"label_error_rate": 2 / 3, "string_error_rate": 1.0}
    assert found["the same, by duration"] == {"label_error_rate": 1 / 3, "string_error_rate": 0.5}
    # lengths 0, 1, 2 were counted 1, 2, 3 times and labels 3, 4 times, one more than they came
    want = -np.log([3 / 6 * (4 / 7) ** 2, 2 / 6 * 3 / 7]).mean()
    assert found["frequencies"] == {"loss": pytest.approx(want)}
