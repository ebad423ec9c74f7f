"""Odd tables of time series: how programs and people write them, and what goes wrong on the way."""
import datetime
import gzip
from zoneinfo import ZoneInfo

import numpy as np

from scripts.rough.cases import REFUSED, Case, Either, same

__all__ = ["KINDS", "table"]

_ROME = "Europe/Rome"
_UTC = datetime.timezone.utc


class Sheet:
    """A table before it is written: values, how they are written, and the keys of a recipe that read it."""

    def __init__(self, random):
        self.random, self.rows = random, int(random.integers(20, 45))
        self.names, self.keys, self.what = ["u", "v", "y"], {}, []
        self.values = np.round(random.normal(size=(self.rows, 3)) * 10.0 ** random.integers(-2, 6), 4)
        self.separator, self.decimal, self.thousands, self.quoted = ",", ".", "", False
        self.marks, self.dates, self.moments, self.pieces = {}, [], None, None
        self.above, self.below, self.trailing, self.end = [], [], "", "\n"
        self.encoding, self.packed, self.edit = "utf-8", False, None
        self.order = list(range(3))

    def cell(self, value):
        """Return a number as the sheet writes it."""
        text = f"{value:,.4f}" if self.thousands else f"{value:.4f}"
        return text.replace(",", "\0").replace(".", self.decimal).replace("\0", self.thousands)

    def lines(self):
        """Return the lines, header first."""
        date_names = [f"d{place}" for place in range(len(self.dates[0]))] if self.dates else []
        rows = [[*date_names, *(self.names[column] for column in self.order)]]
        for row, values in enumerate(self.values):
            cells = [self.marks.get((row, column), self.cell(values[column])) for column in self.order]
            rows.append([*(self.dates[row] if self.dates else []), *cells])
        if self.quoted:
            rows = [[f'"{cell}"' for cell in row] for row in rows]
        return [*self.above, *(self.separator.join(row) + self.trailing for row in rows), *self.below]

    def write(self, folder):
        """Write the file and return its path."""
        path = folder / ("odd.csv.gz" if self.packed else "odd.csv")
        content = (self.end.join(self.lines()) + self.end).encode(self.encoding)
        if self.edit is not None:
            content = self.edit(content)
        path.write_bytes(gzip.compress(content, mtime=0) if self.packed else content)
        return path


# ---- how tables are written ----------------------------------------------------------------------------------------


def _semicolons(sheet):
    sheet.separator = str(sheet.random.choice([";", "\t", "|"]))
    sheet.keys["separator"] = sheet.separator


def _decimal_comma(sheet):
    _semicolons(sheet)
    sheet.decimal = sheet.keys["decimal"] = ","
    sheet.thousands = ""
    sheet.keys.pop("thousands", None)
    if sheet.random.integers(2):
        sheet.thousands = sheet.keys["thousands"] = str(sheet.random.choice([".", " ", "'"]))


def _thousands(sheet):
    if sheet.decimal == ".":
        sheet.thousands = sheet.keys["thousands"] = ","
        sheet.quoted = True


def _quoted(sheet):
    sheet.quoted = True


def _preamble(sheet):
    way = int(sheet.random.integers(2))
    sheet.above = [f"# station {sheet.random.integers(99)}, height 12 m", "# a, b, c"][:1 + way]
    sheet.keys.update({"comment": "#"} if sheet.random.integers(2) else {"skip_rows": len(sheet.above)})


def _footer(sheet):
    sheet.below, sheet.keys["skip_footer"] = ["end of file", "checksum 1f"], 2


def _blank_rows(sheet):
    sheet.below = ["", sheet.separator * 2, "", *sheet.below] if not sheet.below else sheet.below


def _trailing(sheet):
    sheet.trailing = sheet.separator


def _line_ends(sheet):
    sheet.end = str(sheet.random.choice(["\r\n", "\r"]))


def _encoded(sheet):
    sheet.encoding = str(sheet.random.choice(["utf-16", "latin-1", "utf-8-sig", "cp1252", "utf-32"]))
    sheet.names[0] = "Gr\u00f6\u00dfe"
    if sheet.encoding != "utf-8-sig" or sheet.random.integers(2):
        sheet.keys["encoding"] = sheet.encoding


def _packed(sheet):
    sheet.packed = True


def _moved(sheet):
    sheet.random.shuffle(sheet.order)


def _markers(sheet):
    mark, way = str(sheet.random.choice(["?", "-200", "NA", "", "n/a", "---"])), int(sheet.random.integers(2))
    sheet.keys.update(missing=("interpolate", "forward")[way], na_values=[mark] if mark else [])
    for column in range(3):
        row = int(sheet.random.integers(1, sheet.rows - 3))
        for place in (row, row + 1):
            sheet.marks[place, column] = mark
        before, behind = sheet.values[row - 1, column], sheet.values[row + 2, column]
        filled = [before + (behind - before) * share / 3 for share in (1, 2)] if way == 0 else [before] * 2
        sheet.values[row:row + 2, column] = filled


STYLES = (_semicolons, _decimal_comma, _thousands, _quoted, _preamble, _footer, _blank_rows, _trailing, _line_ends,
          _encoded, _packed, _moved, _markers)


# ---- dates ---------------------------------------------------------------------------------------------------------


def _dated(sheet):
    """Give the rows dates an hour apart, across a change of the clock."""
    month = int(sheet.random.integers(2))
    first = datetime.datetime(2024, *((3, 30, 12), (10, 26, 12))[month], tzinfo=_UTC)
    moments = [first + datetime.timedelta(hours=row) for row in range(sheet.rows)]
    sheet.moments = np.array([int(moment.timestamp()) for moment in moments]) * 10**9
    style = _DATES[int(sheet.random.integers(len(_DATES)))]
    sheet.what.append(style.__name__)
    sheet.dates = [style(sheet, moment) for moment in moments]
    sheet.keys["date"] = ["d0", "d1"] if len(sheet.dates[0]) == 2 else "d0"
    if style is _local:
        sheet.keys["timezone"] = _ROME


def _iso(sheet, moment):
    return [moment.strftime("%Y-%m-%d %H:%M:%S")]


def _zulu(sheet, moment):
    return [moment.strftime("%Y-%m-%dT%H:%M:%SZ")]


def _offset(sheet, moment):
    return [moment.astimezone(ZoneInfo(_ROME)).strftime("%Y-%m-%dT%H:%M:%S%z")]


def _local(sheet, moment):
    return [moment.astimezone(ZoneInfo(_ROME)).strftime("%Y-%m-%d %H:%M")]


def _german(sheet, moment):
    sheet.keys["date_format"] = "%d.%m.%Y %H:%M"
    return [moment.strftime("%d.%m.%Y %H:%M")]


def _two_columns(sheet, moment):
    sheet.keys["date_format"] = "%d/%m/%Y %H.%M.%S"
    return [moment.strftime("%d/%m/%Y"), moment.strftime("%H.%M.%S")]


def _epoch(sheet, moment):
    sheet.keys["date_unit"] = "s"
    return [str(int(moment.timestamp()))]


def _epoch_ms(sheet, moment):
    sheet.keys["date_unit"] = "ms"
    return [str(int(moment.timestamp()) * 1000)]


_DATES = (_iso, _zulu, _offset, _local, _german, _two_columns, _epoch, _epoch_ms)


def _gap(sheet):
    """Take rows out, and say by a key what to do there; without a key the file is refused."""
    if not sheet.moments is not None or sheet.marks:
        return False
    way = str(sheet.random.choice(["refuse", "fill", "split", "ignore"]))
    count, row = int(sheet.random.integers(1, 6)), int(sheet.random.integers(3, sheet.rows - 9))
    kept = [place for place in range(sheet.rows) if not row <= place < row + count]
    sheet.what.append(f"gap of {count}, {way}")
    sheet.dates = [sheet.dates[place] for place in kept]
    if way != "refuse" or sheet.random.integers(2):
        sheet.keys["gaps"] = way
    full = sheet.values.copy()
    for place in range(row, row + count):
        share = (place - row + 1) / (count + 1)
        full[place] = full[row - 1] * (1 - share) + full[row + count] * share
    sheet.values = sheet.values[kept]
    if way == "fill":
        sheet.expected = full, sheet.moments, [sheet.rows]
    else:
        lengths = [row, len(kept) - row] if way == "split" else [len(kept)]
        sheet.expected = sheet.values, sheet.moments[kept], lengths
    return way == "refuse"


# ---- what goes wrong -----------------------------------------------------------------------------------------------


def _cell_fault(text):
    def fault(sheet):
        sheet.marks[int(sheet.random.integers(1, sheet.rows - 1)), int(sheet.random.integers(3))] = text
    fault.__name__ = f"cell {text!r}"
    return fault


def _edited(name, edit):
    def fault(sheet):
        sheet.edit = lambda content: edit(content, sheet)
    fault.__name__ = name
    return fault


def _missing_column(sheet):
    sheet.names[int(sheet.random.integers(3))] = "temperature"


def _twice(sheet):
    sheet.names = ["u", "v", "y"]
    sheet.names[int(sheet.random.integers(2))] = "y"


def _long_row(sheet):
    sheet.below = [sheet.separator.join(["1"] * (len(sheet.lines()[0].split(sheet.separator)) + 2))]
    sheet.keys.pop("skip_footer", None)


def _table_again(sheet):
    sheet.below = sheet.lines()[len(sheet.above):]
    sheet.keys.pop("skip_footer", None)


def _unit_row(sheet):
    for column in range(3):
        sheet.marks[0, column] = "m/s"


def _wrong_separator(sheet):
    sheet.keys["separator"] = next(sign for sign in (";", "\t", "|") if sign != sheet.separator)


def _date_fault(sheet):
    if not sheet.dates:
        return _unit_row(sheet)
    row, way = int(sheet.random.integers(2, sheet.rows - 2)), int(sheet.random.integers(4))
    if way == 0:
        sheet.dates[row] = sheet.dates[row - 1]
    elif way == 1:
        sheet.dates[row], sheet.dates[row - 1] = sheet.dates[row - 1], sheet.dates[row]
    elif way == 2:
        sheet.dates[row] = ["yesterday"] * len(sheet.dates[row])
    else:
        sheet.dates[row] = [""] * len(sheet.dates[row])
    return sheet.what.append(f"date {way}")


def _half(content, sheet):
    lines = content.split(b"\n")
    return b"\n".join(lines[:-2]) + b"\n" + lines[-2].split(sheet.separator.encode())[0]


_FAULTS = (
    _cell_fault("abc"), _cell_fault("inf"), _cell_fault("1_000"), _cell_fault("1e999"), _cell_fault("0x10"),
    _cell_fault("1\0"), _cell_fault("12 kg"), _cell_fault('"12'), _cell_fault("#REF!"), _cell_fault("??"),
    _cell_fault("9" * 2**20), _missing_column, _twice, _long_row, _table_again, _unit_row, _wrong_separator,
    _date_fault,
    _edited("empty", lambda content, sheet: b""), _edited("blank", lambda content, sheet: b"\n \n\n"),
    _edited("header alone", lambda content, sheet: content.split(b"\n")[0]),
    _edited("a byte that is no utf-8", lambda content, sheet: content[:30] + b"\xe9\xff" + content[30:]),
    _edited("NULs at the end", lambda content, sheet: content + b"\0" * 600),
    _edited("last row cut", _half), _edited("a page", lambda content, sheet: b"<!DOCTYPE html>\n<html>\n" + content),
    _edited("a spreadsheet", lambda content, sheet: b"PK\3\4" + bytes(range(256)) * 4),
)
_PLAIN_ONLY = {"a byte that is no utf-8", "last row cut", "_table_again", "header alone"}


# ---- cases ---------------------------------------------------------------------------------------------------------


def table(folder, random):
    """A table in some style, that can be read with the right keys."""
    sheet = Sheet(random)
    _styled(sheet, int(random.integers(1, 5)))
    refused = False
    if random.integers(2):
        _dated(sheet)
        refused = bool(random.integers(2)) and _gap(sheet)
    return _case(sheet, folder, REFUSED if refused else None)


def broken_table(folder, random):
    """A table with a fault."""
    sheet = Sheet(random)
    fault = _FAULTS[int(random.integers(len(_FAULTS)))]
    if fault.__name__ not in _PLAIN_ONLY:
        _styled(sheet, int(random.integers(0, 3)), (_semicolons, _preamble, _blank_rows, _trailing, _moved, _quoted))
    if sheet.quoted and fault.__name__ == "cell '\"12'":
        sheet.quoted = False
    if random.integers(2):
        _dated(sheet)
    fault(sheet)
    sheet.what.append(fault.__name__)
    return _case(sheet, folder, REFUSED)


def cut_table(folder, random):
    """A table that ends within its last row: what is there is read, or refused."""
    sheet = Sheet(random)
    cut = int(random.integers(1, 12))
    sheet.edit = lambda content: content[:-cut - 1]
    text = sheet.edit((sheet.end.join(sheet.lines()) + "\n").encode()).decode()
    rows = [line.split(",") for line in text.split("\n")]
    sheet.what.append(f"cut by {cut}")
    whole = [row for row in rows[1:] if len(row) == 3 and row[2] not in ("", "-")]
    sheet.values = np.array([[float(cell) for cell in row] for row in whole])
    sheet.lines = lambda: [",".join(row) for row in rows]
    sheet.edit = lambda content: content[:-1]
    return _case(sheet, folder, Either(([len(whole)], sheet.values, None)))


def packed_table(folder, random):
    """A .gz that is cut, no .gz at all, or unpacks to far too much."""
    sheet, way = Sheet(random), int(random.integers(3))
    sheet.packed = True
    sheet.what.append(("cut", "no gzip", "bomb")[way])
    if way == 2:
        sheet.edit = lambda content: content + b"0.0,0.0,0.0\n" * 6_000_000
    case = _case(sheet, folder, REFUSED)
    content = case.path.read_bytes()
    if way < 2:
        case.path.write_bytes(content[:int(random.integers(1, len(content) - 1))] if way == 0 else b"u,v,y\n1,2,3\n")
    return case


def _styled(sheet, count, styles=STYLES):
    for place in sheet.random.choice(len(styles), size=min(count, len(styles)), replace=False):
        styles[place](sheet)
        sheet.what.append(styles[place].__name__)
    if sheet.thousands == sheet.separator and not sheet.quoted:
        sheet.quoted = True
    for key in ("thousands", "decimal"):                                  # a key that is the separator is refused
        if sheet.keys.get(key) == sheet.separator:
            sheet.separator = sheet.keys["separator"] = ";"
    sheet.trailing = sheet.separator if sheet.trailing else ""
    if sheet.below and not sheet.keys.get("skip_footer"):
        sheet.below = [line if not line else sheet.separator * 2 for line in sheet.below]


def _case(sheet, folder, expected):
    path = sheet.write(folder)
    if expected is None:
        values, moments, lengths = getattr(sheet, "expected", (sheet.values, sheet.moments, [len(sheet.values)]))
        expected = lengths, values, None if moments is None else moments
    keys = {**sheet.keys, "inputs": [sheet.names[0] if sheet.names[0] != "temperature" else "u", "v"],
            "targets": ["y"]}
    if len({*keys["inputs"], "y"}) < 3:
        keys["inputs"] = ["u", "v"]
    return Case(f"table, {', '.join(sheet.what)}, {keys}", path, lambda: _read(path, keys), expected)


def _read(path, keys):
    """Return the lengths of the recordings, all values, and all times in ns or None."""
    from gluon_rnn.answers.text_files import read_text
    from gluon_rnn.data.series import TimeSeries
    data = TimeSeries(train=str(path), valid=str(path), **keys)
    recordings = data.recordings("train")
    values = np.concatenate([np.concatenate([part.x, part.y], axis=1) for part in recordings])
    times = None if recordings[0].times is None else np.concatenate(
        [part.times.to_numpy(dtype="datetime64[ns]").astype(np.int64) for part in recordings])
    layout = data.formats["train"]
    if layout.gaps != "split":                                            # as a bundle reads it, without pandas
        found = np.concatenate(layout.parse(read_text(path, layout.encoding), str(path)), axis=1)
        values = values if same(found, values) else found
    return [len(part) for part in recordings], values, times


KINDS = (table, table, table, broken_table, broken_table, broken_table, cut_table, packed_table)
