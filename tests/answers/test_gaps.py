"""Gaps of a time axis: found, refused with place and length, filled up to a limit."""
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.answers.gaps import filled_gaps, irregular, nanoseconds
from gluon_rnn.answers.series_file import SeriesLayout

HOUR = 3600 * 10**9


def axis(*index):
    return np.concatenate([part.to_numpy("datetime64[ns]").astype(np.int64) for part in index])


@pytest.mark.parametrize("freq", ["h", "D", "B", "W", "MS", "ME" if pd.__version__ >= "2.2" else "M", "QS", "YS"])
def test_calendars_are_regular(freq):
    assert irregular(axis(pd.date_range("2019-11-05", periods=60, freq=freq)))[0] == []


def test_jitter_is_no_gap_and_a_missing_row_is():
    times = axis(pd.date_range("2020-01-01", periods=200, freq="h"))
    jitter = np.random.randint(-HOUR // 5, HOUR // 5, 200)
    assert irregular(times + jitter)[0] == []
    assert irregular(np.delete(times, 100) + np.delete(jitter, 100))[0] == [100]
    assert irregular(np.delete(times, [50, 51, 120])) == ([50, 118], HOUR)
    holiday = np.delete(axis(pd.date_range("2020-01-01", periods=60, freq="B")), 30)
    assert irregular(holiday)[0][-1] >= 30                                # not each working day any more


def test_a_gap_is_filled_by_straight_lines_up_to_the_limit():
    whole = axis(pd.date_range("2020-01-01", periods=40, freq="h"))
    kept = np.delete(np.arange(40), [7, 20, 21, 22])
    line = np.stack([np.arange(40.0), 5 - 2.0 * np.arange(40)], axis=1)
    times, (found, empty) = filled_gaps(whole[kept], [line[kept], np.zeros((36, 0))], 3, str, "a.csv")
    np.testing.assert_array_equal(times, whole)
    np.testing.assert_allclose(found, line, rtol=0, atol=1e-12)           # an interpolation of whole numbers
    assert empty.shape == (40, 0)
    with pytest.raises(ValueError, match="19: a gap of 4 h takes 3 rows, and gap_limit is 2; raise gap_limit"):
        filled_gaps(whole[kept], [line[kept]], 2, str, "a.csv")
    close = np.sort(np.append(whole, whole[5] + HOUR // 4))
    with pytest.raises(ValueError, match="6: a step of 15 min, where 1 h is usual"):
        filled_gaps(close, [np.zeros((41, 1))], 2, str, "a.csv")


@pytest.mark.parametrize("texts, keys", [
    (["2020-01-01 00:00", "2020-01-01 01:00"], {}), (["2020-01-01T01:00:00+01:00", "2020-01-01T02:00:00+01:00"], {}),
    (["01.01.2020 00h", "01.01.2020 01h"], {"date_format": "%d.%m.%Y %Hh"}),
    (["1577836800", "1577840400.0"], {"unit": "s"})])
def test_dates_are_read_without_pandas(texts, keys):
    assert nanoseconds(texts, **keys).tolist() == [1577836800 * 10**9, 1577836800 * 10**9 + HOUR]
    assert nanoseconds([*texts, "then"], **keys) is None and nanoseconds([np.nan], **keys) is None


@pytest.mark.parametrize("freq", ["h", "20min"])
@pytest.mark.parametrize("start", ["2024-03-30", "2024-10-26"])
def test_hours_of_a_zone_are_those_of_pandas(start, freq):
    times = pd.date_range(start, periods=150, freq=freq, tz="Europe/Rome")
    texts = times.strftime("%Y-%m-%d %H:%M").to_numpy(dtype=object)
    want = times.to_numpy(dtype="datetime64[ns]").astype(np.int64)
    assert nanoseconds(texts, timezone="Europe/Rome").tolist() == want.tolist()
    assert nanoseconds(texts, timezone="Europe/Nowhere") is None
    texts = [time.isoformat() for time in times]
    assert nanoseconds(texts, timezone="Asia/Tokyo").tolist() == want.tolist()


def test_dates_that_do_not_increase_or_cannot_be_read_are_said(caplog):
    layout = SeriesLayout((), ("y",), date="t", gaps="fill")
    with pytest.raises(ValueError, match="a.csv, line 3: the date '2020-01-01' does not come after '2020-01-02'"):
        layout.parse("t,y\n2020-01-02,1\n2020-01-01,2\n", "a.csv")
    with pytest.raises(ValueError, match="a.csv, line 3: there is no date"):
        layout.parse("t,y\n2020-01-02,1\n,2\n", "a.csv")
    with pytest.raises(ValueError, match="a.csv: the dates, such as '1/2/2020', are not ISO 8601, so that gaps cannot"):
        layout.parse("t,y\n1/2/2020,1\n1/3/2020,2\n", "a.csv")
    found = SeriesLayout((), ("y",), date="t").parse("t,y\n1/2/2020,1\n1/3/2020,2\n", "a.csv")
    assert found[1].tolist() == [[1], [2]] and "are not checked for gaps" in caplog.text


def test_a_bundle_refuses_and_fills_the_gaps_of_a_file_too():
    rows = [f"2020-01-01 {hour:02d}:00,{hour}\n" for hour in range(24) if hour not in (5, 6)]
    text = "t,y\n" + "".join(rows)
    with pytest.raises(ValueError, match="a.csv, line 7: 3 h lie between '2020-01-01 04:00' and '2020-01-01 07:00', "
                                         "where the step is 1 h; 1 such place in all; set gaps to fill"):
        SeriesLayout((), ("y",), date="t").parse(text, "a.csv")
    for gaps, want in (("fill", range(24)), ("ignore", [h for h in range(24) if h not in (5, 6)])):
        assert SeriesLayout((), ("y",), date="t", gaps=gaps).parse(text, "a.csv")[1][:, 0].tolist() == list(want)
