"""Names and shapes in a file of parameters, read without its numbers: what MXNet would only find out by reading all.

MXNet's reader trusts the file: sizes in a damaged one make it ask for any amount of memory, and a file that a full disk
cut off ends in its own words. Here each size is compared with what the file holds before anything is allocated.

The format is that of ``mxnet.nd.save`` (MXNet 1.9, ``ndarray.cc``): two numbers of 8 bytes, the arrays one behind the
other, then their names. A number of 8 bytes says how many there are of each.
"""
import math
import struct
from pathlib import Path

__all__ = ["shapes"]

_LIST, _DENSE = 0x112, 0
# Of a dense array, with shapes as NDArray or as NumPy has them.
_MAGIC = (0xF993FAC9, 0xF993FACA)
# Bytes of a number by MXNet's flag of its type: float32, float64, float16, uint8, int32, int8, int64, bool.
_BYTES = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8, 7: 1}
_MOST_AXES = 32


def shapes(path):
    """Return {name: shape} of the arrays in a file of ``mxnet.nd.save``, in order.

    Raises
    ------
    ValueError
        If it is cut off, damaged or of another kind.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    with open(path, "rb") as file:
        reader = _Reader(path, file, path.stat().st_size)
        reader.expect("<QQ", (_LIST, 0))
        found = [reader.array() for _ in range(reader.count())]
        names = [reader.name() for _ in range(reader.count())]
        if len(names) != len(found) or len(set(names)) != len(names) or file.tell() != reader.size:
            raise reader.damaged(f"it has {len(found)} arrays and {len(set(names))} names")
    return dict(zip(names, found))


class _Reader:
    """Reads one file piece by piece, none of them beyond its end."""

    def __init__(self, path, file, size):
        self._path, self._file, self.size = path, file, size

    def damaged(self, why):
        return ValueError(f"{self._path} is no whole file of parameters: {why}")

    def unpack(self, form):
        """Return the numbers of a `form` of `struct`."""
        return struct.unpack(form, self._bytes(struct.calcsize(form)))

    def expect(self, form, numbers):
        """Raise ValueError unless these numbers come next."""
        if self.unpack(form) != numbers:
            raise self.damaged("its beginning is another one")

    def count(self):
        """Return how many arrays or names follow."""
        count, = self.unpack("<Q")
        if count > self.size:
            raise self.damaged(f"{count} arrays are said to be in {self.size} bytes")
        return count

    def array(self):
        """Return the shape of the next array, its numbers being passed over."""
        magic, kind, axes = self.unpack("<IiI")
        if magic not in _MAGIC or kind != _DENSE or axes > _MOST_AXES:
            raise self.damaged(f"what should be an array at byte {self._file.tell() - 12} is none")
        shape = self.unpack(f"<{axes}q")
        _, _, flag = self.unpack("<iii")
        if flag not in _BYTES or any(size < 0 for size in shape):
            raise self.damaged(f"an array has the shape {shape} and the type {flag}")
        self._skip(math.prod(shape) * _BYTES[flag])
        return shape

    def name(self):
        """Return the next name."""
        length, = self.unpack("<Q")
        try:
            return self._bytes(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.damaged(f"a name is no text ({error})") from error

    def _bytes(self, count):
        self._check(count)
        return self._file.read(count)

    def _skip(self, count):
        self._check(count)
        self._file.seek(count, 1)

    def _check(self, count):
        here = self._file.tell()
        if here + count > self.size:
            raise self.damaged(f"it ends at byte {self.size}, and {count} more are due at byte {here}")
