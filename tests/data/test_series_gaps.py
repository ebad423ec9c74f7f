"""Series with gaps: refused, filled, cut into recordings, in files and in memory."""
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data import TimeSeries
from gluon_rnn.data.memory import InMemory

ROWS = np.delete(np.arange(100), np.r_[30:60, 80])                        # 30 hours are missing, and one


@pytest.fixture(params=["file", "memory"])
def path(request, tmp_path):
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=100, freq="h"), "u": np.arange(100.0),
                          "y": -np.arange(100.0)}).iloc[ROWS].reset_index(drop=True)
    if request.param == "memory":
        return InMemory(frame, "the data given")
    frame.to_csv(tmp_path / "a.csv", index=False)
    return str(tmp_path / "a.csv")


def series(path, split=(0.5, 0.2, 0.3), **keys):
    return TimeSeries(path, list(split), inputs=["u"], targets=["y"], date="t", **keys)


def test_a_gap_is_refused_with_its_place_and_length(path):
    with pytest.raises(ValueError, match=r"(line 32|row 30): 1 day 7 h lie between .*2020-01-02 05:00.* and "
                                         r".*2020-01-03 12:00.*, where the step is 1 h; 2 such places in all; set"):
        series(path)


def test_a_gap_is_filled_up_to_a_limit(path):
    with pytest.raises(ValueError, match="a gap of 1 day 7 h takes 30 rows, and gap_limit is 6"):
        series(path, gaps="fill")
    data = series(path, gaps="fill", gap_limit=30)
    train, = data.recordings("train")
    test, = data.recordings("test")
    assert len(train) == 50 and len(test) == 100
    np.testing.assert_allclose(test.x[:, 0], np.arange(100), rtol=0, atol=1e-12)
    assert (test.times == pd.date_range("2020-01-01", periods=100, freq="h")).all()


def test_a_gap_cuts_into_recordings_whose_context_does_not_cross_it(path):
    data = series(path, (0.6, 0.2, 0.2), gaps="split", min_rows=5)        # 69 rows: 41, 14, 14
    found = {name: [(part.x[:, 0].astype(int).tolist(), part.start) for part in data.recordings(name)]
             for name in data.splits}
    assert found == {"train": [(list(range(30)), 0), (list(range(60, 71)), 0)],
                     "valid": [(list(range(60, 80)), 11), (list(range(81, 86)), 0)],
                     "test": [(list(range(81, 100)), 5)]}
    names = [part.name for part in data.recordings("train")]
    assert names[0].endswith(", rows 1 to 30") and names[1].endswith(", rows 31 to 41")
    few = series(path, (0.6, 0.2, 0.2), gaps="split", min_rows=6)
    assert len(few.recordings("valid")) == 1
    with pytest.raises(ValueError, match="no part between two gaps has 40 rows; lower min_rows"):
        series(path, (0.6, 0.2, 0.2), gaps="split", min_rows=40)


def test_ignored_gaps_are_none(path):
    assert len(series(path, gaps="ignore").recordings("test")[0]) == 69


def test_splitting_takes_dates(tmp_path):
    (tmp_path / "a.csv").write_text("u,y\n" + "1,2\n" * 9)
    with pytest.raises(ValueError, match="gaps: split needs the name of the date column; set date"):
        TimeSeries(str(tmp_path / "a.csv"), [0.5, 0.5], inputs=["u"], targets=["y"], gaps="split")
