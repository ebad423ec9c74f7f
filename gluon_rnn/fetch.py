"""Bring one file from an http(s) address, a ``file:`` address or a path to its place: whole and checked, or not at all.

A download goes into ``.<name>.partial`` beside its target, under the lock ``.<name>.lock``, so that of several
processes one fetches and the others wait for it. What broke off stays there, and the next call asks the server for the
rest (RFC 9110, sections 13.1.5 If-Range and 14.2 Range). The file is renamed to its target only after its size and its
SHA-256 were found right.
"""
import contextlib
import errno
import hashlib
import logging
import os
import re
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

import filelock
import requests
import urllib3
from tqdm import tqdm

__all__ = ["FetchError", "address_in", "disk_error", "fetch", "locked", "sha256_of"]

logger = logging.getLogger(__name__)

TIMEOUT = (10, 60)          # seconds until there is a connection, and between two pieces of the answer
CHUNK = 2**17
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class FetchError(ValueError):
    """A file could not be fetched; the message is one sentence that says why and what to do."""


class _Broken(Exception):
    """The connection broke off inside an answer."""


class _Source(NamedTuple):
    chunks: object              # iterator of bytes
    start: int                  # place in the file of the first of them
    total: object               # bytes of the whole file, or None if the server does not say
    validator: str              # what the server calls this version of the file, or ""


def fetch(address, path, *, sha256, size=None, progress=True):
    """Bring the file at `address` to `path`; do nothing where it is there already.

    Parameters
    ----------
    address : str or Path
        An http(s) address, a ``file:`` address, or the path of a file. Proxies and certificates are those of requests
        (``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``).
    path : str or Path
        Where the file is to stand. Folders above it are made.
    sha256 : str or None
        64 hexadecimal digits. None leaves the check to the caller, for files whose packing may differ.
    size : int, optional
        Bytes of the file; a download that grows past them is stopped.
    progress : bool, default True
        Show a bar while bytes arrive, where standard error is a terminal.

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    FetchError
        If there is no connection, the proxy or the server refuses, the file is not there, the connection breaks off
        (the next call goes on from that byte), the disk is full or not writable, or size or SHA-256 are not the right
        ones. A wrong download is kept as ``<name>.wrong``. A file that stood at `path` before is never replaced.
    """
    path = Path(path).expanduser()
    try:
        if _is_there(path, sha256):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            if not _is_there(path, sha256):          # another process may have fetched it while this one waited
                partial = _Partial(path)
                _download(str(address), partial, size, progress)
                _put_in_place(str(address), partial, path, sha256, size)
    except OSError as error:
        raise FetchError(disk_error(path, error)) from error
    return path


def sha256_of(path):
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def address_in(repository, name):
    """Return the address of the file `name` (parts joined by ``/``) in a repository, a folder or an http(s) address.

    >>> address_in("https://mirror.example/data/", "names/Czech list.txt")
    'https://mirror.example/data/names/Czech%20list.txt'
    """
    repository = str(repository)
    if _scheme(repository):
        return f"{repository.rstrip('/')}/{urllib.parse.quote(name)}"
    return str(Path(repository).expanduser() / name)


@contextlib.contextmanager
def locked(path):
    """Hold the lock ``.<name>.lock`` beside `path` inside the ``with`` block; wait while another process holds it."""
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("waiting for another process that fetches %s", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def disk_error(path, error):
    """Return what an `OSError` met in fetching `path` means, as one sentence that says what to do."""
    if error.errno in _NO_SPACE:
        return (f"{path}: the disk is full; make room in {path.parent}, then fetch again: the next call goes on where "
                "this one stopped")
    return f"{path}: cannot be written ({error.strerror or error}); check the folder {path.parent} and its permissions"


class _Partial:
    """What has arrived of a file so far, and what the server called the version that it belongs to."""

    def __init__(self, target):
        self.path = target.with_name(f".{target.name}.partial")
        self._version = target.with_name(f".{target.name}.version")

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self):
        return self._version.read_text(encoding="latin-1") if self._version.exists() else ""

    def begin(self, validator):
        """Forget what has arrived: a first byte follows."""
        self.path.unlink(missing_ok=True)
        self._version.write_text(validator, encoding="latin-1")          # the encoding of HTTP's headers

    def move(self, target):
        os.replace(self.path, target)
        self._version.unlink(missing_ok=True)


def _is_there(path, sha256):
    """Tell whether the file is in place; one that is not the right one belongs to the user and stays."""
    if not path.exists():
        return False
    if path.is_dir():
        raise FetchError(f"{path}: a file is to stand here, but there is a folder; move it away, then fetch again")
    found = sha256_of(path)
    if sha256 not in (None, found):
        raise FetchError(f"{path}: this file has the SHA-256 {found}, not {sha256}, and is left as it is; move it away "
                         "or delete it, then fetch again")
    return True


def _download(address, partial, size, progress):
    """Bring what is missing of `partial`."""
    start = partial.size()
    if size is not None and start == size:           # the process before this one ended between download and check
        return
    if size is not None and start > size:
        start = 0
    total = size
    try:
        with _opened(address, start, partial.validator()) as source:
            total = source.total or size
            if source.start == 0:
                partial.begin(source.validator)
            _write(source, partial, size, progress)
            expected = min(source.total or 0, size or source.total or 0)    # a longer file is not read on
        if partial.size() < expected:
            raise _Broken
    except _Broken:
        place, of_total = partial.size(), "" if total is None else f" of {total}"
        raise FetchError(f"{_shown(address)}: the connection broke off after {place}{of_total} bytes; fetch again: the "
                         f"next call goes on from {place} bytes") from None


def _write(source, partial, size, progress):
    bar = tqdm(total=source.total or size, initial=source.start, desc=partial.path.name[1:-len(".partial")], unit="B",
               unit_scale=True, disable=None if progress else True)
    with bar, open(partial.path, "ab") as file:
        for chunk in source.chunks:
            file.write(chunk)
            bar.update(len(chunk))
            if size is not None and file.tell() > size:
                break                                                    # not the file; the check says so
        file.flush()
        os.fsync(file.fileno())                                          # whole on disk before it is renamed


def _put_in_place(address, partial, path, sha256, size):
    """Rename what has arrived to its target, or to ``<name>.wrong`` if it is another file than the one expected."""
    found, found_size = sha256_of(partial.path), partial.size()
    if sha256 in (None, found) and size in (None, found_size):
        partial.move(path)
        return
    aside = path.with_name(f"{path.name}.wrong")
    partial.move(aside)
    sizes = "" if size in (None, found_size) else f" (and {found_size} bytes instead of {size})"
    raise FetchError(f"{_shown(address)}: the file that came has the SHA-256 {found}{sizes}, expected was {sha256}; it "
                     f"is kept as {aside} and nothing else was changed; look into it: a page of text from a server or "
                     "proxy means that the address or the proxy is wrong, else the file has changed, use a mirror")


def _scheme(address):
    """Return http, https or file, or "" for a path (a single letter is a drive of Windows)."""
    scheme = urllib.parse.urlsplit(address).scheme if "://" in address or address.startswith("file:") else ""
    if scheme not in ("", "http", "https", "file"):
        raise FetchError(f"{_shown(address)}: an address begins with https, http or file, not with {scheme}; give one "
                         "of these, or a path")
    return scheme


def _opened(address, start, validator):
    scheme = _scheme(address)
    if scheme in ("http", "https"):
        return _opened_by_http(address, start, validator)
    path = urllib.request.url2pathname(urllib.parse.urlsplit(address).path) if scheme == "file" else address
    return _opened_on_disk(Path(path).expanduser())


@contextlib.contextmanager
def _opened_on_disk(path):
    try:
        file = open(path, "rb")                      # noqa: SIM115  closed below; errors of the copy are not these
    except OSError as error:
        raise FetchError(f"{path}: the file to copy cannot be read ({error.strerror}); check the address, or the "
                         "folder that it is in") from error
    with file:
        yield _Source(iter(lambda: file.read(CHUNK), b""), 0, os.fstat(file.fileno()).st_size, "")


@contextlib.contextmanager
def _opened_by_http(address, start, validator):
    """Ask for the bytes from `start` on if the file is still the version `validator`, else for all of them."""
    headers = {"Accept-Encoding": "identity"}        # as the server has them: places in them must mean the same
    if start:
        headers["Range"] = f"bytes={start}-"
        headers.update({"If-Range": validator} if validator else {})
    with _answer(address, headers) as response:
        if start and (response.status_code == 416 or _begins_at(response) not in (start, 0)):
            with _opened_by_http(address, 0, "") as source:              # nothing to go on with: from the start
                yield source
            return
        _check_status(address, response)
        begin = max(_begins_at(response), 0)
        length = response.headers.get("Content-Length", "")
        total = begin + int(length) if length.isdigit() else None
        yield _Source(_pieces(response), begin, total, _validator(response))


def _answer(address, headers):
    try:
        return requests.get(address, headers=headers, stream=True, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise FetchError(f"{_shown(address)}: {_what_is_wrong_on_the_way(address, error)}") from error


def _pieces(response):
    try:
        # A server that names gzip here, though none was asked for, has a file that is gzip: nothing to unpack.
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        raise _Broken from None


def _begins_at(response):
    """Return the place of the first byte of an answer: 0 for a whole file, -1 for an answer that does not say."""
    if response.status_code != 206:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _validator(response):
    """Return what If-Range may hold: a strong ETag, else the date of the last change, else nothing."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _check_status(address, response):
    status = response.status_code
    if status in (200, 206):
        return
    if status in (404, 410):
        hint = "there is no such file on the server; check the address, or use a mirror"
    elif status == 407:
        hint = "the proxy wants a name and a password; put them into HTTP_PROXY and HTTPS_PROXY"
    elif status in (401, 403):
        hint = "the server does not allow it; check the address and the right to read it"
    else:
        hint = "the server does not give the file now; try again later, or use a mirror"
    raise FetchError(f"{_shown(address)}: {hint} (HTTP {status})")


def _what_is_wrong_on_the_way(address, error):
    host = urllib.parse.urlsplit(address).hostname
    if isinstance(error, requests.exceptions.ProxyError):
        return ("the proxy does not answer or refuses; check HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY "
                "if it needs none")
    if isinstance(error, requests.exceptions.SSLError):
        return (f"{host} does not prove who it is, or does not speak https; behind a proxy that opens connections name "
                "its certificates in REQUESTS_CA_BUNDLE")
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return (f"no connection to {host}; if this machine is offline or needs a proxy, set HTTPS_PROXY, use a mirror, "
                "or bring the file here from another machine")
    return f"this address cannot be fetched ({' '.join(str(error).split())}); check it"


def _shown(address):
    """Return an address without the name and password that may stand in it."""
    return re.sub(r"//[^/@]*@", "//", address)
