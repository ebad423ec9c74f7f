"""Trajectories: rows with blanks, label first or last, standardised steps, differences, bad lines, the real files.

Tests `gluon_rnn/answers/trajectories.py` too.
"""
import doctest

import numpy as np
import pytest

from gluon_rnn.data import Trajectories, TrajectoryReader, trajectories

ROWS = "  0,100, 47, 81,8\r\n\r\n 10, 20,30,40, 3\n" * 5 + "1,2,3,4,8"


def write(path, text=ROWS):
    path.write_text(text, newline="")
    return str(path)


def test_example():
    assert doctest.testmod(trajectories).failed == 0


def test_rows_with_blanks_empty_lines_and_no_last_newline(tmp_path):
    data = Trajectories(write(tmp_path / "a"), valid=write(tmp_path / "b", "\ufeff1,2,3,4,3\n"))
    assert data.items("train")[:2] == [(0, 100, 47, 81), (10, 20, 30, 40)] and len(data.items("train")) == 11
    assert data.labels == ["3", "8"] and data.targets("train").tolist() == [1, 0] * 5 + [1]
    assert data.splits == ("train", "valid") and data.reader.model_arguments == {"input_size": 2}


def test_steps_are_standardised_with_the_training_split_alone(tmp_path):
    data = Trajectories(write(tmp_path / "a"), valid=write(tmp_path / "b", "1,2,3,4,3\n"), differences=True)
    steps = np.concatenate(data.inputs("train"))
    assert steps.dtype == np.float32 and steps.shape == (22, 4)
    np.testing.assert_allclose(steps[:, :2].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(steps[:, :2].std(axis=0), 1, atol=1e-6)
    raw = np.reshape(data.items("train"), (-1, 2))
    want = (np.array([[1, 2], [3, 4]]) - raw.mean(axis=0)) / raw.std(axis=0)
    got = data.inputs("valid")[0]
    np.testing.assert_allclose(got[:, :2], want, atol=1e-6)
    np.testing.assert_allclose(got[:, 2:], [[0, 0], want[1] - want[0]], atol=1e-6)


def test_label_first_other_delimiters_and_rows_of_different_length(tmp_path):
    path = write(tmp_path / "a", "up;1;2\ndown;3;4;5;6\n" * 3)
    data = Trajectories(path, valid=path, label="first", delimiter=";", features=1)
    assert data.labels == ["down", "up"] and [len(steps) for steps in data.inputs("train")[:2]] == [2, 4]
    assert "6 duplicates across splits" in data.describe()


def test_validation_share_is_stratified_and_seeded(tmp_path):
    path = write(tmp_path / "a", "".join(f"{i},1,{i % 2}\n" for i in range(40)))
    first, second, other = (Trajectories(path, valid=0.25, split_seed=seed) for seed in (0, 0, 1))
    assert first.items("valid") == second.items("valid") != other.items("valid")
    assert sorted(first.items("train") + first.items("valid")) == sorted(other.items("train") + other.items("valid"))
    assert np.bincount(first.targets("valid")).tolist() == [5, 5]


def test_a_feature_that_never_changes(tmp_path):
    path = write(tmp_path / "a", "1,7,a\n2,7,b\n" * 2)
    assert np.abs(np.concatenate(Trajectories(path, valid=path).inputs("train"))[:, 1]).max() == 0


def test_a_reader_is_fitted_to_all_steps_and_leaves_constant_features_undivided():
    reader = TrajectoryReader.fit([(0, 7), (2, 7, 4, 7)], 2, True, ";")
    assert vars(reader) == {"features": 2, "mean": [2, 7], "deviation": [pytest.approx((8 / 3) ** 0.5), 1],
                            "differences": True, "delimiter": ";"}
    want = np.array([[-1, 0, 0, 0], [1, 0, 2, 0]]) * 1.5 ** 0.5
    np.testing.assert_allclose(reader("0;7;4;7"), want, rtol=2 ** -23)


def test_reader_survives_its_json_and_reads_text(tmp_path):
    reader = Trajectories(write(tmp_path / "a"), valid=0.3, differences=True).reader
    again = TrajectoryReader.from_json(reader.to_json())
    assert (again(" 1, 2, 3, 4") == reader((1, 2, 3, 4))).all()
    with pytest.raises(ValueError, match="the row: 3 numbers are not whole steps of 2"):
        again("1,2,3")


def test_distortion_is_linear_seeded_and_for_training_alone(tmp_path):
    path = write(tmp_path / "a")
    plain, data = (Trajectories(path, valid=path, differences=True, distort=distort) for distort in (0.0, 0.2))
    drawn = [data.augmented(1, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    steps = plain.inputs("train")[1]
    matrix = np.eye(2) + 0.2 * np.random.default_rng(0).standard_normal((2, 2))
    np.testing.assert_allclose(drawn[0][:, :2], steps[:, :2] @ matrix, atol=1e-6)
    np.testing.assert_allclose(drawn[0][:, 2:], steps[:, 2:] @ matrix, atol=1e-6)   # differences of what was distorted
    assert plain.augmented(1, np.random.default_rng(0)) is plain.inputs("train")[1]
    assert (data.inputs("train")[1] == steps).all() and (data.inputs("valid")[1] == plain.inputs("valid")[1]).all()


@pytest.mark.parametrize("line, message", [
    ("1,2,x,4,8", "could not convert string to float: 'x'"), ("1,2,,4,8", "could not convert"),
    ("1,2,3,8", "3 numbers are not whole steps of 2"), ("8", "0 numbers are not"),
    ("1,nan,3,4,8", "a number is missing or infinite"), ("1,2,3,4,", "no label at the end")])
def test_a_bad_line_is_named(tmp_path, line, message):
    with pytest.raises(ValueError, match=f"a: line 2: {message}"):
        Trajectories(write(tmp_path / "a", f"1,2,3,4,8\n{line}\n"))


@pytest.mark.parametrize("change, message", [
    ({"features": 0}, "features must be"), ({"label": "middle"}, "'first' or 'last'"),
    ({"valid": 1.0}, "above 0 and below 1"), ({"distort": -0.1}, "distort must be"),
    ({"valid": 0.001}, "leaves nothing of 11 examples"),
    ({"valid": "none.csv"}, "no such file")])
def test_wrong_arguments(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Trajectories(write(tmp_path / "a"), **change)


def test_a_file_of_blank_lines(tmp_path):
    with pytest.raises(ValueError, match="no rows; check the path"):
        Trajectories(write(tmp_path / "a", "\n \n"))


@pytest.mark.real_data
def test_counts_of_the_real_files(data_root):
    folder = data_root / "pendigits"
    data = Trajectories(str(folder / "pendigits.tra"), test=str(folder / "pendigits.tes"))
    assert len(data.items("train")) + len(data.items("valid")) == 7494 and len(data.items("test")) == 3498
    assert np.bincount(data.targets("test")).min() == 335 and np.bincount(data.targets("test")).max() == 364
    assert {steps.shape for steps in data.inputs("train")} == {(8, 2)} and data.labels == list("0123456789")
