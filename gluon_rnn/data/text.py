"""Language-model data from plain text files: characters or words, one path and a split by position, or one file each.

Every data set here offers `vocab`, `ids(split)`, `splits`, `unit`, `separator`, `entropy_rate` and `tokenize`.
"""
import collections
import itertools

import gluonnlp

from gluon_rnn.answers.text import encode, tokenize
from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.data.forms import labels_of_parts, running_text
from gluon_rnn.data.id_files import Corpus
from gluon_rnn.data.memory import InMemory
from gluon_rnn.data.readers import of_split, read_splits
from gluon_rnn.data.token_ids import CharacterIds, WordIds
from gluon_rnn.registry import datasets

__all__ = ["Characters", "Words", "BPTTBatches", "encode", "tokenize"]

EOS, UNK = "<eos>", "<unk>"


class _Text:
    """What characters and words share: reading, the vocabulary of the training split, ids."""

    unit = separator = None
    entropy_rate = None   # not known for a natural text

    def __init__(self, path, split, files, encoding, memory_map=False, **vocabulary):
        reader = self._reader()
        if memory_map:
            counts, self._ids = self._mapped(reader, path, split, files, encoding, vocabulary)
            self.vocab = _vocabulary(counts, vocabulary)
        else:
            parts = read_splits(path, split, files, lambda file: reader.read(file, encoding))
            parts = self._prepared(parts, reader)
            self.vocab = _vocabulary(reader.count(parts["train"]), vocabulary)
            self._ids = {name: reader.translate(ids, self.vocab, _name(name)) for name, ids in parts.items()}
        self.splits = tuple(self._ids)

    def _mapped(self, reader, path, split, files, encoding, vocabulary):
        """Return counts of tokens and ids from the cache; what is not there is read and written in pieces."""
        given = {key: source for key, source in {"path": path, **files}.items() if source is not None}

        def make(scratch):
            numbers = itertools.count()
            parts = read_splits(path, split, files, lambda source: reader.read_to(
                scratch / str(next(numbers)), source, encoding))
            counts = reader.count(parts["train"])
            vocab = _vocabulary(counts, vocabulary)
            return counts, {name: reader.translated(ids, vocab, _name(name)) for name, ids in parts.items()}

        settings = [type(self).__name__, encoding, None if split is None else list(split), vocabulary]
        return Corpus(given, settings).get(make)

    def _prepared(self, parts, reader):
        """Return {split: first ids}, as they were read; a subclass may join tokens here."""
        return parts

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for texts in memory, each a text or a list of texts (lines)."""
        return {key: InMemory(running_text(parts[key], label), label) for key, label in labels_of_parts(parts).items()}

    def ids(self, split):
        """Return the token ids of "train", "valid" or "test", (n,) int32; ValueError where there is no such split."""
        return of_split(self._ids, split)

    def tokenize(self, text):
        """Return the tokens of a piece of text such as a prefix."""
        return tokenize(text, self.unit)

    def __repr__(self):
        sizes = ", ".join(f"{name} {len(ids):,}" for name, ids in self._ids.items())
        return f"{type(self).__name__}({self.unit}s: {sizes}; vocabulary {len(self.vocab):,})"


@datasets.register("characters")
class Characters(_Text):
    """Plain text as a stream of characters; the vocabulary is the characters of the training split.

    Parameters
    ----------
    path : str or list of str, optional
        One text, plain or ``.gz``, cut by position into the fractions `split`: a file, several that follow one another,
        or a pattern such as ``shards/*.txt``, whose files are read in the order of their names.
    split : 2 or 3 fractions, optional
        Train, valid and (where given) test; with `path` only.
    train, valid, test : str or list of str, optional
        One text each instead of `path`; `test` may be missing.
    encoding : str, default "utf-8"
        Encoding of the files.
    min_freq : int, >= 1, default 1
        Rarer characters are unknown (needs `unknown_token`).
    max_size : int, optional
        Keep only so many of the most frequent characters (needs `unknown_token`).
    unknown_token : str, optional
        For example "<unk>": replaces each character that is not in the vocabulary. Without one (the default) such
        a character is an error, and the vocabulary has no entry that never occurs.
    memory_map : bool, default False
        Whether ids are kept in files of the cache (``GLUON_RNN_CACHE``), four bytes a token, and read from there as
        they are needed: memory does not grow with the text. They are made anew where a text file has changed.

    Attributes
    ----------
    vocab : gluonnlp.Vocab
        Most frequent first, `unknown_token` before them.
    splits : tuple of str
        The splits that are there, for example ("train", "valid").
    unit, separator : "character", ""
    entropy_rate : None

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "abc.txt"
    >>> _ = path.write_text("abab" * 25)
    >>> data = Characters(path=path, split=[0.9, 0.1])
    >>> data.vocab.idx_to_token, data.ids("valid")[:4].tolist()
    (['a', 'b'], [0, 1, 0, 1])
    """

    unit, separator = "character", ""

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, encoding="utf-8", min_freq=1,
                 max_size=None, unknown_token=None, memory_map=False):
        _check_vocabulary(min_freq, max_size, unknown_token)
        super().__init__(path, split, {"train": train, "valid": valid, "test": test}, encoding, memory_map,
                         min_freq=min_freq, max_size=max_size, unknown_token=unknown_token, eos_token=None)

    def _reader(self):
        return CharacterIds()


@datasets.register("words")
class Words(_Text):
    """Plain text as a stream of whitespace-separated words, with ``<eos>`` at the end of every line, blank ones too.

    This is how the WikiText sets are counted: 2,088,628 training tokens and 33,278 words for WikiText-2.

    Parameters
    ----------
    path, split, train, valid, test, encoding, memory_map
        As for `Characters`; `split` counts words. The task `word_vectors` copies ids into memory.
    min_freq : int, >= 1, default 1
        Words seen fewer times in the training split are unknown.
    max_size : int, optional
        Keep only so many of the most frequent words, special tokens not counted.
    unknown_token : str or None, default "<unk>"
        Stands for every word that is not in the vocabulary; with None such a word is an error.

    Attributes
    ----------
    vocab : gluonnlp.Vocab
        `unknown_token`, ``<eos>``, then the words, the most frequent first.
    splits : tuple of str
    unit, separator : "word", " "
    entropy_rate : None
    """

    unit, separator = "word", " "

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, encoding="utf-8", min_freq=1,
                 max_size=None, unknown_token=UNK, memory_map=False):
        _check_vocabulary(min_freq, max_size, unknown_token)
        super().__init__(path, split, {"train": train, "valid": valid, "test": test}, encoding, memory_map,
                         min_freq=min_freq, max_size=max_size, unknown_token=unknown_token, eos_token=EOS)

    def _reader(self):
        return WordIds(EOS)


def _vocabulary(counts, settings):
    """Return the vocabulary of the training split only: one of all hides how often a model meets unknown words."""
    return gluonnlp.Vocab(collections.Counter(counts), padding_token=None, bos_token=None, **settings)


def _name(split):
    return f"the {split} split"


def _check_vocabulary(min_freq, max_size, unknown_token):
    for name, value in (("min_freq", min_freq), ("max_size", max_size)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
    if unknown_token is None and (min_freq != 1 or max_size is not None):
        raise ValueError(f"min_freq {min_freq} and max_size {max_size} leave tokens out, which needs an unknown_token "
                         f"to stand for them; set it, for example to {UNK!r}")
