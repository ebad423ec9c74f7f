"""Cells as numbers; files with them are in `tests/data/test_tables.py`."""
import math

import pytest

from gluon_rnn.answers.number_cells import NumberCells


@pytest.mark.parametrize("cell, keys, value", [
    ("1,5", {"decimal": ","}, 1.5), ("1.5", {"decimal": ","}, math.inf), ("1,234.5", {"thousands": ","}, 1234.5),
    ("1'234'567", {"thousands": "'"}, 1234567), ("12'34", {"thousands": "'"}, math.inf), ("1_000", {}, math.inf),
    ("", {}, math.nan), ("-200", {"na_values": ["-200"]}, math.nan), ("-200.0", {"na_values": [-200]}, math.nan),
    ("-2001", {"na_values": [-200]}, -2001), ("?", {"na_values": ["?"]}, math.nan), ("inf", {}, math.inf)])
def test_cells(cell, keys, value):
    found = NumberCells(**keys)(cell)
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_advice_never_names_keys_that_are_set_already():
    assert NumberCells(",", ".").advice("1,2,3") == "correct the cell, name it in na_values, or check decimal (',')"
    assert NumberCells().advice("1 234,5") == "to read it as 1234.5, set thousands: ' ' and decimal: ','"
