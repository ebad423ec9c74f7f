"""Columns of CSV files: gaps filled as pandas fills them, numbers bit for bit as pandas reads them.

Names, separators and mistakes are tested in ``tests/data/test_tables.py``.
"""
import io

import numpy as np
import pandas as pd
import pytest

from gluon_rnn.answers.series_file import SeriesLayout


@pytest.mark.parametrize("missing, fill", [("forward", lambda frame: frame.ffill()),
                                           ("interpolate", lambda frame: frame.interpolate(limit_area="inside"))])
def test_numbers_and_gaps_are_those_of_pandas(missing, fill):
    values = np.random.randn(200, 3) * 10.0 ** np.random.randint(-6, 6, (200, 3))
    shown = np.where(np.random.rand(200, 3) < 0.3, "", values.astype("U25"))
    shown[[0, -1]] = values[[0, -1]].astype("U25")                        # ends are not filled
    text = "u,y,z\n" + "\n".join(map(",".join, shown)) + "\n"
    want = fill(pd.read_csv(io.StringIO(text), float_precision="round_trip")).to_numpy()
    x, y = SeriesLayout(("u",), ("z", "y"), missing=missing).parse(text, "a.csv")
    np.testing.assert_array_equal(np.hstack([x, y[:, ::-1]]), want)


@pytest.mark.parametrize("cell", ["", " ", "NA", "nan", "NaN", "null", "N/A", "#N/A", "None"])
def test_what_pandas_takes_for_missing_is_missing(cell):
    assert np.isnan(pd.read_csv(io.StringIO(f"u,y\n1,{cell.strip()}\n2,3"))["y"][0])
    with pytest.raises(ValueError, match="a.csv, line 2: column 'y' has no value"):
        SeriesLayout((), ("y",)).parse(f"u,y\n1,{cell}\n2,3\n", "a.csv")


def test_layouts_come_back():
    layout = SeriesLayout((2,), (0, 1), missing="forward", header=False, separator=";", decimal=",")
    assert SeriesLayout.from_json(layout.to_json()) == layout
