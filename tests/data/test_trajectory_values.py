"""Rows of numbers with targets: order of a row, splits, standardised features, messages with file and line."""
import doctest
import gzip

import numpy as np
import pytest

from gluon_rnn.data import TrajectoryValues, trajectory_values
from gluon_rnn.registry import datasets


@pytest.fixture
def write(tmp_path):
    def written(text, name="rows.csv"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)
    return written


def test_example_and_name():
    assert doctest.testmod(trajectory_values).failed == 0
    assert datasets.get("trajectory_values") is TrajectoryValues


def test_targets_stand_last_or_first(write):
    last = TrajectoryValues(write("1,2,3,4,10,20\n\n5,6,30,40\n"), write("7,8,50,60", "v.csv"), features=2,
                            targets=["a", "b"])
    first = TrajectoryValues(write("10;20;1;2;3;4\n30;40; 5;6\n"), write("50;60;7;8", "v.csv"), features=2,
                             targets=["a", "b"], targets_at="first", delimiter=";")
    steps = np.array([[1, 2], [3, 4], [5, 6], [7, 8]])
    want = (steps - steps[:3].mean(axis=0)) / steps[:3].std(axis=0)
    for data in (last, first):
        assert data.target_names == ["a", "b"] and data.splits == ("train", "valid")
        assert data.targets("train").tolist() == [[10, 20], [30, 40]] and data.targets("valid").tolist() == [[50, 60]]
        np.testing.assert_allclose(np.concatenate(data.inputs("train") + data.inputs("valid")), want, atol=1e-6)
    assert first.reader("7;8").tolist() == first.inputs("valid")[0].tolist()


def test_a_share_is_drawn_for_validation(write):
    text = "".join(f"{number},{number}\n" for number in range(20))
    first, again, other = (TrajectoryValues(write(text), 0.25, split_seed=seed) for seed in (0, 0, 1))
    assert len(first.targets("valid")) == 5
    together = np.concatenate([first.targets("train"), first.targets("valid")])[:, 0]
    assert sorted(together) == list(range(20))
    assert (first.targets("valid") == again.targets("valid")).all()
    assert (first.targets("valid") != other.targets("valid")).any()
    for steps, target in zip(first.inputs("valid"), first.targets("valid")):      # inputs stay with their targets
        reader = first.reader
        assert steps[0, 0] * reader.deviation[0] + reader.mean[0] == pytest.approx(target[0], abs=1e-5)


def test_compressed_files_and_differences(tmp_path, write):
    with gzip.open(tmp_path / "rows.gz", "wt") as file:
        file.write("0,2,6,1\n4,1\n")
    data = TrajectoryValues(str(tmp_path / "rows.gz"), write("1,1"), write("2,1", "t.csv"), differences=True)
    assert data.splits == ("train", "valid", "test") and data.inputs("train")[0].shape == (3, 2)
    np.testing.assert_allclose(np.diff(data.inputs("train")[0][:, 0]), data.inputs("train")[0][1:, 1], atol=1e-6)


@pytest.mark.parametrize("text, arguments, message", [
    ("1,2\n3\n", {}, r"rows.csv: line 2: 1 numbers, and 1 of them are targets; mend the line"),
    ("1,x,2\n", {}, "rows.csv: line 1: could not convert string to float: 'x'"),
    ("1,2,x\n", {}, "rows.csv: line 1: could not convert string to float: 'x'"),
    ("1,2,3,4\n", {"features": 2}, "rows.csv: line 1: 3 numbers are not whole steps of 2"),
    ("1,2,nan\n", {}, "line 1: a number is missing or infinite"),
    ("\n", {}, "no rows"), ("1,2\n1,2\n", {"valid": 1.5}, "valid must be a file or a share"),
    ("1,2\n1,2\n", {"valid": 0.1}, "valid 0.1 leaves nothing of 2 rows"),
    ("1,2\n", {"targets": ["a", "a"]}, "targets must be a list of different names"),
    ("1,2\n", {"targets": []}, "targets must be a list"),
    ("1,2\n", {"targets_at": "end"}, "targets_at must be 'first'"),
    ("1,2\n", {"features": 0}, "features must be a whole number")])
def test_wrong_files_and_arguments(write, text, arguments, message):
    with pytest.raises(ValueError, match=message):
        TrajectoryValues(write(text), **arguments)
