"""Word vectors as text: a first line with the numbers of words and of columns, then a word and its vector a line.

This is the form that word2vec's C code writes, and that gensim and many other tools read. It holds nothing but text.
"""
import gzip
import pathlib

import numpy as np

from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.data.readers import read_chunks
from gluon_rnn.files import whole

__all__ = ["read_vectors", "write_vectors"]

# Six decimals are what word2vec writes; nine digits bring every float32 back as it was.
_FORMAT = "%.9g"


def write_vectors(path, table):
    """Write a `VectorTable` as a text file, packed where its name ends in ``.gz``; whole or not at all.

    Every float32 is read back as it was. ValueError for a word with white space in it, which has no form there.
    """
    path = pathlib.Path(path)
    spaced = next((word for word in table.words if word.split() != [word]), None)
    if spaced is not None:
        raise ValueError(f"the word {spaced!r} has white space in it or is empty, and a blank ends a word in a file of "
                         "vectors; leave it out of the table")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {str(path.parent)!r} to write {path.name!r} to; make it")
    row, opened = " ".join([_FORMAT] * table.size), gzip.open if path.suffix == ".gz" else open
    with whole(path) as partial, opened(partial, "wt", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(table)} {table.size}\n")
        for word, vector in zip(table.words, table.vectors.tolist()):
            file.write(f"{word} {row % tuple(vector)}\n")


def read_vectors(path):
    """Return the `VectorTable` of a file in word2vec's text form, packed where its name ends in ``.gz``.

    A first line with a word and a vector, as GloVe's files have it, is taken for what it is.

    Raises
    ------
    ValueError
        In one sentence, with the line: the file is missing, empty or binary, a row has another number of columns, a
        number is none, a word is there twice, or there are not as many words as the first line says.
    """
    lines, words, rows = _lines(path), [], []
    number, promised = 0, None
    for number, line in enumerate(lines, start=1):
        word, *values = line.rstrip().split(" ")
        if number == 1 and len(values) == 1 and word.isdigit() and values[0].isdigit():
            promised = int(word), int(values[0])
            continue
        rows.append(_row(values, promised[1] if promised else len(rows[0]) if rows else len(values), path, number))
        words.append(word)
    if promised and promised[0] != len(words):
        raise ValueError(f"{path}: the first line says {promised[0]:,} words, and {len(words):,} follow; the file has "
                         "lost some, fetch or write it anew")
    if not words:
        raise ValueError(f"{path}: there are no vectors in the file; expected lines of a word and its numbers")
    try:
        return VectorTable(words, np.array(rows))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _row(values, size, path, number):
    if len(values) != size or not size:
        raise ValueError(f"{path}: line {number} has {len(values)} numbers behind its word, expected {max(size, 1)}; "
                         "the file is damaged, or no vectors as text")
    try:
        return np.array(values, dtype=np.float32)
    except ValueError:
        raise ValueError(f"{path}: line {number}: expected {size} numbers behind a word, got "
                         f"{' '.join(values)[:60]!r}; the file is damaged, or no vectors as text") from None


def _lines(path):
    """Yield the lines of a text file that are not empty, by line ends alone: a word may have other separators in it."""
    rest = ""
    for chunk in read_chunks(path):
        *lines, rest = (rest + chunk).split("\n")
        yield from (line for line in lines if line)
    if rest:
        yield rest
