"""Sets are fetched from a mirror or from their public addresses, which a server on this machine stands in for."""
import gzip
import os
import subprocess
import sys
import zipfile

import pytest

from gluon_rnn.fetch import FetchError
from gluon_rnn.public_data import fetch_set, manifest, state_of, verify_set
from gluon_rnn.public_data.content import content_of
from tests.local_server import serving

LINES = b"".join(b"line %d\n" % number for number in range(50_000))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GLUON_RNN_DATA_REPO"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def mirror(tmp_path):
    """Return a folder with the files of a set as they stand below a data root."""
    folder = tmp_path / "mirror" / "tiny"
    folder.mkdir(parents=True)
    (folder / "plain.txt").write_bytes(LINES)
    (folder / "packed.txt.gz").write_bytes(gzip.compress(LINES, 1))
    (folder / "short.txt").write_bytes(b"line 0\nline 3\n" + LINES.partition(b"line 4\n")[2])
    with zipfile.ZipFile(folder / "wavs.zip", "w") as archive:
        archive.writestr("wav/1.wav", b"one")
    return tmp_path / "mirror"


@pytest.fixture
def server(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("repo-1/wav/1.wav", b"one")
        archive.writestr("repo-1/README", b"no")
    with serving({"/lines.txt": LINES, "/1.zip": (tmp_path / "archive.zip").read_bytes()}) as running:
        yield running


@pytest.fixture
def tiny(server, mirror, monkeypatch):
    """Put a set into the manifest whose public addresses are those of the server."""
    def file(name, source, **prepare):
        sha256, size = content_of(mirror / "tiny" / name)
        return manifest.DataFile(f"tiny/{name}", f"{server.address}/{source}", size, sha256, prepare)

    files = (file("plain.txt", "lines.txt"), file("packed.txt.gz", "lines.txt", step="gzip"),
             file("short.txt", "lines.txt", step="drop_lines", ranges=[[2, 3], [5, 5]]),
             file("wavs.zip", "1.zip", step="zip_folder", folder="wav"))
    entry = manifest.DataSet("tiny", "title", "licence", "cite", "owner/name", files)
    monkeypatch.setattr(manifest, "all_sets", lambda: {"tiny": entry})
    return entry


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def get(root, source=None):
    return fetch_set("tiny", root, source, progress=False)


def visible(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*")
                  if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts))


FILES = ["tiny/packed.txt.gz", "tiny/plain.txt", "tiny/short.txt", "tiny/wavs.zip"]


def test_a_set_from_its_public_addresses(tiny, root, server):
    assert state_of("tiny", root) == "missing"
    assert get(root) == root / "tiny" and verify_set("tiny", root) == {} and state_of("tiny", root) == "here"
    assert visible(root) == FILES and not (root / ".fetch" / "tiny").exists()
    asked = len(server.requests)
    get(root)
    assert len(server.requests) == asked                                  # it is all there


def test_a_set_from_a_mirror(tiny, root, mirror, monkeypatch, tmp_path, server):
    get(root, mirror)
    assert verify_set("tiny", root) == {} and visible(root) == FILES and server.requests == []
    with serving({f"/a%20mirror/{name}": (mirror / name).read_bytes() for name in FILES}) as other:
        monkeypatch.setenv("GLUON_RNN_DATA_REPO", f"{other.address}/a%20mirror/")
        get(tmp_path / "other")
    assert visible(tmp_path / "other") == FILES and server.requests == []


def test_a_download_that_broke_off_goes_on(tiny, root, server):
    server.breaks_after = 300_000
    with pytest.raises(FetchError, match=r"next call goes on from 300000 bytes \(GLUON_RNN_DATA_REPO names a mirror\)"):
        get(root)
    assert visible(root) == []
    server.breaks_after = None
    get(root)
    assert server.requests[1] == ("/lines.txt", "bytes=300000-") and verify_set("tiny", root) == {}


@pytest.mark.parametrize("path, body, first", [
    ("/lines.txt", LINES[:-1] + b"!", []), ("/1.zip", b"<html>", FILES[:3]), ("/1.zip", b"", FILES[:3])])
def test_a_wrong_download_is_put_aside(tiny, root, server, path, body, first):
    right, server.files[path] = server.files[path], body
    with pytest.raises(FetchError, match=r"kept as .*\.wrong"):
        get(root)
    kept = root / ".fetch" / "tiny" / f"{path[1:]}.wrong"
    assert kept.read_bytes() == body and visible(root) == first
    server.files[path] = right
    get(root)
    assert verify_set("tiny", root) == {} and kept.read_bytes() == body


def test_a_repository_that_has_other_recordings(tiny, root, server, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("repo-1/wav/1.wav", b"two")
    server.files["/1.zip"] = (tmp_path / "other.zip").read_bytes()
    with pytest.raises(FetchError) as caught:
        get(root)
    assert tiny.files[3].sha256 in str(caught.value) and "has the SHA-256" in str(caught.value)
    assert visible(root) == FILES[:3] and state_of("tiny", root) == "incomplete"


def test_a_file_of_the_user_stays(tiny, root):
    (root / "tiny").mkdir(parents=True)
    (root / "tiny" / "packed.txt.gz").write_bytes(gzip.compress(b"mine"))
    with pytest.raises(FetchError, match="packed.txt.gz: its content .* it is left as it is"):
        get(root)
    assert gzip.decompress((root / "tiny" / "packed.txt.gz").read_bytes()) == b"mine"


def test_verify_says_what_is_wrong(tiny, root):
    get(root)
    (root / FILES[0]).write_bytes((root / FILES[0]).read_bytes()[:-10])
    (root / FILES[1]).write_bytes(LINES + b"more")
    (root / FILES[2]).unlink()
    (root / FILES[3]).unlink()
    (root / FILES[3]).mkdir()
    wrong = verify_set("tiny", root)
    assert wrong[FILES[0]].startswith("damaged (") and wrong[FILES[2]] == "missing" and "folder" in wrong[FILES[3]]
    assert tiny.files[0].sha256 in wrong[FILES[1]] and f"({len(LINES) + 4} bytes)" in wrong[FILES[1]]


def test_a_root_that_cannot_be_written(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="cannot be written"):
        get(tmp_path / "file" / "root")


@pytest.mark.real_data
def test_two_processes_fetch_a_real_set_at_once(data_root, root):
    code = "import sys; from gluon_rnn.public_data import fetch_set; fetch_set('names', *sys.argv[1:], progress=False)"
    both = [subprocess.Popen([sys.executable, "-c", code, str(root), str(data_root)], env=os.environ) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert verify_set("names", root) == {} and not (root / ".fetch" / "names").exists()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["eng_fra", "wikitext-2", "poly_music"])
def test_real_sets_come_from_a_mirror(name, data_root, root):
    folder = fetch_set(name, root, data_root, progress=False)
    assert all((folder / path.name).read_bytes() == path.read_bytes() for path in (data_root / name).iterdir()
               if path.name != "README") and state_of(name, root) == "here"
