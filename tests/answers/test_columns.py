"""Columns of a table by their names, and numbers that are missing: refused with their place.

Tests `items.py` too: items without a step.
"""
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.answers.columns import check_finite, in_order
from gluon_rnn.answers.items import read_items, step_of


def test_columns_of_a_table_are_found_by_name_and_those_of_an_array_by_place():
    table = pd.DataFrame({"b": [3.0, 4], "more": [0.0, 0], "a": [1.0, 2]})
    np.testing.assert_array_equal(in_order(table, ["a", "b"], "x"), [[1, 3], [2, 4]])
    np.testing.assert_array_equal(in_order(table["a"], ["a"], "y"), [[1], [2]])
    np.testing.assert_array_equal(in_order(table.to_numpy(), ["a", "b", "c"], "x"), table.to_numpy())
    unnamed = pd.DataFrame([[1.0, 2.0]])
    np.testing.assert_array_equal(in_order(unnamed, ["a", "b"], "x"), [[1, 2]])


def test_a_column_that_is_missing_or_there_twice_is_refused():
    table = pd.DataFrame([[1.0, 2, 3]], columns=["a", "a", "speed"])
    with pytest.raises(ValueError, match="x has 2 columns 'a'; name each column once"):
        in_order(table, ["a"], "x")
    with pytest.raises(ValueError, match="x has no column 'sped'; did you mean 'speed'"):
        in_order(table, ["sped"], "x")


@pytest.mark.parametrize("values, shape", [([], r"\(0,\)"), (np.zeros((0, 2)), r"\(0, 2\)"), (3.0, r"\(\)")])
def test_no_rows_are_refused(values, shape):
    with pytest.raises(ValueError, match=rf"y needs at least one row of numbers, got an array of the shape {shape}; "
                                         r"pass \(T,\) or \(T, 2\)"):
        in_order(values, ["a", "b"], "y")
    assert in_order(np.zeros((3, 0)), [], "x").shape == (3, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named(value):
    rows = np.zeros((4, 2))
    check_finite(rows, "rows")
    rows[2, 1] = value
    with pytest.raises(ValueError, match=rf"rows: the number at \[2, 1\] is {value}; fill it"):
        check_finite(rows, "rows")
    with pytest.raises(ValueError, match="features of a step"):
        step_of(rows[2])
    with pytest.raises(ValueError, match=f"a number: the number at 0 is {value}; fill it"):
        check_finite(np.array(value), "a number")


def test_an_item_without_a_step_is_refused():
    assert read_items(str.split, ["a b", "c"]) == [["a", "b"], ["c"]]
    with pytest.raises(ValueError, match="item 1, ' ', is empty, so that there is nothing to answer"):
        read_items(str.split, ["a b", " "])
    with pytest.raises(ValueError, match="the item '' is empty"):
        read_items(str.split, [""])
