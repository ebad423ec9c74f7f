"""Files that unpack to far more than they hold: refused before memory is full."""
import gzip
import io
import tracemalloc
import zipfile

import pytest

from gluon_rnn.answers import unpacking
from gluon_rnn.answers.text_files import read_lines, read_text
from gluon_rnn.answers.unpacking import check_unpacked
from gluon_rnn.data.audio_files import read_files


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(unpacking, "_ALWAYS", 2**20)


def test_the_bound():
    check_unpacked("a", 10, 2**20)
    check_unpacked("a", 10**6, 10**8)
    with pytest.raises(ValueError, match="a: 10 packed bytes unpack to 1,048,577 or more.*unpack it yourself"):
        check_unpacked("a", 10, 2**20 + 1)


def test_a_gzip_file_of_zeros(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"0" * 10**8))
    tracemalloc.start()
    with pytest.raises(ValueError, match="packed bytes unpack to .* or more"):
        read_text(tmp_path / "a.txt.gz")
    with pytest.raises(ValueError, match="packed bytes unpack to .* or more"):
        list(read_lines(tmp_path / "a.txt.gz"))
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    tracemalloc.stop()


def test_a_zip_of_zeros(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(2**21))
    with pytest.raises(ValueError, match="a.zip: .* packed bytes unpack to 2,097,152 or more"):
        read_files(tmp_path / "a.zip")


def test_a_zip_that_lies_about_its_size_or_is_locked(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(2**21))
    for old, new in ((b"\0\0\x20\0", b"\x10\0\0\0"),):                    # the size in both headers
        (tmp_path / "a.zip").write_bytes(file.getvalue().replace(old, new))
    with pytest.raises(ValueError, match="a.zip: not a whole .zip"):
        read_files(tmp_path / "a.zip")
    locked = bytearray(file.getvalue())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(bytes(locked).replace(b"\0\0\x20\0", b"\x10\0\0\0"))
    with pytest.raises(ValueError, match="b.zip: not a whole .zip"):
        read_files(tmp_path / "b.zip")


def test_a_byte_that_is_not_the_encoding_is_found_far_behind(tmp_path):
    for name, pack in (("a.txt", bytes), ("a.txt.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(("é" * 200_001).encode() + b"\xe9 and more"))
        with pytest.raises(ValueError, match=r"byte 400002 \(0xe9\) is not utf-8; set encoding"):
            read_text(tmp_path / name)
