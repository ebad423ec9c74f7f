"""Reading plain text files, packed ones too; errors are one sentence each."""
import codecs
import gzip
import io
import pathlib
import zlib

from gluon_rnn.answers.unpacking import check_unpacked

__all__ = ["read_chunks", "read_lines", "read_text"]


class EmptyFile(ValueError):
    """A file without text."""


_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def read_text(path, encoding="utf-8"):
    """Return the text of a file, unpacked where its name ends in ``.gz``.

    Parameters
    ----------
    path : str or path
        ``~`` is the home folder.
    encoding : str, default "utf-8"
        Any encoding Python knows. A leading byte order mark is left out, and ``\\r\\n`` and ``\\r`` become ``\\n``.

    Returns
    -------
    str, never empty.

    Raises
    ------
    ValueError
        If the file is missing, a folder, empty, a damaged ``.gz``, or not text in this encoding.
    """
    return "".join(read_chunks(path, encoding))


def read_chunks(path, encoding="utf-8", size=2**18):
    """Yield the text of a file in pieces of about `size` characters; arguments and errors as those of `read_text`."""
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise ValueError(f"{path}: there is no such file; check the path")
    if path.is_dir():
        raise ValueError(f"{path}: a text file was expected, but this is a folder; name the file in it")
    empty, packed, length = True, path.stat().st_size if path.suffix == ".gz" else None, 0
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding=encoding) as file:
            for chunk in iter(lambda: file.read(size), ""):
                length += len(chunk)
                if packed is not None:
                    check_unpacked(path, packed, length)
                chunk = chunk.lstrip("\ufeff") if empty else chunk        # a byte order mark is no text
                empty = empty and not chunk
                yield chunk
    except (PermissionError, LookupError, UnicodeError, *_DAMAGED) as error:
        raise ValueError(f"{path}: {_what_is_wrong(path, encoding, error)}") from None
    if empty:
        raise EmptyFile(f"{path}: the file is empty; check the path")


def read_lines(path, encoding="utf-8"):
    """Yield the lines of a file without their ends, none for an empty one; arguments and errors as of `read_text`."""
    rest = []                                                             # pieces of the line that has not ended yet
    try:
        for chunk in read_chunks(path, encoding):
            for ended in io.StringIO(chunk):
                rest.append(ended)
                if ended[-1] == "\n":
                    yield "".join(rest)[:-1]
                    rest = []
    except EmptyFile:
        return
    if rest:
        yield "".join(rest)


def _what_is_wrong(path, encoding, error):
    if isinstance(error, PermissionError):
        return "no permission to read the file; change its permissions"
    if isinstance(error, _DAMAGED):
        return f"not a whole gzip file ({error}); fetch it again, or drop .gz from the name if it is plain text"
    if isinstance(error, UnicodeDecodeError):
        return _undecodable(path, encoding)
    if isinstance(error, UnicodeError):                                   # without the mark that says which
        return f"not a text in {encoding} ({error}); set encoding to what it was written in, such as {encoding}-le"
    return (f"encoding {encoding!r} is not one that Python knows; set encoding to, for example, utf-8, latin-1 or "
            "utf-16")


def _undecodable(path, encoding):
    """Return a sentence that names the byte which is not `encoding`; reads the file once more, up to there."""
    decoder, before = codecs.getincrementaldecoder(encoding)(), 0
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            for raw in iter(lambda: file.read(2**18), b""):
                kept = len(decoder.getstate()[0])                         # bytes of a character that began before
                decoder.decode(raw)
                before += len(raw)
            kept, raw = len(decoder.getstate()[0]), b""
            decoder.decode(b"", final=True)
    except _DAMAGED as error:
        return _what_is_wrong(path, encoding, error)
    except UnicodeDecodeError as error:
        return (f"byte {before - kept + error.start} (0x{error.object[error.start]:02x}) is not {encoding}; "
                "set encoding to what the file was written in, for example latin-1 or utf-16")
    return f"not a text in {encoding}; set encoding to what the file was written in"
