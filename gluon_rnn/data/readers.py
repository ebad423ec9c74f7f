"""Reading plain text files and splitting them by position; errors are one sentence each."""
import pathlib

from gluon_rnn.answers import text_files
from gluon_rnn.data.memory import content_of, label_of
from gluon_rnn.public_data import missing
from gluon_rnn.registry import suggest

__all__ = ["read_chunks", "read_text", "read_splits", "positions", "of_split", "SPLITS"]

SPLITS = ("train", "valid", "test")


def of_split(table, split):
    """Return what a data set has of a split; ValueError, naming the splits there are, where it has none."""
    if split not in table:
        raise ValueError(f"no split {split!r} in this data set; {suggest(split, list(table))}")
    return table[split]


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
    text = content_of(path)
    if text is not None:
        yield from (text[start:start + size] for start in range(0, len(text), size))
        return
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise missing(path)
    yield from text_files.read_chunks(path, encoding, size)


def positions(size, split):
    """Return the (start, stop) of each part when `size` items are cut by position into fractions.

    Parameters
    ----------
    size : int
        How many items there are.
    split : sequence of 2 or 3 numbers in (0, 1]
        The fractions of train and valid, or of train, valid and test. Their sum is at most 1; what is over is not used.

    Returns
    -------
    dict of (start, stop), keys "train", "valid" and, with three fractions, "test".

    >>> positions(10, (0.8, 0.1))
    {'train': (0, 8), 'valid': (8, 9)}
    """
    fractions = _check_fractions(split)
    # Sums such as 0.8 + 0.1 are a rounding error below 0.9, which would cost one item.
    edges = [0] + [int(round(sum(fractions[:i + 1]) * size, 6)) for i in range(len(fractions))]
    parts = dict(zip(SPLITS, zip(edges[:-1], edges[1:])))
    for name, (start, stop) in parts.items():
        if start == stop:
            raise ValueError(f"split {list(fractions)} leaves nothing of {size} for {name}; "
                             "take other fractions or more data")
    return parts


def _check_fractions(split):
    try:
        fractions = [float(fraction) for fraction in split]
    except (TypeError, ValueError):
        raise ValueError(f"split must be 2 or 3 fractions such as [0.8, 0.1, 0.1], got {split!r}") from None
    if len(fractions) not in (2, 3) or not all(0 < fraction <= 1 for fraction in fractions):
        raise ValueError(f"split must be 2 or 3 fractions between 0 and 1 (train, valid[, test]), got {list(split)}")
    if sum(fractions) > 1 + 1e-9:
        raise ValueError(f"the fractions of split add up to {sum(fractions):g}, more than 1: {list(split)}; "
                         "make them smaller")
    return fractions


def read_splits(path, split, files, read):
    """Return {"train": tokens, "valid": tokens[, "test": tokens]} from one file and fractions, or from several files.

    Parameters
    ----------
    path : str, path or None
        One file, cut by position into the fractions `split`.
    split : sequence of numbers or None
        See `positions`; only with `path`.
    files : dict of str, path or None
        "train", "valid", "test": one file each; "test" may be None.
    read : callable
        From a path to a sequence of tokens.
    """
    named = [name for name in SPLITS if files.get(name) is not None]
    if path is not None and named:
        raise ValueError(f"path and {named[0]} are both given; give either path and split, or train, valid and test")
    if path is None:
        return _read_files(files, named, split, read)
    if split is None:
        raise ValueError(f"{path}: path needs split as well, the fractions of train and valid such as [0.9, 0.1]")
    tokens = read(path)
    try:
        return {name: tokens[start:stop] for name, (start, stop) in positions(len(tokens), split).items()}
    except ValueError as error:
        raise ValueError(f"{label_of(path)}: {error}") from None


def _read_files(files, named, split, read):
    missing = [name for name in ("train", "valid") if name not in named]
    if missing:
        given = ", ".join(named) or "nothing"
        raise ValueError(f"{' and '.join(missing)} missing, given: {given}; give either path and split, "
                         "or train and valid (and test)")
    if split is not None:
        raise ValueError(f"split {list(split)} is for one file given as path; the files train and valid "
                         "are the split already, leave it out")
    return {name: read(files[name]) for name in named}
