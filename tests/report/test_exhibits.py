"""Files as blocks of a page: whole pictures inside, the first rows and characters of what is long.

Tests `blocks.py` too.
"""
import base64

import pytest

from gluon_rnn.report import exhibits
from gluon_rnn.report.blocks import number
from gluon_rnn.report.exhibits import Exhibit, block_of


@pytest.mark.parametrize("name, kind", [("a.png", "image/png"), ("a.wav", "audio/wav")])
def test_bytes_are_inside(tmp_path, name, kind):
    (tmp_path / name).write_bytes(bytes(range(256)))
    found = block_of(tmp_path, Exhibit(name, "A", "what is to be seen"))
    head, _, data = found.source.partition(",")
    assert head == f"data:{kind};base64" and base64.b64decode(data) == bytes(range(256))
    assert getattr(found, "alt", "what is to be seen") == "what is to be seen"


@pytest.mark.parametrize("name", ["a.png", "a.wav"])
def test_what_is_too_large_stays_outside_and_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setattr(exhibits, "_MOST_BYTES", 10)
    (tmp_path / name).write_bytes(bytes(11))
    found = block_of(tmp_path, Exhibit(name, "A"))
    assert found.kind == "paragraph" and found.warning and name in found.text and "left out" in found.text


def test_a_missing_file_is_named(tmp_path):
    found = block_of(tmp_path, Exhibit("a.csv", "Answers"))
    assert found.text == "Answers: a.csv is not in the folder any more." and found.warning


def test_the_first_rows_of_a_table(tmp_path):
    lines = ["word\ttag", '"\tPUNCT', *(f"w{k}\tX" for k in range(40))]
    (tmp_path / "a.tsv").write_text("\n".join(lines) + "\n")
    found = block_of(tmp_path, Exhibit("a.tsv", "Tags", "Of test."))
    assert found.header == ["word", "tag"] and found.rows[:2] == [['"', "PUNCT"], ["w0", "X"]] and len(found.rows) == 20
    assert found.note == "Of test. The first 20 of 41 rows; all are in a.tsv."
    (tmp_path / "a.csv").write_text('item,true\n"a, ""b""\nc",0.30000000000000004\n')
    found = block_of(tmp_path, Exhibit("a.csv", "Answers"))
    assert found.rows == [['a, "b"\nc', "0.3"]] and found.note == ""


def test_a_header_given_takes_the_place_of_a_first_line(tmp_path):
    (tmp_path / "a.tsv").write_text(f"go\tva\tva !\tpars\nrun\tcours\t{'x' * 400}\n")
    found = block_of(tmp_path, Exhibit("a.tsv", "T", header=("source", "translation", "references")))
    assert found.rows[0] == ["go", "va", "va ! | pars"] and found.rows[1][2] == "x" * 300 + "…"


def test_the_beginning_of_a_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xc3\xa9 \xff" + b"x" * 9000)
    found = block_of(tmp_path, Exhibit("a.txt", "Texts"))
    assert found.text.startswith("café �x") and len(found.text) == 8000 and "first 8,000 characters" in found.note
    (tmp_path / "b.abc").write_text("X:1\n")
    assert block_of(tmp_path, Exhibit("b.abc", "Tunes")).note == ""


@pytest.mark.parametrize("value, text", [(None, "–"), (12345, "12,345"), (0.123456, "0.1235"), (2.0, "2"),
                                         (True, "True"),
                                         (float("nan"), "nan"), (float("inf"), "inf"), (1e20, "1e+20"), ("a", "a")])
def test_cells(value, text):
    assert number(value) == text
