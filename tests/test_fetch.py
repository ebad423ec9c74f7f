"""Files come whole or not at all: against a server on this machine that breaks off, lies, stalls and refuses."""
import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from gluon_rnn import fetch as fetching
from gluon_rnn.fetch import FetchError, address_in, fetch, sha256_of
from tests.local_server import serving

BODY = bytes(range(256)) * 4000                                           # a megabyte, several chunks
SHA256 = hashlib.sha256(BODY).hexdigest()
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server():
    with serving({"/a.bin": BODY}) as running:
        yield running


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "a.bin"


def get(server, target, **keywords):
    keywords = {"sha256": SHA256, "size": len(BODY), "progress": False, **keywords}
    return fetch(f"{server.address}/a.bin", target, **keywords)


def names(target):
    """Return what stands in the target's folder, the lock left out."""
    return sorted(path.name for path in target.parent.iterdir() if path.suffix != ".lock")


def broken(server, target, after=300_000):
    """Let the server break off once."""
    server.breaks_after = after
    with pytest.raises(FetchError) as caught:
        get(server, target)
    server.breaks_after = None
    return str(caught.value)


def test_a_file_is_fetched_once(server, target):
    assert get(server, target) == target and target.read_bytes() == BODY
    get(server, target)
    assert server.requests == [("/a.bin", None)] and names(target) == ["a.bin"]


def test_a_path_and_a_file_address_are_copied(tmp_path, target):
    source = tmp_path / "with space.bin"
    source.write_bytes(BODY)
    fetch(source, target, sha256=SHA256)
    fetch(source.as_uri(), target.with_name("b.bin"), sha256=SHA256, size=len(BODY))
    assert names(target) == ["a.bin", "b.bin"] and sha256_of(target.with_name("b.bin")) == SHA256
    with pytest.raises(FetchError, match="cannot be read .*check the address"):
        fetch(tmp_path / "nothing", target.with_name("c.bin"), sha256=SHA256)


def test_a_broken_download_goes_on_from_its_last_byte(server, target):
    message = broken(server, target)
    assert f"broke off after 300000 of {len(BODY)} bytes" in message and "goes on from 300000 bytes" in message
    assert names(target) == [".a.bin.partial", ".a.bin.version"]
    assert get(server, target).read_bytes() == BODY
    assert server.requests[-1] == ("/a.bin", "bytes=300000-") and names(target) == ["a.bin"]


def test_it_breaks_off_again_and_again(server, target):
    server.breaks_after = 400_000
    for place in (400_000, 800_000):
        with pytest.raises(FetchError, match=f"goes on from {place} bytes"):
            get(server, target)
    assert get(server, target).read_bytes() == BODY
    assert [wanted for _, wanted in server.requests] == [None, "bytes=400000-", "bytes=800000-"]


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_server_without_ranges_begins_anew(server, target, size):
    broken(server, target)
    server.ranges = False
    assert get(server, target, size=size).read_bytes() == BODY


def test_a_server_without_versions_is_trusted_to_have_the_same_file(server, target):
    server.validators = False
    broken(server, target)
    assert get(server, target).read_bytes() == BODY and server.requests[-1][1] == "bytes=300000-"


def test_a_server_that_does_not_say_how_long_the_file_is(server, target):
    server.chunked, server.ranges, server.validators = True, False, False        # as those that pack as they send
    server.breaks_after = 300_000
    with pytest.raises(FetchError, match="broke off after 300000 bytes"):
        get(server, target, sha256=None, size=None)
    server.breaks_after = None
    assert get(server, target, sha256=None, size=None).read_bytes() == BODY


def test_a_file_that_changed_on_the_server_begins_anew(server, target):
    broken(server, target)
    server.files["/a.bin"] = changed = BODY[::-1]
    get(server, target, sha256=hashlib.sha256(changed).hexdigest())
    assert target.read_bytes() == changed


def test_more_than_the_file_has_arrived_already(server, target):
    target.parent.mkdir()
    target.with_name(".a.bin.partial").write_bytes(BODY + b"more")
    get(server, target, size=None)                                        # the server says 416: begins anew
    assert target.read_bytes() == BODY
    assert [wanted for _, wanted in server.requests] == [f"bytes={len(BODY) + 4}-", None]


def test_a_download_that_only_lacked_its_check_asks_for_nothing(server, target):
    target.parent.mkdir()
    target.with_name(".a.bin.partial").write_bytes(BODY)
    assert get(server, target).read_bytes() == BODY and server.requests == []


@pytest.mark.parametrize("came", [BODY[:-1] + b"!", b"<html>log in first</html>", BODY * 3])
def test_wrong_bytes_are_put_aside_under_both_hashes(server, target, came):
    server.files["/a.bin"] = came
    with pytest.raises(FetchError) as caught:
        get(server, target)
    kept = target.with_name("a.bin.wrong")
    assert names(target) == ["a.bin.wrong"] and came.startswith(kept.read_bytes())
    assert SHA256 in str(caught.value) and sha256_of(kept) in str(caught.value) and str(kept) in str(caught.value)
    assert len(kept.read_bytes()) <= len(BODY) + fetching.CHUNK           # an endless answer is not read to its end
    server.files["/a.bin"] = BODY
    assert get(server, target).read_bytes() == BODY and server.requests[-1][1] is None


def test_a_file_of_the_user_stays(server, target):
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(FetchError) as caught:
        get(server, target)
    assert target.read_bytes() == b"mine" and server.requests == []
    assert SHA256 in str(caught.value) and hashlib.sha256(b"mine").hexdigest() in str(caught.value)


def test_without_a_hash_the_file_comes_as_it_is(server, target):
    assert get(server, target, sha256=None, size=None).read_bytes() == BODY


@pytest.mark.parametrize("status, hint", [(404, "check the address"), (403, "right to read"), (503, "try again later"),
                                          (407, "HTTPS_PROXY")])
def test_a_server_that_refuses(server, target, status, hint):
    server.status = status
    with pytest.raises(FetchError, match=f"{hint}.*HTTP {status}"):
        get(server, target)
    assert names(target) == []


def test_offline(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="no connection to 127.0.0.1; if this machine is offline"):
        fetch(f"http://name:secret@127.0.0.1:{port}/a.bin", target, sha256=SHA256)
    with pytest.raises(FetchError, match="no connection to nowhere.invalid") as caught:
        fetch("http://name:secret@nowhere.invalid/a.bin", target, sha256=SHA256)
    assert "secret" not in str(caught.value)


def test_https_to_a_server_that_has_none(server, target):
    with pytest.raises(FetchError, match="REQUESTS_CA_BUNDLE"):
        fetch(f"https://127.0.0.1:{server.server_port}/a.bin", target, sha256=SHA256)


def test_the_environments_proxy_is_used(server, target, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.address)
    server.files["http://data.invalid/a.bin"] = BODY
    fetch("http://data.invalid/a.bin", target, sha256=SHA256)
    assert target.read_bytes() == BODY


def test_a_proxy_that_does_not_answer_or_refuses(server, target, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.address)                     # knows no CONNECT
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for address in ("http://data.invalid/a.bin", "https://data.invalid/a.bin"):
        with pytest.raises(FetchError, match="the proxy does not answer or refuses; check HTTP_PROXY and HTTPS_PROXY"):
            fetch(address, target, sha256=SHA256)


def test_a_server_that_falls_silent(server, target, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", (2, 0.3))
    server.stalls = True
    place = 2 * fetching.CHUNK                                            # whole pieces only
    assert f"goes on from {place} bytes" in broken(server, target)


@pytest.mark.parametrize("address, hint", [("ftp://data.invalid/a", "begins with https"), ("http://", "check it")])
def test_addresses_that_cannot_be(target, address, hint):
    with pytest.raises(FetchError, match=hint):
        fetch(address, target, sha256=SHA256)


def test_a_full_disk_keeps_what_came(server, target, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patched:
        patched.setattr(fetching.os, "fsync", full)
        with pytest.raises(FetchError, match="the disk is full; make room in"):
            get(server, target)
    assert get(server, target).read_bytes() == BODY


def test_a_place_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="cannot be written .*check the folder"):
        get(server, tmp_path / "file" / "a.bin")
    with pytest.raises(FetchError, match="there is a folder"):
        get(server, tmp_path)


def start(server, target):
    code = (f"from gluon_rnn.fetch import fetch\n"
            f"fetch({server.address + '/a.bin'!r}, {str(target)!r}, sha256={SHA256!r}, size={len(BODY)})")
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def arrived(target, count):
    partial = target.with_name(".a.bin.partial")
    return partial.exists() and partial.stat().st_size >= count


def test_two_processes_fetch_once(server, target):
    server.stalls, server.breaks_after = True, 400_000
    both = [start(server, target) for _ in range(2)]
    wait_for(lambda: arrived(target, 300_000))
    time.sleep(0.5)                                                       # the other one is at the lock by now
    server.go_on.set()
    assert [process.communicate(timeout=60)[1] for process in both] == [b"", b""]
    assert [process.returncode for process in both] == [0, 0]
    assert target.read_bytes() == BODY and len(server.requests) == 1


def test_a_killed_process_leaves_no_lock_and_what_it_had(server, target):
    server.stalls, server.breaks_after = True, 400_000
    process = start(server, target)
    wait_for(lambda: arrived(target, 300_000))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    had = target.with_name(".a.bin.partial").stat().st_size
    server.stalls, server.breaks_after = False, None
    assert get(server, target).read_bytes() == BODY and server.requests[-1][1] == f"bytes={had}-"


def test_the_bar_counts_bytes(server, target, capsys, monkeypatch):
    broken(server, target)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    get(server, target, progress=True)
    assert "a.bin: 100%" in capsys.readouterr().err


def test_addresses_in_a_repository(tmp_path):
    assert address_in("http://host/x/", "a b/c.txt") == "http://host/x/a%20b/c.txt"
    assert address_in(tmp_path, "a b/c.txt") == str(tmp_path / "a b" / "c.txt")
    assert address_in((tmp_path / "x y").as_uri(), "a b/c.txt") == (tmp_path / "x y" / "a b" / "c.txt").as_uri()
