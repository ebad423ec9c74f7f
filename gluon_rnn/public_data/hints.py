"""What loaders say where a file of data is missing: the one command that fetches it, if it is a public one."""
import os
from pathlib import Path

from gluon_rnn.public_data.manifest import data_root, sets_of

__all__ = ["hint", "missing"]


def missing(path, what="file"):
    """Return the error for data that are not there, a `ValueError` of one sentence.

    Parameters
    ----------
    path : str or Path
        A file, a folder or a pattern.
    what : str, default "file"
        What was looked for.
    """
    return ValueError(f"{path}: no such {what}; {hint(path)}")


def hint(path):
    """Return what to do about a missing `path`: the command that fetches it, or to check the path."""
    root = os.path.abspath(Path(data_root()).expanduser())
    below = os.path.relpath(os.path.abspath(Path(path).expanduser()), root)
    names = sets_of(Path(below).as_posix())
    if names:
        return f"fetch it with: gluon-rnn data fetch {' '.join(names)}"
    return "check the path and the folder data_root (GLUON_RNN_DATA)"
