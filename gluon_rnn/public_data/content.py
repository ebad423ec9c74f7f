"""The sum of what a file holds, however it is packed.

The content of a ``.gz`` is what is inside. That of a ``.zip`` is, for each file in it by sorted name, the name, a zero
byte, the decimal number of bytes, a zero byte, and the bytes; the size counts the bytes of the files only. All other
files are their own content.
"""
import gzip
import hashlib
import zipfile
import zlib
from pathlib import Path

__all__ = ["DAMAGED", "content_of"]

#: What reading a damaged package raises.
DAMAGED = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError)
_CHUNK = 2**17


def content_of(path):
    """Return (SHA-256, size) of a file's content; one of `DAMAGED` where it cannot be unpacked."""
    path, digest = Path(path), hashlib.sha256()
    if path.suffix == ".zip":
        return _content_of_zip(path, digest)
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return _add(file, digest)


def _content_of_zip(path, digest):
    total = 0
    with zipfile.ZipFile(path) as archive:
        for entry in sorted((entry for entry in archive.infolist() if not entry.is_dir()), key=lambda e: e.filename):
            digest.update(f"{entry.filename}\0{entry.file_size}\0".encode())
            with archive.open(entry) as file:
                total += _add(file, digest)[1]
    return digest.hexdigest(), total


def _add(file, digest):
    size = 0
    for chunk in iter(lambda: file.read(_CHUNK), b""):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
