"""MXNet's files of arrays, ``.params``: their headers, checked before MXNet reads them. Loads no MXNet by itself.

MXNet 1.9.1 believes what a file says: it allocates an array of any shape before it looks whether there are so many
bytes, and takes a file that ends early for one that ends. A file is (all numbers little-endian)::

    uint64 0x112, uint64 0                 what the file is
    uint64 number of arrays, then each:    uint32 0xF993FAC9, int32 0 (dense), int32 axes, int64 size of each axis,
                                           int32 kind of device, int32 its number, int32 dtype, the values
    uint64 number of names, then each:     uint64 its length in bytes, UTF-8

which is ``NDArray::Save`` of version 2. Version 3, of NumPy's shapes, has 0xF993FACA.
"""
import os
import pathlib
import struct
from math import prod

__all__ = ["ParamsFileError", "load", "read_header"]

_FILE, _ARRAYS = 0x112, (0xF993FAC9, 0xF993FACA)
_DTYPES = {0: ("float32", 4), 1: ("float64", 8), 2: ("float16", 2), 3: ("uint8", 1), 4: ("int32", 4), 5: ("int8", 1),
           6: ("int64", 8), 7: ("bool", 1)}
_MOST_AXES, _DEVICES = 32, (1, 2, 3)                                      # CPU, GPU, pinned memory of the CPU


class ParamsFileError(ValueError):
    """A file that is none of MXNet's arrays by name, or whose parts do not fit each other."""


def load(path):
    """Return {name: NDArray} of a file whose header `read_header` has checked; the same errors."""
    import mxnet as mx
    return mx.nd.load(str(path)) if read_header(path) else {}


def read_header(path):
    """Return {name: (shape, dtype)} of a ``.params`` file, having checked that it holds what it says.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to (tuple of int, str)
        In the order of the file.

    Raises
    ------
    ParamsFileError
        If the path is no file, or the file is of another kind, ends early, goes on after its end, has arrays that are
        sparse, of no axes, or of an unknown type or device, or two arrays of one name.
    """
    if not pathlib.Path(path).is_file():
        raise ParamsFileError(f"{str(path)!r} is no file; expected one of MXNet's parameters")
    with open(path, "rb") as file:
        reader = _Reader(file, path)
        if not reader.begins_with(struct.pack("<QQ", _FILE, 0)):
            reader.refuse("is no file of MXNet's parameters")
        arrays = [_array(reader) for _ in range(reader.count("arrays", least=24))]
        names = [reader.text() for _ in range(reader.count("names", least=8))]
        reader.end()
    if arrays and not names:
        raise ParamsFileError(f"{str(path)!r} holds arrays without names; save them with save_parameters")
    if len(names) != len(arrays):
        reader.refuse(f"has {len(arrays)} arrays and {len(names)} names")
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        reader.refuse(f"has the name {twice!r} twice")
    return dict(zip(names, arrays))


def _array(reader):
    """Return shape and dtype of the array that begins here; the values are passed over."""
    magic, storage, axes = reader.numbers("Iii")
    if magic not in _ARRAYS or storage != 0:
        reader.refuse("has an array that is sparse or of another version of MXNet")
    if not 1 <= axes <= _MOST_AXES:
        reader.refuse(f"has an array of {axes} axes, and 1 to {_MOST_AXES} are possible")
    shape = reader.numbers(f"{axes}q")
    device, number, kind = reader.numbers("iii")
    if device not in _DEVICES or number < 0 or kind not in _DTYPES:
        reader.refuse(f"has an array of the type {kind} on the device {device}:{number}, which are not known")
    if min(shape) < 1:
        reader.refuse(f"has an array of the shape {shape}")
    dtype, size = _DTYPES[kind]
    reader.skip(prod(shape) * size, f"an array of the shape {shape}")
    return shape, dtype


class _Reader:
    """A file from its beginning on; nothing is read that is longer than what is left of it."""

    def __init__(self, file, path):
        self._file, self._path, self._left = file, path, os.fstat(file.fileno()).st_size

    def refuse(self, reason):
        raise ParamsFileError(f"{str(self._path)!r} {reason}; the file is damaged or of another kind, take a whole one")

    def _take(self, size, what):
        if size > self._left:
            self.refuse(f"ends within {what}")
        self._left -= size

    def begins_with(self, content):
        """Return whether the file begins with these bytes, and pass over them."""
        found = self._file.read(len(content))
        self._left -= len(found)
        return found == content

    def numbers(self, form):
        """Return the little-endian numbers of a `struct` format."""
        size = struct.calcsize(f"<{form}")
        self._take(size, "a header")
        return struct.unpack(f"<{form}", self._file.read(size))

    def count(self, what, least):
        """Return a number of things of at least `least` bytes each."""
        count, = self.numbers("Q")
        if count * least > self._left:
            self.refuse(f"says that it has {count} {what}, which is more than it has room for")
        return count

    def text(self):
        """Return a name."""
        size, = self.numbers("Q")
        self._take(size, "a name")
        try:
            return self._file.read(size).decode("utf-8")
        except UnicodeDecodeError:
            return self.refuse("has a name that is no UTF-8")

    def skip(self, size, what):
        """Pass over values."""
        self._take(size, what)
        self._file.seek(size, os.SEEK_CUR)

    def end(self):
        """Refuse what comes after the end."""
        if self._left:
            self.refuse(f"goes on for {self._left} bytes after its end")
