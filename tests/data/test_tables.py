"""Columns of CSV files: numbers, dates and filled gaps, and one sentence with file and line for every bad cell."""
import gzip

import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data import SeriesFormat
from gluon_rnn.data.memory import InMemory


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)
    return write


LAYOUT = SeriesFormat(("u",), ("y", "z"))


def test_columns_by_name_in_the_order_asked_for(write):
    x, y, times = LAYOUT.read(write("z,u,other,y\n1,2,a,3\n4,5,b,6.5\n"))
    np.testing.assert_array_equal(x, [[2], [5]])
    np.testing.assert_array_equal(y, [[3, 1], [6.5, 4]])
    assert times is None and x.dtype == y.dtype == np.float64


def test_without_inputs_x_has_no_columns(write):
    assert SeriesFormat((), ("y",)).read(write("y\n1\n2\n"))[0].shape == (2, 0)


def test_numbers_keep_every_digit(write):
    values = np.random.randn(200) * 10.0 ** np.random.randint(-8, 8, 200)
    text = "y\n" + "\n".join(map(repr, values.tolist()))
    np.testing.assert_array_equal(SeriesFormat((), ("y",)).read(write(text))[1][:, 0], values)


def test_quotes_blanks_trailing_comma_and_blank_lines(write):
    # as in the tanks' file: quoted names, an empty last column, a blank last line; and blanks around numbers
    x, y, _ = LAYOUT.read(write('"u","y", "z" ,"Ts",\n 1 ,2 , 3,4,\n5,6,7,,\n\n'))
    np.testing.assert_array_equal(np.hstack([x, y]), [[1, 2, 3], [5, 6, 7]])


@pytest.mark.parametrize("separator, decimal, text", [
    (";", ",", "u;y;z\n1,5;2;-3,25e1\n"), ("\t", ".", "u\ty\tz\n1.5\t2\t-32.5\n"),
    ("whitespace", ".", "u   y\tz\n  1.5  2   -32.5 \n"), (",", ".", "\ufeffu,y,z\r\n1.5,2,-32.5\r\n"),
])
def test_separators_and_decimals(write, separator, decimal, text):
    x, y, _ = SeriesFormat(("u",), ("y", "z"), separator=separator, decimal=decimal).read(write(text))
    np.testing.assert_array_equal(np.hstack([x, y]), [[1.5, 2, -32.5]])


def test_no_header_columns_by_position(write):
    x, y, _ = SeriesFormat((2,), (0,), header=False).read(write("1,2,3\n4,5,6\n"))
    np.testing.assert_array_equal(np.hstack([x, y]), [[3, 1], [6, 4]])


def test_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"y\n1\n2\n"))
    np.testing.assert_array_equal(SeriesFormat((), ("y",)).read(path)[1], [[1], [2]])


def test_dates(write):
    layout = SeriesFormat((), ("y",), date="day")
    times = layout.read(write("day,y\n2016-07-01 00:00,1\n2016-07-01 01:00,2\n"))[2]
    assert list(times) == [pd.Timestamp("2016-07-01"), pd.Timestamp("2016-07-01 01:00")]
    layout = SeriesFormat((), ("y",), date="day", date_format="%d.%m.%Y")
    assert layout.read(write("day,y\n31.12.2016,1\n01.01.2017,2\n"))[2][1] == pd.Timestamp("2017-01-01")


GAPS = "u,y,z\n1,1,1\n,nan,NA\n3,4,1\n"


@pytest.mark.parametrize("missing, row", [("interpolate", [2, 2.5, 1]), ("forward", [1, 1, 1])])
def test_missing_values_are_filled_as_asked(write, missing, row):
    x, y, _ = SeriesFormat(("u",), ("y", "z"), missing=missing).read(write(GAPS))
    np.testing.assert_array_equal(np.hstack([x, y])[1], row)


def test_format_through_json():
    layout = SeriesFormat((2,), (0, 1), date=3, date_format="%d.%m.%Y", missing="forward", header=False, separator=";")
    assert SeriesFormat.from_json(layout.to_json()) == layout
    assert SeriesFormat.from_json(LAYOUT.to_json()) == LAYOUT


def test_columns_that_are_not_asked_for_may_miss_values(write):
    _, y, _ = SeriesFormat((), ("y",)).read(write("y,w\n1,\n2,x\n"))
    assert y.tolist() == [[1], [2]]


def test_future_rows_have_inputs_only(write):
    path = write("u,y,z\n1,1,1\n2,2,2\n3,,\n4,,\n")
    x, y, _ = LAYOUT.read(path, future=True)
    np.testing.assert_array_equal(x[:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(y[:2], [[1, 1], [2, 2]])
    assert np.isnan(y[2:]).all()
    with pytest.raises(ValueError, match="a.csv, line 4: column 'y' has no value"):
        LAYOUT.read(path)
    with pytest.raises(ValueError, match="line 3: column 'y' has no value"):    # rows behind it are known
        LAYOUT.read(write("u,y,z\n1,1,1\n2,,\n3,3,3\n4,,\n"), future=True)
    with pytest.raises(ValueError, match="line 3: column 'u' has no value"):
        LAYOUT.read(write("u,y,z\n1,1,1\n,,\n2,,\n"), future=True)
    with pytest.raises(ValueError, match="no row has a value of 'y'"):
        LAYOUT.read(write("u,y,z\n1,,\n2,,\n"), future=True)


@pytest.mark.parametrize("text, sentence", [
    ("", "the file is empty"),
    ("u,y,z\n", "no rows of numbers below its header"),
    ("\n \n", "no rows of numbers"),
    ("u,y,zz\n1,2,3\n", "no column 'z'; did you mean 'zz'"),
    ("u,y,z\n1,2,3\n\n1,x2,3\n", "line 4: 'x2' in column 'y' is not a finite number"),
    ("u,y,z\n1,2,inf\n", "line 2: 'inf' in column 'z'"),
    ("u,y,z\n1,2,1_000\n", "line 2: '1_000' in column 'z'"),
    ("u,y,z\n1,2,3\n1,,3\n1,,\n", r"line 3: column 'y' has no value \(3 missing in all, row 1"),
    ("u,y,z\n1,2,3\n1,2\n", "line 3: column 'z' has no value"),
    ("u,y,z\n1,2,3\n\n1,2,3,4\n", "line 4: 4 columns where the first line has 3"),
    ("u,y,z\n1,2,'3\n", "line 2: \"'3\" in column 'z'"),
    ('u,y,z\n1,2,"3\n', "not a table of columns"),
])
def test_bad_files_in_one_sentence(write, text, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        LAYOUT.read(write(text))
    assert "a.csv" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("missing, text, line", [
    ("forward", "u,y,z\n1,,3\n1,2,3\n", 2), ("interpolate", "u,y,z\n1,2,3\n1,2,\n", 3)])
def test_nothing_is_filled_beyond_the_last_known_value(write, missing, text, line):
    with pytest.raises(ValueError, match=f"line {line}: .*missing: {missing} has no value to fill it with"):
        SeriesFormat(("u",), ("y", "z"), missing=missing).read(write(text))


@pytest.mark.parametrize("rows, sentence", [
    (["2016-07-01", "2016-07-03", "2016-07-02"], "line 4: the date '2016-07-02'.*does not come after '2016-07-03'"),
    (["2016-07-01", "2016-07-01", "2016-07-02"], "line 3: .*does not come after"),
    (["2016-07-01", "2016-07-xx", "2016-07-03"], "line 3: '2016-07-xx'.*is not a date"),
    (["2016-07-01", "", "2016-07-03"], "line 3: nan.*is not a date"),
    (["31/12/2016", "01/01/2017", "02/01/2017"], "set date_format"),
    (["first", "second", "third"], "set date_format"),
])
def test_bad_dates(write, rows, sentence):
    text = "day,y\n" + "".join(f"{day},1\n" for day in rows)
    with pytest.raises(ValueError, match=sentence):
        SeriesFormat((), ("y",), date="day").read(write(text))


@pytest.mark.parametrize("arguments, sentence", [
    (dict(inputs=(), targets=()), "targets is empty"),
    (dict(inputs=("y",), targets=("y",)), "'y' is named twice"),
    (dict(inputs=(1,), targets=("y",)), "must be names of columns"),
    (dict(inputs=("u",), targets=(0,), header=False), "must be positions of columns"),
    (dict(inputs=(), targets=("y",), missing="refused"), "did you mean 'refuse'"),
    (dict(inputs=(), targets=("y",), separator="::"), "separator must be one character"),
    (dict(inputs=(), targets=("y",), decimal=","), "not the separator"),
])
def test_bad_formats(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        SeriesFormat(**arguments)


# ---- files as people have them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, keys", [
    ("# logger 7\n# u: V\nu,y,z\n1.5,2,3\n# gap\n4,5,6\n", {"comment": "#"}),
    ("Station: A\n\nunits V;m\nu,y,z\n1.5,2,3\n4,5,6\n", {"skip_rows": 3}),
    ("u,y,z\n1.5,2,3\n4,5,6\nend of file, 2 rows\n", {"skip_footer": 1}),
    ("u,y,z\n1.5,2,3\n4,5,6\n,,\n,,\n", {}),                              # as a spreadsheet leaves them
    ("u;y;z;\n1,5;2;3;\n4;5;6;\n;;;\n", {"separator": ";", "decimal": ","}),
    ("u,y,z\n1.5,2,3,\n4,5,6,,\n", {}),                                     # a separator at the end of the rows only
    ("u;y;z\n1,5;2,0;3\n4;5,00;6\n", {"separator": ";", "decimal": ","}),
])
def test_lines_and_cells_that_are_no_rows(write, text, keys):
    x, y, _ = SeriesFormat(("u",), ("y", "z"), **keys).read(write(text))
    np.testing.assert_array_equal(np.hstack([x, y]), [[1.5, 2, 3], [4, 5, 6]])


def test_thousands_are_read_where_they_stand_right(write):
    layout = SeriesFormat((), ("y",), separator=";", decimal=",", thousands=".")
    y = layout.read(write("y\n9.933,65\n1.000.000\n-12,5\n7\n"))[1]
    assert y[:, 0].tolist() == [9933.65, 1000000, -12.5, 7]
    for wrong in ("1.5", "12.34,5", "1.0000"):                            # 1.5 is not 15
        with pytest.raises(ValueError, match=f"line 2: '{wrong}' in column 'y' is not a finite number"):
            layout.read(write(f"y\n{wrong}\n"))


@pytest.mark.parametrize("marker, cells", [("?", ["?"]), (-200, ["-200", "-200.0", "-2e2"]), ("NIL", ["NIL"])])
def test_markers_of_missing_values(write, marker, cells, caplog):
    for cell in cells:
        path = write(f"y\n1\n{cell}\n3\n")
        with pytest.raises(ValueError, match="line 3: column 'y' has no value"):
            SeriesFormat((), ("y",), na_values=[marker]).read(path)
        with caplog.at_level("INFO", "gluon_rnn"):
            y = SeriesFormat((), ("y",), na_values=[marker], missing="interpolate").read(path)[1]
        assert y[:, 0].tolist() == [1, 2, 3]
        assert "a.csv: 1 of 3 values were missing and are filled (missing: interpolate)" in caplog.text
    frame = InMemory(pd.DataFrame({"y": [1, marker, 3]}), "data")
    y = SeriesFormat((), ("y",), na_values=[marker], missing="interpolate").read(frame)[1]
    assert y[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("text, keys, sentence", [
    ("u,y,z\n?,2,3\n", {}, r"set na_values: \['\?'\]"),
    ("u;y;z\n1;2;9.933,65\n", {"separator": ";", "decimal": ","}, "to read it as 9933.65, set thousands: '.'"),
    ("u;y;z\n1;2;3,5\n", {"separator": ";"}, "to read it as 3.5, set decimal: ','"),
    ("u;y;z\n1;2;3\n", {}, "the header is one column, 'u;y;z'; set separator: ';'"),
    ("u\ty\tz\n1\t2\t3\n", {}, "set separator: tab"),
    ("# by me\nu,y,z\n1,2,3\n", {}, "3 columns where .* 1; the header was taken to be '# by me'; set comment: '#'"),
    ("u;y;z\n1,5;2;3\n", {}, "line 2: 2 columns where the first line has 1; .* set separator: ';'"),
    ("u,y,z\n1,2,3\n4,5,6\ntotal,5,6\n", {}, "line 4: 'total' .*, or set skip_footer: 1 if the table ends before it"),
    ("# u,y,z\nu,y,z\n1,2,3\n", {}, "the header was taken to be '# u'; set comment: '#'"),
    ("u,y,y,z\n1,2,3,4\n", {}, "2 columns are called 'y'; give each a name of its own"),
])
def test_messages_name_the_key_that_helps(write, text, keys, sentence):
    with pytest.raises(ValueError, match=sentence):
        SeriesFormat(("u",), ("y", "z"), **keys).read(write(text))


def test_a_name_that_is_there_twice_matters_for_wanted_columns_only(write):
    assert SeriesFormat((), ("y",)).read(write("u,y,u\n1,2,3\n"))[1].tolist() == [[2]]


@pytest.mark.parametrize("keys, sentence", [
    ({"gaps": "fil"}, "gaps must be one of refuse, fill, split, ignore, got 'fil'; did you mean 'fill'"),
    ({"date_unit": "sec"}, "date_unit must be one of D, h, m, s"), ({"thousands": "."}, "thousands must be one char"),
    ({"comment": ""}, "comment must be"), ({"skip_rows": -1}, "skip_rows must be a whole number"),
    ({"gap_limit": 0}, "gap_limit must be"), ({"min_rows": 0}, "min_rows must be")])
def test_keys_have_ranges(keys, sentence):
    with pytest.raises(ValueError, match=sentence):
        SeriesFormat((), ("y",), **keys)
