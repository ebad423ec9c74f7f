"""A sum does not depend on how a file is packed, and on everything else."""
import gzip
import hashlib
import zipfile

import pytest

from gluon_rnn.data.audio_files import digest_of, read_files
from gluon_rnn.public_data.content import DAMAGED, content_of

FILES = {"b/1.wav": b"one", "a/2.wav": b"two" * 99999, "a/1.wav": b""}


def pack(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("a") if hasattr(archive, "mkdir") else None
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def test_plain_and_gzip_have_the_sum_of_their_bytes(tmp_path):
    body = b"text\n" * 100_000
    (tmp_path / "a.txt").write_bytes(body)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(body, 1))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(body, 9))
    wanted = (hashlib.sha256(body).hexdigest(), len(body))
    assert {content_of(path) for path in tmp_path.iterdir()} == {wanted}


def test_a_zip_has_the_sum_of_its_sorted_files(tmp_path):
    one = content_of(pack(tmp_path / "1.zip", FILES))
    two = content_of(pack(tmp_path / "2.zip", dict(reversed(FILES.items())), zipfile.ZIP_STORED))
    assert one == two == (digest_of(read_files(tmp_path / "1.zip")), 3 + 3 * 99999)   # an independent way to it
    assert content_of(pack(tmp_path / "3.zip", {**FILES, "b/1.wav": b"onE"}))[0] != one[0]
    assert content_of(pack(tmp_path / "4.zip", {"c" + name: body for name, body in FILES.items()}))[0] != one[0]


@pytest.mark.parametrize("name", ["a.gz", "a.zip"])
def test_what_is_damaged_cannot_be_summed(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"<html>")
    with pytest.raises(DAMAGED):
        content_of(path)
    whole = gzip.compress(b"text" * 1000) if name == "a.gz" else pack(tmp_path / "b.zip", FILES).read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(DAMAGED):
        content_of(path)
