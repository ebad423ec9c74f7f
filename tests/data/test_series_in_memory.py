"""Recordings in memory: names and order of columns, dates, several recordings, and the same numbers as from a file."""
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data import TimeSeries
from gluon_rnn.data.placement import place

U, Y = np.arange(20.0).reshape(10, 2), np.arange(10.0) ** 2
SPLIT = {"name": "time_series", "split": [0.5, 0.2, 0.3]}


def read(section, data):
    keys = {key: value for key, value in place(section, data).items() if key != "name"}
    return TimeSeries(**keys)


def whole(data, split="test"):
    return data.recordings(split)[0]


@pytest.mark.parametrize("form", [
    (U, Y), (U.tolist(), Y.tolist()), (pd.DataFrame(U, columns=["a", "b"]), pd.Series(Y, name="c")),
    (pd.DataFrame(U), pd.DataFrame({"c": Y}))])
def test_forms_of_one_recording(form):
    recording = whole(read(SPLIT, form))
    np.testing.assert_array_equal(recording.x, U)
    np.testing.assert_array_equal(recording.y[:, 0], Y)
    assert recording.start == 7 and recording.name == "the data given"


def test_names_are_those_of_the_recipe_or_of_the_columns_or_made_up():
    named = pd.DataFrame(U, columns=["a", "b"])
    assert read(SPLIT, (named, pd.Series(Y, name="c"))).input_names == ["a", "b"]
    assert read(SPLIT, (U, Y)).input_names == ["x_1", "x_2"] and read(SPLIT, (U, Y)).target_names == ["y"]
    data = read({**SPLIT, "inputs": ["b", "a"], "targets": ["c"]}, (named, Y))
    assert (data.input_names, data.target_names) == (["b", "a"], ["c"])
    np.testing.assert_array_equal(whole(data).x, U[:, ::-1])              # put in the order of the recipe
    table = pd.DataFrame({"unused": 0, "c": Y, "a": U[:, 0]})
    data = read({**SPLIT, "inputs": ["a"], "targets": ["c"]}, table)
    np.testing.assert_array_equal(whole(data).x, U[:, :1])
    data = read({**SPLIT, "header": False, "targets": [1]}, table)
    np.testing.assert_array_equal(whole(data).y[:, 0], Y)


def test_targets_alone_and_several_recordings():
    for alone in (Y, (None, Y), pd.Series(Y)):
        assert whole(read(SPLIT, alone)).x.shape == (10, 0)
    data = read({**SPLIT, "split": {"files": [1, 1, 1]}}, [(U, Y), (U + 1, Y), (U[:4], Y[:4])])
    assert [len(whole(data, split)) for split in data.splits] == [10, 10, 4]
    assert whole(data, "valid").name == "the data given: recording 1"
    data = read({"name": "time_series", "valid_fraction": 0.5}, (U, Y))
    assert [whole(data, split).start for split in data.splits] == [0, 5]
    data = read({"name": "time_series", "path": "a.csv", "split": [0.5, 0.5]}, {"train": (U, Y), "valid": (U, Y)})
    assert data.splits == ("train", "valid") and whole(data, "valid").start == 0


def test_an_index_of_dates_divides_by_dates():
    days = pd.date_range("2020-01-01", periods=10)
    section = {**SPLIT, "split": {"dates": ["2020-01-06", "2020-01-08"]}}
    for form in ((pd.DataFrame(U, index=days), pd.Series(Y, index=days)), (U, pd.Series(Y, index=days))):
        assert whole(read(section, form)).start == 7 and whole(read(section, form)).times.equals(days)
    table = pd.DataFrame({"day": days.astype(str), "y": Y})
    assert whole(read({**section, "date": "day", "targets": ["y"]}, table)).times.equals(days)
    with pytest.raises(ValueError, match="row 1: the date .* does not come after"):
        read(section, (U, pd.Series(Y, index=days[::-1])))
    with pytest.raises(ValueError, match="some recordings have dates and others have none"):
        read(section, [(U, pd.Series(Y, index=days)), (U, Y)])


def test_missing_values_are_treated_as_those_of_a_file():
    gap = np.where(Y == 16, np.nan, Y)
    assert whole(read({**SPLIT, "missing": "interpolate"}, (U, gap))).y[4, 0] == (9 + 25) / 2
    with pytest.raises(ValueError, match="the data given, row 4: column 'y' has no value .* set missing"):
        read(SPLIT, (U, gap))


@pytest.mark.parametrize("section, data, words", [
    ({"inputs": ["q"]}, (pd.DataFrame(U, columns=["a", "b"]), Y), "the inputs have no column 'q'; known: a, b"),
    ({"inputs": ["alpha"]}, (pd.DataFrame({"alpah": Y}), Y), "no column 'alpha'; did you mean 'alpah'"),
    ({"inputs": ["q"]}, (U, Y), "the inputs have 2 columns, and 1 were expected: q"),
    ({"inputs": []}, (U, Y), "2 inputs, and the recipe has none"),
    ({"inputs": ["q"]}, Y, "there are no inputs, and 1 were expected: q"),
    ({}, pd.DataFrame({"u": Y, "y": Y}), "which columns of the table are to be predicted"),
    ({"targets": ["z"]}, pd.DataFrame({"u": Y, "y": Y}), "no column 'z'|there are no rows"),
    ({}, (pd.DataFrame(U, index=range(10)), pd.Series(Y, index=range(1, 11))), "different indices"),
    ({}, (U, Y, Y), "a recording is a pair"), ({}, [], "the list of recordings is empty"),
    ({}, (np.array([["a"]] * 10), Y), "the inputs must be numbers"),
    ({"targets": ["t"]}, pd.DataFrame({"t": ["a"] * 10}), "column 't' must hold numbers"),
    ({}, (pd.DataFrame({"y": Y}), Y), "column 'y' is named twice"),
])
def test_mistakes_are_one_sentence(section, data, words):
    with pytest.raises(ValueError, match=words):
        read({**SPLIT, **section}, data)
