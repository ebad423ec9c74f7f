"""A text in several files: a list of them, or a pattern of their names."""
import glob
from pathlib import Path

from gluon_rnn.data.memory import content_of
from gluon_rnn.public_data import missing

__all__ = ["shards_of"]


def shards_of(source):
    """Return the files of a text, in order.

    Parameters
    ----------
    source : str, path, or list of them
        A name with ``*``, ``?`` or ``[`` in it that is no file is a pattern, whose files are taken in the order of
        their names.

    Raises
    ------
    ValueError
        If a pattern fits no file, or a list is empty.
    """
    if isinstance(source, (list, tuple)):
        if not source:
            raise ValueError("a list of text files was expected, but it is empty; name at least one file")
        return [path for each in source for path in shards_of(each)]
    if content_of(source) is not None or not any(mark in str(source) for mark in "*?["):
        return [source]
    path = Path(source).expanduser()
    if path.exists():
        return [source]
    found = sorted(glob.glob(str(path), recursive=True))
    if not found:
        raise missing(path, "file that fits this pattern")
    return found
