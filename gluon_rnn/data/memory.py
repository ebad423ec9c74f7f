"""Content in memory in the place of a file: a loader that is given one where it expects a path reads no file.

Everything behind the reading is the same: divisions, vocabularies, scalers and their checks.
"""
import hashlib

import numpy as np
import pandas as pd

__all__ = ["PREFIX", "InMemory", "content_of", "hash_of", "label_of"]

#: what the address of content in memory begins with; the SHA-256 of the content follows
PREFIX = "memory:sha256:"


class InMemory(str):
    """Content that stands for a file: as a string its address, such as ``memory:sha256:9f86d0...``.

    Parameters
    ----------
    content : object
        What the reader of a data set would have made of a file: a text, lists, a table.
    label : str
        What messages call it, such as "the train data given".

    Attributes
    ----------
    content, label
    """

    def __new__(cls, content, label):
        self = super().__new__(cls, PREFIX + hash_of(content))
        self.content, self.label = content, label
        return self

    def __getnewargs__(self):
        return self.content, self.label


def content_of(source):
    """Return the content of an `InMemory`, None for anything else: a path."""
    return source.content if isinstance(source, InMemory) else None


def label_of(source):
    """Return what messages call a source: a path, or the label of an `InMemory`."""
    return source.label if isinstance(source, InMemory) else str(source)


def hash_of(content):
    """Return the SHA-256 of texts, numbers, arrays, tables, and tuples and lists of them, as 64 hexadecimal digits.

    Order, shapes, types of numbers and names of columns count.
    """
    found = hashlib.sha256()
    _feed(found, content)
    return found.hexdigest()


def _feed(found, value):
    if isinstance(value, pd.DataFrame):
        _feed(found, [(str(name), value[name].to_numpy()) for name in value])
    elif isinstance(value, (list, tuple)):
        found.update(b"list %d\n" % len(value))
        for part in value:
            _feed(found, part)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        found.update(f"array {value.dtype.str} {value.shape}\n".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.ndarray):
        _feed(found, list(value.ravel()))
    else:
        text = str(value).encode("utf-8", "surrogatepass")
        found.update(b"text %d\n" % len(text) + text)
