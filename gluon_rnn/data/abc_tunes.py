"""Tunes in ABC notation; the class of a tune is its metre."""
import re
from dataclasses import dataclass, field
from typing import Optional

import gluonnlp

from gluon_rnn.answers.abc_notation import to_abc
from gluon_rnn.data.labelled import Examples, Labelled, count_across, remove_duplicates, stratified
from gluon_rnn.data.labelled_text import TextReader
from gluon_rnn.data.readers import SPLITS, positions, read_text
from gluon_rnn.data.text import UNK
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["AbcTunes", "parse_tunes", "to_abc"]

_FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
#: such as !fine!, !D.C.! and !>(!; a closing mark that ends a line is no line's end of an older file
_DECORATION = re.compile(r"![^!\s]+!")
#: fields that the header of a file may have (the table in section 3 of the standard)
_OF_FILES = "ABCDFGHILMmNORrSUZ"
#: fields among the notes that are no notes
_LEFT_OUT = "wWsr"
#: The two metres that have a sign of their own.
_SIGNS = {"C": "4/4", "C|": "2/2"}


@dataclass
class _Tune:
    """One tune as written in a file."""

    line: int
    fields: dict = field(default_factory=dict)
    body: list = field(default_factory=list)

    @property
    def metre(self):
        """The metre as a fraction, None where there is none."""
        metre = self.fields.get("M")
        return _SIGNS.get(metre, metre)

    @property
    def has_one_metre(self):
        """Whether there is exactly one metre."""
        return bool(self.metre) and not any(re.search(r"(^|\[)M:", line) for line in self.body)

    def text(self, kept):
        """Return the fields named `kept`, then the notes, a line each."""
        fields = [f"{name}:{self.fields[name]}" for name in kept if name in self.fields]
        return "\n".join([*fields, *self.body])


def parse_tunes(text, where="the text"):
    """Return the tunes of an ABC file, a list, and the number of lines that belong to no tune.

    A tune begins at its ``X:`` field and ends at the first blank line after its notes. Fields before the first tune,
    the header of the file, hold for every tune that has none of its own. Comments (from ``%`` on, but for ``\\%``),
    what stands between ``%%begintext`` and ``%%endtext``, lyrics (``w:``), symbol lines (``s:``) and remarks (``r:``)
    are left out, and so is the ``!`` with which older files end lines; that of a decoration such as ``!fine!`` stays.
    A line of notes that ends in a backslash goes on with the next one.

    Raises
    ------
    ValueError
        If there is no tune, or one has no key (``K:``), which ends the header; it names the line.

    References
    ----------
    Walshaw and others (2011), The ABC music standard 2.1, sections 2.2 (files), 3 (fields), 4.14 (decorations),
    6.1.2 (continuation) and 2.2.5 (free text).
    """
    reader = _Reader(where)
    for number, raw in enumerate(text.split("\n"), start=1):
        reader.take(number, raw)
    if not reader.tunes:
        raise ValueError(f"{where}: no tune in ABC notation, which begins with a line such as X:1; check the file")
    for tune in reader.tunes:
        tune.fields = {**reader.header, **tune.fields}
    return [tune for tune in reader.tunes if tune.body], reader.free


class _Reader:
    """The lines of a file, one after the other."""

    def __init__(self, where):
        self.tunes, self.header, self.free, self._where = [], {}, 0, where
        self._ended, self._in_text, self._last = True, False, None        # _last: the field that +: goes on with

    def take(self, number, raw):
        """Take in one line."""
        if self._in_text or raw.startswith("%%begintext"):
            self._in_text = not raw.startswith("%%endtext")
            return
        line = _without_comment(raw)
        found = _FIELD.fullmatch(line)
        if found and found[1] == "X":
            self.tunes.append(_Tune(number))
            self._ended, self._last = False, "X"
        elif not line:                                  # a comment ends nothing, nor a blank line before the notes
            self._ended = self._ended or (not raw.strip() and bool(self.tunes[-1].body))
        elif self._ended and not self.tunes and found and found[1] in _OF_FILES:
            self.header.setdefault(found[1], " ".join(found[2].split()))
        elif self._ended:
            self.free += 1
        else:
            self._in_tune(number, line, found)

    def _in_tune(self, number, line, found):
        fields, goes_on = self.tunes[-1].fields, line.startswith("+:")
        if goes_on and "K" not in fields and self._last in fields:
            fields[self._last] += " " + " ".join(line[2:].split())
        elif found and "K" not in fields:
            self._last = found[1]
            fields.setdefault(found[1], " ".join(found[2].split()))
        elif not goes_on and not (found and found[1] in _LEFT_OUT):
            _add_notes(self.tunes[-1], line, self._where, number)


def _without_comment(raw):
    """Return a line without its comment, blanks at its ends, and the ``!`` of an older file behind it."""
    line = re.sub(r"(?<!\\)%.*", "", raw).strip()
    if line.endswith("!") and _DECORATION.sub("", re.sub(r'"[^"]*"', "", line)).endswith("!"):
        line = line[:-1].rstrip()
    return line


def _add_notes(tune, line, where, number):
    if "K" not in tune.fields:
        raise ValueError(f"{where}: line {number}: notes before the key of the tune that begins at line {tune.line}; "
                         f"its header must end with a line such as K:G, got {line[:40]!r}")
    if tune.body and tune.body[-1].endswith("\\"):
        line = tune.body.pop()[:-1].rstrip() + " " + line
    tune.body.append(line)


@datasets.register("abc_tunes")
class AbcTunes(Labelled):
    """Tunes as sequences of characters, their metre as the class.

    Parameters
    ----------
    path : str, optional
        An ABC file, divided at random, tune by tune and metre by metre, into the fractions `split`.
    split : 2 or 3 fractions, optional
        Train, valid and (where given) test; with `path` only.
    train, valid, test : str, optional
        One file each instead of `path`; `test` may be missing.
    fields : list of str, default ("L", "K")
        Header fields that stay before the notes, here the unit of note lengths and the key. The others, titles for
        instance, are left out, and the metre is the class.
    encoding : str, default "utf-8"
    min_freq : int, >= 1, default 1
        Characters seen fewer times in the training split are unknown.
    max_length : int, optional
        Tunes with more characters are left out.
    deduplicate : bool, default False
        Whether tunes with the same notes are kept once: before a random division, or in the last of given splits.
    split_seed : int, default 0
        Of the random division alone, so that all training seeds have the same.

    Attributes
    ----------
    splits, labels, reader
        As for every labelled set; labels are metres such as "6/8" (C is "4/4", C| is "2/2").

    Raises
    ------
    ValueError
        If a file is not as it should be; it names the file and the line.

    Notes
    -----
    Left out and counted: tunes without a metre or with several, and lines that belong to no tune.
    """

    labels_are_answers = False

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, fields=("L", "K"),
                 encoding="utf-8", min_freq=1, max_length: Optional[int] = None, deduplicate=False,
                 split_seed: int = 0):
        check_sizes(min_freq=min_freq, **({} if max_length is None else {"max_length": max_length}))
        files = {name: file for name, file in (("train", train), ("valid", valid), ("test", test)) if file is not None}
        _check_sources(path, split, files)
        notes, self._fields = [], tuple(fields)
        parts = {name: self._read_tunes(file, encoding, max_length, notes)
                 for name, file in (files or {"train": path}).items()}
        if deduplicate:
            parts, removed = remove_duplicates(parts, _notes_alone)
            notes.append(f"{removed:,} duplicates removed")
        if path is not None:
            parts = _divide(parts["train"], split, split_seed)
        notes.append(f"{count_across(parts, _notes_alone):,} duplicates across splits")
        counter = gluonnlp.data.count_tokens(character for text in parts["train"].items for character in text)
        vocab = gluonnlp.Vocab(counter, min_freq=min_freq, unknown_token=UNK, padding_token=None, bos_token=None,
                               eos_token=None)
        super().__init__(parts, TextReader(vocab, "character"), notes)

    @property
    def vocab(self):
        """The characters of the training split, most frequent first, after the unknown token."""
        return self.reader.vocab

    def _read_tunes(self, path, encoding, max_length, notes):
        tunes, free = parse_tunes(read_text(path, encoding), str(path))
        kept = [tune for tune in tunes if tune.has_one_metre]
        texts = [tune.text(self._fields) for tune in kept]
        short = [index for index, text in enumerate(texts) if max_length is None or len(text) <= max_length]
        for count, what in ((len(tunes) - len(kept), "tunes without one metre left out"),
                            (len(kept) - len(short), f"tunes longer than {max_length} left out"),
                            (free, "lines that belong to no tune")):
            if count:
                notes.append(f"{count:,} {what}")
        if not short:
            raise ValueError(f"{path}: no tune is left; give it a metre such as M:6/8, or raise max_length")
        return Examples([texts[index] for index in short], [kept[index].metre for index in short])


def _notes_alone(text):
    """Return what makes two tunes the same: their lines without fields, without spaces."""
    return re.sub(r"^[A-Za-z]:.*$|\s", "", text, flags=re.MULTILINE)


def _check_sources(path, split, files):
    if path is None and (split is not None or "train" not in files or "valid" not in files):
        raise ValueError(f"given: {', '.join(files) or 'no file'}{' and split' if split is not None else ''}; "
                         "give either path and split, or train and valid (and test)")
    if path is not None and (files or split is None):
        raise ValueError(f"{path}: path goes with split, the fractions of train, valid and test such as "
                         f"[0.8, 0.1, 0.1], and with no other file, got split {split} and {', '.join(files) or 'none'}")


def _divide(examples, split, seed):
    positions(len(examples), split)                                       # for its checks of the fractions
    indices = stratified(examples.labels, split, seed)
    return {name: examples.take(part) for name, part in zip(SPLITS, indices)}
