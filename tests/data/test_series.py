"""Splits of recordings by rows, dates and files, context before each split, and the known sizes of the real files.

Tests `gluon_rnn/answers/series.py` too, where recordings and their scaler are.
"""
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn.data import Recording, TimeSeries
from gluon_rnn.registry import datasets


@pytest.fixture
def csv(tmp_path):
    """Write a file of `rows` days in which u counts from `first` and y is 10 u; return its path."""
    def csv(rows=10, first=0, name="a.csv", date=False):
        frame = pd.DataFrame({"u": np.arange(first, first + rows), "y": 10 * np.arange(first, first + rows)})
        if date:
            frame.insert(0, "day", pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"))
        frame.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)
    return csv


COLUMNS = dict(inputs=["u"], targets=["y"])


def scored(data, split):
    """The targets of a split as lists, context left out."""
    return [(recording.y[recording.start:, 0] / 10).astype(int).tolist() for recording in data.recordings(split)]


@pytest.mark.parametrize("split", [
    [0.5, 0.2, 0.3], {"fractions": [0.5, 0.2, 0.3]}, {"rows": [5, 2, 3]}, {"dates": ["2020-01-06", "2020-01-08"]}])
def test_three_parts_in_order_with_the_rows_before_as_context(csv, split):
    data = TimeSeries(csv(date=True), split, date="day", **COLUMNS)
    assert data.splits == ("train", "valid", "test")
    assert [scored(data, name) for name in data.splits] == [[[0, 1, 2, 3, 4]], [[5, 6]], [[7, 8, 9]]]
    test, = data.recordings("test")
    assert (len(test), test.start) == (10, 7) and len(test.times) == 10
    np.testing.assert_array_equal(test.x[:, 0], np.arange(10))


def test_rows_that_are_over_are_not_used(csv):
    data = TimeSeries(csv(), {"rows": [3, 2]}, **COLUMNS)
    assert data.splits == ("train", "valid") and len(data.recordings("valid")[0]) == 5


def test_two_parts_are_train_and_test_where_validation_is_carved(csv):
    data = TimeSeries(csv(), {"rows": [6, 4]}, valid_fraction=1 / 3, **COLUMNS)
    assert [scored(data, name) for name in data.splits] == [[[0, 1, 2, 3]], [[4, 5]], [[6, 7, 8, 9]]]
    assert [data.recordings(name)[0].start for name in data.splits] == [0, 4, 6]


@given(st.integers(3, 200), st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)))
def test_parts_are_disjoint_and_follow_one_another(rows, weights):
    from gluon_rnn.data.series import _cut
    recording = Recording("a", np.zeros((rows, 0)), np.arange(float(rows))[:, None])
    try:
        parts = _cut([recording], [weight / sum(weights) for weight in weights], None)
    except ValueError as error:
        assert "leaves nothing" in str(error) and rows < 28    # the smallest share is 1 / 19 at worst
        return
    values = np.concatenate([part.y[part.start:, 0] for name in ("train", "valid", "test") for part in parts[name]])
    np.testing.assert_array_equal(values, np.arange(rows))


def test_by_file(csv):
    paths = [csv(3, 100 * number, f"{number}.csv") for number in range(4)]
    data = TimeSeries(paths, {"files": [2, 1, 1]}, **COLUMNS)
    assert scored(data, "train") == [[0, 1, 2], [100, 101, 102]]
    assert scored(data, "valid") == [[200, 201, 202]] and scored(data, "test") == [[300, 301, 302]]
    same = TimeSeries(train=paths[:2], valid=paths[2], test=[paths[3]], **COLUMNS)
    assert all(scored(same, split) == scored(data, split) for split in data.splits)


def test_every_file_is_cut_by_itself(csv):
    data = TimeSeries([csv(10), csv(20, 100, "b.csv")], [0.5, 0.5], **COLUMNS)
    assert scored(data, "valid") == [list(range(5, 10)), list(range(110, 120))]
    assert [part.start for part in data.recordings("valid")] == [5, 10]


def test_mapping_reads_other_columns_under_one_name(tmp_path):
    path = tmp_path / "a.csv"
    lines = [f"{row},{-row},{2 * row},{-2 * row},,\n" for row in range(10)]
    path.write_text("uEst,uVal,yEst,yVal,Ts,\n" + "".join(lines))
    first, second = ({"path": str(path), "inputs": [f"u{part}"], "targets": [f"y{part}"]} for part in ("Est", "Val"))
    data = TimeSeries(train=first, test=second, valid_fraction=0.2, inputs=["u"], targets=["y"])
    assert (data.input_names, data.target_names) == (["u"], ["y"])
    np.testing.assert_array_equal(data.recordings("test")[0].y[:, 0], -2 * np.arange(10))
    assert len(data.recordings("train")[0]) == 8 and data.recordings("valid")[0].start == 8
    assert data.formats["test"].targets == ("yVal",)
    assert TimeSeries(train=first, valid=second).target_names == ["yEst"]


def test_registered_with_its_signature_as_schema():
    assert datasets.get("time_series") is TimeSeries
    assert {"path", "split", "inputs", "targets", "date", "missing"} <= set(datasets.parameters("time_series"))


@pytest.mark.parametrize("arguments, sentence", [
    (dict(path="F", **COLUMNS), "needs split"),
    (dict(path="F", split=[0.5, 0.5], train="F", **COLUMNS), "path and train are both given"),
    (dict(train="F", **COLUMNS), "train and valid"),
    (dict(train="F", valid="F", split=[0.5, 0.5], **COLUMNS), "leave it out"),
    (dict(train="F", valid="F", valid_fraction=0.1, **COLUMNS), "give one of them"),
    (dict(train="F", valid_fraction=1.0, **COLUMNS), "between 0 and 1"),
    (dict(train="F", valid_fraction=0.01, **COLUMNS), "leaves nothing"),
    (dict(path="F", split=[0.5, 0.5]), "targets is missing"),
    (dict(path="F", split=[0.5, 0.5], targets="y"), "targets must be a list"),
    (dict(path="F", split=[0.5, 0.5], targets=["x"]), "no column 'x'"),
    (dict(path="F", split=[0.5], **COLUMNS), "2 or 3 parts"),
    (dict(path="F", split=[0.5, 0.2, 0.3], valid_fraction=0.1, **COLUMNS), r"2 parts \(train, test\)"),
    (dict(path="F", split=[0.9, 0.3], **COLUMNS), "a.csv: the fractions of split add up to 1.2"),
    (dict(path="F", split={"rows": [8, 3]}, **COLUMNS), "needs 11 rows, and the recording has 10"),
    (dict(path="F", split={"rows": [0.8, 0.2]}, **COLUMNS), "whole numbers above 0"),
    (dict(path="F", split={"row": [8, 2]}, **COLUMNS), "did you mean 'rows'"),
    (dict(path="F", split={"rows": [8, 2], "files": [1]}, **COLUMNS), "one of rows, dates and files"),
    (dict(path="F", split={"dates": ["2020-01-05"]}, **COLUMNS), "set date"),
    (dict(path="F", split={"dates": ["2021-01-05"]}, date="day", **COLUMNS), "without rows; .*2020-01-10"),
    (dict(path="F", split={"dates": ["2020-01-06", "2020-01-03"]}, date="day", **COLUMNS), "dates must increase"),
    (dict(path="F", split={"dates": ["soon"]}, date="day", **COLUMNS), "does not fit the dates"),
    (dict(path=["F"], split={"files": [1, 1]}, **COLUMNS), "path has 1"),
    (dict(path={"path": "F", "target": ["y"]}, split=[0.5, 0.5]), "unknown key 'target'.*did you mean 'targets'"),
    (dict(path={"targets": ["y"]}, split=[0.5, 0.5]), "has no path"),
    (dict(train={"path": "F", "targets": ["y"]}, valid={"path": "F", "targets": ["u", "y"]}), "the same numbers"),
    (dict(path="F", split=[0.5, 0.5], season=1, **COLUMNS), "season must be"),
    (dict(path="missing.csv", split=[0.5, 0.5], **COLUMNS), "missing.csv: no such file"),
])
def test_mistakes_in_one_sentence(csv, arguments, sentence):
    path = csv(date=True)

    def named(value):
        if isinstance(value, dict):
            return {key: named(part) for key, part in value.items()}
        return [named(part) for part in value] if isinstance(value, list) else path if value == "F" else value

    with pytest.raises(ValueError, match=sentence):
        TimeSeries(**{key: named(value) for key, value in arguments.items()})


def test_unknown_split(csv):
    with pytest.raises(ValueError, match="no split 'tests'.*did you mean 'test'"):
        TimeSeries(csv(), [0.5, 0.2, 0.3], **COLUMNS).recordings("tests")


def test_recordings_must_fit():
    with pytest.raises(ValueError, match="must have the same rows"):
        Recording("a", np.zeros((3, 0)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="start is 3"):
        Recording("a", np.zeros((3, 0)), np.zeros((3, 1)), 3)


def rows(data):
    """(rows, start) of each recording by split."""
    return {split: [(len(part), part.start) for part in data.recordings(split)] for split in data.splits}


@pytest.mark.real_data
def test_tanks(data_root):
    path = f"{data_root}/sysid/cascaded_tanks/tanque.csv"
    data = TimeSeries(train={"path": path, "inputs": ["uEst"], "targets": ["yEst"]}, valid_fraction=0.2,
                      test={"path": path, "inputs": ["uVal"], "targets": ["yVal"]}, inputs=["u"], targets=["y"])
    assert rows(data) == {"train": [(819, 0)], "valid": [(1024, 819)], "test": [(1024, 0)]}
    train, test = data.recordings("train")[0], data.recordings("test")[0]
    assert (train.x[0, 0], train.y[0, 0], test.x[1, 0], test.y[1, 0]) == (3.2567, 5.205, 0.99921, 4.9722)


@pytest.mark.real_data
def test_buck(data_root):
    data = TimeSeries(train=f"{data_root}/sysid/buck/buck_id.csv", test=f"{data_root}/sysid/buck/buck_valid.csv",
                      inputs=["input"], targets=["y"], valid_fraction=0.2)
    assert rows(data) == {"train": [(801, 0)], "valid": [(1001, 801)], "test": [(999, 0)]}
    assert (data.recordings("test")[0].x[1, 0], data.recordings("test")[0].y[1, 0]) == (2.21, 15.6)


@pytest.mark.real_data
def test_gas_furnace(data_root):
    data = TimeSeries(f"{data_root}/sysid/gas_furnace/gasrate_co2.csv", {"rows": [200, 96]}, valid_fraction=0.2,
                      inputs=["GasRate(ft3/min)"], targets=["CO2%"])
    assert rows(data) == {"train": [(160, 0)], "valid": [(200, 160)], "test": [(296, 200)]}
    assert data.recordings("train")[0].x[0, 0] == -0.109 and data.recordings("train")[0].y[0, 0] == 53.8


@pytest.mark.real_data
def test_laser(data_root):
    path = f"{data_root}/univariate/laser.txt"
    data = TimeSeries(path, {"rows": [1000, 100]}, valid_fraction=0.1, header=False, targets=[0])
    assert rows(data) == {"train": [(900, 0)], "valid": [(1000, 900)], "test": [(1100, 1000)]}
    assert data.recordings("train")[0].y[:3, 0].tolist() == [86, 141, 95]
    whole = TimeSeries(path, [0.5, 0.5], header=False, targets=[0])
    assert len(whole.recordings("valid")[0]) == 10093 and whole.recordings("valid")[0].y.max() == 255


@pytest.mark.real_data
def test_ett(data_root):
    loads = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL"]
    data = TimeSeries(f"{data_root}/ett/ETTh1.csv", {"rows": [8640, 2880, 2880]}, date="date", inputs=loads,
                      targets=["OT"], season=24)
    assert rows(data) == {"train": [(8640, 0)], "valid": [(11520, 8640)], "test": [(14400, 11520)]}
    assert data.recordings("train")[0].times[8639] == pd.Timestamp("2017-06-25 23:00")
    whole = TimeSeries(f"{data_root}/ett/ETTh1.csv", {"dates": ["2018-06-26"]}, date="date", targets=["OT"])
    assert rows(whole) == {"train": [(17400, 0)], "valid": [(17420, 17400)]}
    assert whole.recordings("valid")[0].times[-1] == pd.Timestamp("2018-06-26 19:00")


@pytest.mark.real_data
def test_univariate_series(data_root):
    air = TimeSeries(f"{data_root}/univariate/AirPassengers.csv", {"dates": ["1957-01", "1959-01"]}, date="Month",
                     targets=["#Passengers"], season=12)
    assert rows(air) == {"train": [(96, 0)], "valid": [(120, 96)], "test": [(144, 120)]}
    assert air.recordings("test")[0].y[-1, 0] == 432
    spots = TimeSeries(f"{data_root}/univariate/monthly-sunspots.csv", [0.5, 0.5], date="Month", targets=["Sunspots"])
    assert rows(spots) == {"train": [(1410, 0)], "valid": [(2820, 1410)]}
    assert spots.recordings("valid")[0].times[-1] == pd.Timestamp("1983-12-01")
