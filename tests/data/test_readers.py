"""Reading text files: what comes out, and one sentence for each thing that can be wrong with a file or a split.

Tests `gluon_rnn/answers/text_files.py` too, which reads the files.
"""
import gzip

import numpy as np
import pytest

from gluon_rnn.data.readers import positions, read_text


def test_positions_are_those_of_the_usual_split():
    # int(0.9 * n) is what published recipes for tinyshakespeare do
    assert positions(1_115_394, (0.9, 0.1)) == {"train": (0, 1_003_854), "valid": (1_003_854, 1_115_394)}
    # 0.8 + 0.1 is 0.9 in floating point, 0.7 + 0.2 + 0.1 is 0.9999999999999999: no item may get lost
    assert positions(10, (0.7, 0.2, 0.1)) == {"train": (0, 7), "valid": (7, 9), "test": (9, 10)}
    assert positions(100, (0.5, 0.25)) == {"train": (0, 50), "valid": (50, 75)}


@pytest.mark.parametrize("split, message", [
    ((0.9, 0.2), "add up to 1.1, more than 1"),
    ((0.9,), "2 or 3 fractions"),
    ((0.5, 0.2, 0.2, 0.1), "2 or 3 fractions"),
    ((1.0, 0.0), "between 0 and 1"),
    ((0.9, -0.1), "between 0 and 1"),
    (0.9, "2 or 3 fractions such as"),
    (("most", "rest"), "2 or 3 fractions such as"),
    ((0.9, 0.05), "leaves nothing of 10 for valid"),
])
def test_wrong_splits(split, message):
    with pytest.raises(ValueError, match=message):
        positions(10, split)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_comes_back_in_any_encoding_plain_or_packed(tmp_path, encoding, packed):
    raw = "Ünïted\r\nlines\rof text\n".encode(encoding)
    path = tmp_path / ("a.txt.gz" if packed else "a.txt")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert read_text(path, encoding) == "Ünïted\nlines\nof text\n"


def test_byte_order_mark_is_no_character_of_the_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffabc".encode())
    assert read_text(str(tmp_path / "a.txt")) == "abc"


def test_wrong_encoding_names_file_byte_encoding_and_the_way_out(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("caf\xe9 noir".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt: byte 3 \(0xe9\) is not utf-8; set encoding"):
        read_text(path)


def test_unknown_encoding(tmp_path):
    (tmp_path / "a.txt").write_text("abc")
    with pytest.raises(ValueError, match="encoding 'utf-88' is not one that Python knows"):
        read_text(tmp_path / "a.txt", "utf-88")


@pytest.mark.parametrize("name, content, message", [
    ("a.txt", b"", "the file is empty"),
    ("a.txt.gz", gzip.compress(b"", mtime=0), "the file is empty"),
    ("a.txt.gz", b"not packed at all", "not a whole gzip file"),
    ("a.txt.gz", gzip.compress(np.random.RandomState(0).bytes(1000), mtime=0)[:-500], "not a whole gzip file"),
])
def test_damaged_and_empty_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_text(tmp_path / name)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ValueError, match="nothing.txt: no such file"):
        read_text(tmp_path / "nothing.txt")
    with pytest.raises(ValueError, match="this is a folder"):
        read_text(tmp_path)
