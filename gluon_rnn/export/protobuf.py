"""Messages of protobuf by their fields, without a library and without a schema: enough to look before one is opened.

The encoding is that of Protocol Buffers, version 3: each field has a key, number * 8 + kind, and a value of this kind.
"""
from gluon_rnn.export.reading import BundleError

__all__ = ["Message"]

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MOST_FIELDS = 5_000_000


class Message:
    """The part of a file that is one message.

    Parameters
    ----------
    content : memoryview
    where : str
        Named in messages.

    Raises
    ------
    BundleError
        From every method, where a field goes on beyond the end, or is of no known kind.
    """

    def __init__(self, content, where):
        self._content, self._where = content, where

    def __len__(self):
        return len(self._content)

    def refuse(self, reason):
        raise BundleError(f"{self._where} {reason}; export again")

    def fields(self):
        """Yield (number, value) of all fields: an int of a number of any length, bytes (a memoryview) of all others."""
        place, count = 0, 0
        while place < len(self._content):
            key, place = self._varint(place)
            kind, number, count = key & 7, key >> 3, count + 1
            if kind == _VARINT:
                value, place = self._varint(place)
            else:
                size, place = self._size(kind, place)
                if size > len(self._content) - place:
                    self.refuse("ends within a field, and is damaged")
                value, place = self._content[place:place + size], place + size
            if not number or count > _MOST_FIELDS:
                self.refuse("has too many fields, or one without a number, and is damaged")
            yield number, value

    def _size(self, kind, place):
        if kind == _BYTES:
            return self._varint(place)
        if kind not in (_FIXED_64, _FIXED_32):
            self.refuse("has a field of no known kind, and is damaged")
        return (8 if kind == _FIXED_64 else 4), place

    def _varint(self, place):
        value = 0
        for shift in range(0, 70, 7):
            if place >= len(self._content):
                self.refuse("ends within a number, and is damaged")
            byte, place = self._content[place], place + 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, place
        return self.refuse("has a number of more than ten bytes, and is damaged")

    def message(self, value):
        """Return the value of a field as a message of its own."""
        if not isinstance(value, memoryview):
            self.refuse("has a number where a message was expected, and is damaged")
        return Message(value, self._where)

    def text(self, value):
        """Return the value of a field as text."""
        try:
            return str(self.message(value)._content, "utf-8")
        except UnicodeDecodeError:
            return self.refuse("has a text that is no UTF-8, and is damaged")

    def numbers(self, value):
        """Return the whole numbers of a field that may be packed, a list."""
        if isinstance(value, int):
            return [value]
        found, place = [], 0
        packed = self.message(value)
        while place < len(packed):
            number, place = packed._varint(place)
            found.append(number)
            if len(found) > 1000:
                self.refuse("has a tensor of more than 1,000 axes, and is damaged")
        return found
