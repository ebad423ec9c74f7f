"""Sentences with a tag for each word, from files in the CoNLL-U format of Universal Dependencies.

Ten columns a line, separated by tabs, an empty line after each sentence, comments after ``#``. Words are the lines
whose first column is a plain number: ``1-2`` is a contraction whose parts follow, ``1.1`` a word that is not in the
text, and neither is tagged.

References
----------
Nivre et al. (2020), Universal Dependencies v2: an evergrowing multilingual treebank collection.
"""
import collections

import gluonnlp

from gluon_rnn.answers.tags import TagEncoder
from gluon_rnn.data.forms import labels_of_parts, tagged_sentences
from gluon_rnn.data.memory import InMemory, content_of
from gluon_rnn.data.readers import SPLITS, of_split, read_text
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Conllu", "Sentence", "TagEncoder", "read_conllu"]

UNK = "<unk>"
COLUMNS = {"upos": 3, "xpos": 4}

#: One sentence: its words and their tags, tuples of strings of one length.
Sentence = collections.namedtuple("Sentence", "words tags")


@datasets.register("conllu")
class Conllu:
    """Words and their part-of-speech tags from CoNLL-U files, plain or ``.gz``.

    Parameters
    ----------
    train, valid, test : str
        One file each; `test` may be missing.
    column : {"upos", "xpos"}, default "upos"
        Universal tags (column 4) or those of the language (column 5).
    min_freq : int, >= 1, default 1
        Words that are rarer in the training split are unknown.
    lowercase : bool, default False
        Look words up in lower case; their characters keep their case.
    max_word_length : int, default 30
        See `TagEncoder`.
    encoding : str, default "utf-8"
    drop_duplicates : bool, default False
        Leave out sentences of the training split that stand, word for word, in another split too.

    Attributes
    ----------
    splits : tuple of str
    encoder : TagEncoder
        Vocabularies of the training split; tags of all splits, so that one which training lacks is an error of the
        model, not of the program.
    duplicates : dict of str to int
        For "valid" and "test", how many of their sentences stand in the training split too.

    Raises
    ------
    ValueError
        If a file cannot be read or is not CoNLL-U: file and line are named.
    """

    def __init__(self, train: str, valid: str, test: str = None, column="upos", min_freq: int = 1, lowercase=False,
                 max_word_length: int = 30, encoding="utf-8", drop_duplicates=False):
        check_sizes(min_freq=min_freq)
        files = {split: path for split, path in zip(SPLITS, (train, valid, test)) if path is not None}
        self._sentences = {split: read_conllu(path, column, encoding) for split, path in files.items()}
        self.splits = tuple(files)
        self.duplicates = self._count_duplicates(drop_duplicates)
        self.encoder = self._make_encoder(min_freq, lowercase, max_word_length)

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for data in memory, each (lists of words, lists of tags)."""
        return {key: InMemory(tagged_sentences(parts[key], label), label)
                for key, label in labels_of_parts(parts).items()}

    def _count_duplicates(self, drop):
        known = {sentence.words for sentence in self._sentences["train"]}
        others = [split for split in self.splits if split != "train"]
        if drop:
            seen = {sentence.words for split in others for sentence in self._sentences[split]}
            self._sentences["train"] = [sentence for sentence in self._sentences["train"] if sentence.words not in seen]
        return {split: sum(sentence.words in known for sentence in self._sentences[split]) for split in others}

    def _make_encoder(self, min_freq, lowercase, max_word_length):
        words = [word for sentence in self._sentences["train"] for word in sentence.words]
        options = {"unknown_token": UNK, "padding_token": None, "bos_token": None, "eos_token": None}
        counted = gluonnlp.data.count_tokens([word.lower() for word in words] if lowercase else words)
        characters = gluonnlp.data.count_tokens(char for word in words for char in word)
        tags = sorted({tag for sentences in self._sentences.values() for sentence in sentences
                       for tag in sentence.tags})
        return TagEncoder(gluonnlp.Vocab(counted, min_freq=min_freq, **options), gluonnlp.Vocab(characters, **options),
                          tags, lowercase, max_word_length)

    def sequences(self, split):
        """Return the sentences of "train", "valid" or "test", a list of `Sentence`."""
        return of_split(self._sentences, split)

    def __repr__(self):
        sizes = ", ".join(f"{split} {len(sentences):,}" for split, sentences in self._sentences.items())
        return f"{type(self).__name__}(sentences: {sizes}; {len(self.encoder.tags)} tags)"


def read_conllu(path, column="upos", encoding="utf-8"):
    """Return the sentences of a CoNLL-U file with the tags of one column, a list of `Sentence`.

    Raises
    ------
    ValueError
        If the file cannot be read, a line does not parse or has no tag: file and line are named.
    """
    if column not in COLUMNS:
        raise ValueError(f"column must be 'upos' or 'xpos', got {column!r}")
    if content_of(path) is not None:
        return [Sentence(*sentence) for sentence in content_of(path)]
    sentences, words, tags = [], [], []
    parse_line = _parser(column)
    lines = read_text(path, encoding).split("\n")
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if len(words) > 1 and set(words) == {"_"}:
                raise ValueError(f"{path}: line {number - 1}: all words of the sentence are '_', as in a treebank "
                                 "whose texts are withheld; merge the texts in, as its page says, or leave it out")
            if words:
                sentences.append(Sentence(tuple(words), tuple(tags)))
            words, tags = [], []
            continue
        word = parse_line(line, f"{path}: line {number}")
        if word is not None:
            words.append(word[0])
            tags.append(word[1])
    if not sentences:
        raise ValueError(f"{path}: no sentence in this file; it must be in the CoNLL-U format")
    return sentences


def _parser(column):
    """Return a function of a line and where it stands, that gives its form and tag, or None where it is no word."""
    try:
        from conllu.exceptions import ParseException
        from conllu.parser import DEFAULT_FIELDS, parse_id_value, parse_line
    except ImportError as error:
        raise ValueError("reading CoNLL-U needs the library conllu; install gluon_rnn[data]") from error
    fields = DEFAULT_FIELDS[:COLUMNS[column] + 1]                         # columns after the tag are not read
    parsers = {"id": lambda values, index: parse_id_value(values[index])}

    def parse(line, where):
        count = line.count("\t") + 1
        if count != len(DEFAULT_FIELDS):
            raise ValueError(f"{where}: expected {len(DEFAULT_FIELDS)} columns with tabs between them, got {count}; "
                             "the file must be in the CoNLL-U format")
        try:
            token = parse_line(line, fields, parsers)
        except ParseException as error:
            raise ValueError(f"{where}: {error}; the file must be in the CoNLL-U format") from None
        if not isinstance(token["id"], int):                              # a range or an empty node
            return None
        if token["form"] != line.split("\t")[1]:                          # the library takes two spaces for a tab
            raise ValueError(f"{where}: the word {line.split(chr(9))[1]!r} has two spaces in a row; make it one")
        if token[column] == "_" or not token["form"] or not token[column]:
            raise ValueError(f"{where}: the word {token['form']!r} has no {column}; choose the other column, or "
                             "annotate it")
        return token["form"], token[column]

    return parse
