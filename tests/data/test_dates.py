"""Dates of tables: offsets and local times around the change of the clock, numbers since 1970, two columns."""
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data import SeriesFormat, TimeSeries
from gluon_rnn.data.dates import nanoseconds_of


@pytest.fixture
def read(tmp_path):
    """Write dates, some columns, and a counting y into a file, and return the dates that are read."""
    def read(rows, header="date", **keys):
        path = tmp_path / "a.csv"
        path.write_text(f"{header},y\n" + "".join(f"{row},{number}\n" for number, row in enumerate(rows)))
        date = header.split(",") if "," in header else header
        return SeriesFormat((), ("y",), date=date, **keys).read(path)[2]
    return read


#: the hours of the night in which the clock of Rome was put back, and when it was put forward, in UTC
BACK = pd.date_range("2004-10-30 22:00", periods=6, freq="h", tz="UTC")
FORWARD = pd.date_range("2004-03-27 22:00", periods=6, freq="h", tz="UTC")


@pytest.mark.parametrize("night", [BACK, FORWARD])
def test_offsets_that_change_with_the_clock(read, night):
    texts = [moment.strftime("%Y-%m-%d %H:%M:%S%z") for moment in night.tz_convert("Europe/Rome")]
    assert len({text[-5:] for text in texts}) == 2
    assert (read(texts) == night).all() and str(read(texts).tz) == "UTC"
    local = read(texts, timezone="Europe/Rome")
    assert (local == night).all() and local[0].hour == night.tz_convert("Europe/Rome")[0].hour


@pytest.mark.parametrize("night", [BACK, FORWARD])
def test_local_times_with_the_hour_that_is_there_twice_or_not_at_all(read, night):
    texts = [moment.strftime("%Y-%m-%d %H:%M") for moment in night.tz_convert("Europe/Rome")]
    assert (read(texts, timezone="Europe/Rome") == night).all()
    message = ("does not come after.*set timezone, such as Europe/Rome, which keeps both hours" if night is BACK else
               r"2 h lie between .* \(an hour: if the clock was put forward there, set timezone")
    with pytest.raises(ValueError, match=message):
        read(texts)


def test_a_zone_that_is_none_or_does_not_fit(read):
    with pytest.raises(ValueError, match="a.csv: the dates do not fit timezone 'Europe/Roma'"):
        read(["2020-01-01", "2020-01-02"], timezone="Europe/Roma")
    with pytest.raises(ValueError, match="an hour that the clock has twice needs both of its rows"):
        read(["2004-10-31 01:00", "2004-10-31 02:00", "2004-10-31 03:00"], timezone="Europe/Rome")


@pytest.mark.parametrize("unit, texts", [("s", ["1577836800", "1577840400", "1577844000"]),
                                         ("ms", ["1577836800000", "1577840400000", "1577844000000"]),
                                         ("D", ["18262", "18263", "18264"])])
def test_numbers_since_1970(read, unit, texts):
    want = pd.date_range("2020-01-01", periods=3, freq="D" if unit == "D" else "h")
    assert (read(texts, date_unit=unit) == want).all()
    assert (read(texts, date_unit=unit, timezone="Asia/Tokyo") == want.tz_localize("UTC")).all()
    with pytest.raises(ValueError, match=f"are numbers, for example '{texts[0]}'; set date_unit to what they count"):
        read(texts)


def test_date_and_time_in_two_columns(read):
    rows = ["10/03/2004,18.00.00", "10/03/2004,19.00.00", "10/03/2004,20.00.00"]
    times = read(rows, "Date,Time", date_format="%d/%m/%Y %H.%M.%S")
    assert (times == pd.date_range("2004-03-10 18:00", periods=3, freq="h")).all()
    with pytest.raises(ValueError, match="a.csv, line 3: '10/03/2004 25.00.00' in column 'Date' and 'Time' is not a"):
        read([rows[0], "10/03/2004,25.00.00"], "Date,Time", date_format="%d/%m/%Y %H.%M.%S")


@pytest.mark.parametrize("zone, dates, first", [
    ("Z", ["2020-01-01 03:00", "2020-01-01 05:00"], 3), ("Z", ["2020-01-01T04:00+01:00", "2020-01-01T05:00Z"], 3),
    ("+01:00", ["2020-01-01 03:00", "2020-01-01 05:00"], 3), ("", ["2020-01-01 03:00", "2020-01-01 05:00"], 3)])
def test_a_split_by_dates_of_dates_with_an_offset(tmp_path, zone, dates, first):
    path = tmp_path / "a.csv"
    path.write_text("t,y\n" + "".join(f"2020-01-01T{hour:02d}:00:00{zone},{hour}\n" for hour in range(8)))
    data = TimeSeries(str(path), {"dates": dates}, targets=["y"], date="t")
    assert [data.recordings(name)[0].start for name in data.splits] == [0, first, 5]


def test_nanoseconds_are_those_of_every_unit_of_pandas():
    times = pd.date_range("2020-01-01", periods=3, freq="h")
    want = [1577836800 * 10**9 + hour * 3600 * 10**9 for hour in range(3)]
    np.testing.assert_array_equal(nanoseconds_of(times), want)
    np.testing.assert_array_equal(nanoseconds_of(pd.DatetimeIndex(times.to_numpy("datetime64[s]"))), want)
