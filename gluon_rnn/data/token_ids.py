"""Text files as token ids, read in pieces: four bytes a token in memory; the whole text is never held.

The vocabulary is known only after counting. So `read` first gives tokens provisional ids: words in order of
appearance, characters their code points. `count` counts these, and once there is a vocabulary, `translate` replaces
them by its ids, in place.
"""
import array
import collections

import numpy as np

from gluon_rnn.answers.text import character_table, code_points, missing_token
from gluon_rnn.data.id_files import map_ids, pieces_of
from gluon_rnn.data.readers import read_chunks
from gluon_rnn.data.shards import shards_of

__all__ = ["CharacterIds", "WordIds"]


class _Ids:
    """What words and characters share."""

    def read(self, source, encoding):
        """Return the first ids of a text's tokens, (n,) int32; ValueError as `gluon_rnn.data.readers.read_text`.

        `source` is a file, or several as `gluon_rnn.data.shards.shards_of` takes them.
        """
        ids = array.array("i")                                            # grows in place, and NumPy can share it
        for piece in self._read_pieces(source, encoding):
            ids.frombytes(piece.tobytes())
        return np.frombuffer(ids, dtype=np.int32)

    def read_to(self, path, source, encoding):
        """Return the same as `read`, from the file `path`, mapped into memory."""
        with open(path, "wb") as file:
            for piece in self._read_pieces(source, encoding):
                file.write(piece.data)
        return map_ids(path)

    def _read_pieces(self, source, encoding):
        for path in shards_of(source):
            yield from self._pieces(read_chunks(path, encoding))

    def count(self, ids):
        """Return a Counter of the tokens that `ids`, as `read` gave them, stand for."""
        counts = np.zeros(self._size(), dtype=np.int64)
        for _, piece in pieces_of(ids):
            counts += np.bincount(piece, minlength=len(counts))
        return collections.Counter({self._token(index): int(counts[index]) for index in np.flatnonzero(counts)})

    def translate(self, ids, vocab, where):
        """Put the vocabulary's ids in place of those that `read` gave, in `ids` itself, and return it.

        ValueError for a token that the vocabulary does not have, where it has no unknown token either.
        """
        for (_, piece), found in zip(pieces_of(ids), self.translated(ids, vocab, where)):
            piece[:] = found
        return ids

    def translated(self, ids, vocab, where):
        """Yield the vocabulary's ids for those that `read` gave, piece after piece; errors as those of `translate`."""
        unknown = None if vocab.unknown_token is None else vocab.token_to_idx[vocab.unknown_token]
        table = self._table(vocab, -1 if unknown is None else unknown)
        for start, piece in pieces_of(ids):
            found = table[piece]
            if found.min() < 0:
                position = int(np.argmax(found < 0))
                raise ValueError(missing_token(self._token(piece[position]), start + position, vocab, where))
            yield found


class WordIds(_Ids):
    """Whitespace-separated words, and `eos` at the end of every line; the last line ends with or without a newline."""

    def __init__(self, eos):
        self._eos = eos
        self._ids = collections.defaultdict()
        self._ids.default_factory = self._ids.__len__                     # a new word gets the next number
        self._words = []

    @property
    def size(self):
        """Number of words that have an id."""
        return len(self._ids)

    def number(self, word):
        """Return the id of a word, which gets the next one where it has none."""
        return self._ids[word]

    def word(self, index):
        """Return the word of an id."""
        return self._token(index)

    def _pieces(self, chunks):
        rest, ended = "", True
        for chunk in chunks:
            ended = chunk.endswith("\n")
            text = rest + chunk
            cut = max(text.rfind("\n"), text.rfind(" ")) + 1              # the last word may go on in the next chunk
            rest = text[cut:]
            yield self._encode(text[:cut])
        yield self._encode(rest if ended else rest + "\n")

    def _encode(self, text):
        words = text.replace("\n", f" {self._eos} ").split()
        return np.fromiter(map(self._ids.__getitem__, words), dtype=np.int32, count=len(words))

    def _size(self):
        return len(self._ids)

    def _token(self, index):
        if len(self._words) < len(self._ids):
            self._words = list(self._ids)
        return self._words[index]

    def _table(self, vocab, missing):
        known = dict(vocab.token_to_idx)    # a plain dict: gluonnlp's own falls back to Python code on every miss
        return np.array([known.get(word, missing) for word in self._ids], dtype=np.int32)


class CharacterIds(_Ids):
    """Characters; their first ids are code points."""

    def _pieces(self, chunks):
        return (code_points(chunk) for chunk in chunks)

    def _size(self):
        return 0x110000                                                   # one for each Unicode code point

    def _token(self, index):
        return chr(index)

    def _table(self, vocab, missing):
        return character_table(vocab, missing)
