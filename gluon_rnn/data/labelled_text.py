"""Labelled texts: lines of a table with a label and a text, or one file per class."""
import glob
from pathlib import Path

import gluonnlp

from gluon_rnn.answers import text
from gluon_rnn.answers.checks import quotes_hint
from gluon_rnn.data.class_names import class_names, classes_of_files
from gluon_rnn.data.forms import labelled_texts, labels_of_parts
from gluon_rnn.data.labelled import Examples, Labelled, count_across, remove_duplicates, stratified
from gluon_rnn.data.memory import InMemory, content_of, label_of
from gluon_rnn.data.readers import SPLITS, read_text
from gluon_rnn.data.text import UNK
from gluon_rnn.data.text_table import TextTable
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.public_data import hint
from gluon_rnn.registry import datasets

__all__ = ["LabelledText", "TextReader"]


#: tokens of a text; in a batch all texts are padded to the longest
_LONGEST = 100_000


class TextReader(text.TextReader):
    """The reader of `gluon_rnn.answers.text` whose vocabulary is a `gluonnlp.Vocab`."""

    vocabulary_class = gluonnlp.Vocab


@datasets.register("labelled_text")
class LabelledText(Labelled):
    """Labelled texts from a table or from one file per class, one text per line.

    Parameters
    ----------
    path : str, optional
        A table, or a folder or a pattern such as ``names/*.txt`` with one file for each class, whose name without its
        ending is the class; where these are equal, as of ``rt-polarity.pos`` and ``rt-polarity.neg``, what differs in
        the names is. Divided at random, class by class, into the fractions `split`.
    split : 2 or 3 fractions, optional
        Train, valid and (where given) test; with `path` only.
    train, valid, test : str, optional
        One path each instead of `path`; `test` may be missing.
    unit : {"word", "character"}, default "word"
        What a token is; words are separated by white space.
    columns : list of str, default ("text", "label")
        Names of the columns of a table in their order, among them "text" and "label"; others are not used.
    delimiter : str, default a tab
        With a blank, lines such as "label space sentence" are split as often as there are columns: the text keeps its
        blanks.
    header : bool, default False
        Whether the first line of a table names the columns.
    label_names : dict, optional
        From labels as they stand in the file to names, such as ``{"0": negative, "1": positive}``.
    encoding : str, default "utf-8"
    lower : bool, default False
        Whether letters are made small.
    min_freq : int, >= 1, default 1
        Tokens seen fewer times in the training split are unknown.
    max_length : int, optional
        Tokens of a text past it are left out.
    deduplicate : bool, default False
        Whether equal texts with equal labels are kept once: before a random division, or in the last of given splits.
    compare : {"text", "letters"}, default "text"
        When texts count as equal: exactly, or if their letters and digits are equal, regardless of case.
    split_seed : int, default 0
        Of the random division alone, so that all training seeds have the same.
    quoting : {"auto", "csv", "none"}, default "auto"
        Whether quotes enclose fields, which may then have delimiters, line ends and ``""`` for a quote; "auto" takes
        them so where the file is certain to, see `gluon_rnn.data.text_table.TextTable`.

    Raises
    ------
    ValueError
        If a file or a line is not as it should be; it names the file and the line.

    Notes
    -----
    Blank lines are passed over. Spaces at both ends of a text do not count. A duplicate is an equal text with an equal
    label; the same text under another label stays, since that is what the task is about.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "reviews.tsv"
    >>> _ = path.write_text("good film\\t1\\nbad film\\t0\\n" * 20)
    >>> data = LabelledText(path, [0.8, 0.2], label_names={"0": "negative", "1": "positive"})
    >>> data.labels, len(data.items("valid")), data.inputs("train")[0].tolist()
    (['negative', 'positive'], 8, [3, 1])
    """

    example_arguments = {"vocab_size": 2}

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, unit="word",
                 columns=("text", "label"), delimiter="\t", header=False, label_names: dict = None, encoding="utf-8",
                 lower=False, min_freq=1, max_length: int = None, deduplicate=False, compare="text",
                 split_seed: int = 0, quoting="auto"):
        check_sizes(min_freq=min_freq, **({} if max_length is None else {"max_length": max_length}))
        if compare not in _COMPARE:
            raise ValueError(f"compare must be 'text' or 'letters', got {compare!r}")
        key = _COMPARE[compare]
        table = _Source(TextTable(columns, delimiter, header, encoding, quoting), encoding)
        files = {"train": train, "valid": valid, "test": test}
        parts, removed = _read_parts(path, split, files, table, key if deduplicate else None, split_seed)
        _rename(parts, label_names)
        notes = [f"{count_across(parts, key):,} duplicates across splits"]
        notes += [f"{removed:,} duplicates removed"] if deduplicate else []
        counter = gluonnlp.data.count_tokens(token for item in parts["train"].items
                                             for token in text.tokens_of(item, unit, lower, max_length))
        vocab = gluonnlp.Vocab(counter, min_freq=min_freq, unknown_token=UNK, padding_token=None, bos_token=None,
                               eos_token=None)
        super().__init__(parts, TextReader(vocab, unit, lower, max_length), notes)
        self._check_lengths()

    def _check_lengths(self):
        """Refuse a text that would take hours, and all memory: one line that should have been many."""
        for split in self.splits:
            for row, tokens in enumerate(self.inputs(split)):
                if len(tokens) > _LONGEST:
                    source = self._parts[split].source
                    raise ValueError(
                        f"{source}{': ' * bool(source)}the {split} split has a text of {len(tokens):,} "
                        f"{self.reader.unit}s, which begins with {self.items(split)[row][:40]!r}; "
                        f"set max_length, or write lines of at most {_LONGEST:,}")

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for data in memory, each (texts, labels)."""
        return {key: InMemory(labelled_texts(parts[key], label), label)
                for key, label in labels_of_parts(parts).items()}

    @property
    def vocab(self):
        """The tokens of the training split, most frequent first, after the unknown token."""
        return self.reader.vocab

    def describe(self):
        """Return a description of the data."""
        return f"{super().describe()}; vocabulary {len(self.vocab):,} {self.reader.unit}s"


class _Source:
    """How the files of a split are read."""

    def __init__(self, table, encoding):
        self._table, self._encoding = table, encoding

    def read(self, path):
        """Return the `Examples` at `path`: a table, or one file for each class; those of an `InMemory` as they are."""
        content = content_of(path)
        if content is not None:
            return Examples(*content)
        files = _class_files(path)
        if files is None:
            return Examples(*self._table.read(path), source=path)
        examples = Examples(source=path)
        for file, label in zip(files, classes_of_files(files)):
            texts = [line.strip() for line in read_text(file, self._encoding).split("\n") if line.strip()]
            examples.items += texts
            examples.labels += [label] * len(texts)
        return examples


def _letters(text):
    return "".join(filter(str.isalnum, text.casefold()))


_COMPARE = {"text": str, "letters": _letters}


def _class_files(path):
    """Return the sorted files of a folder or pattern, one for each class; None where `path` is a single table."""
    path = Path(path).expanduser()
    if path.is_file():
        return None
    pattern = str(path / "*.txt*") if path.is_dir() else str(path)
    files = sorted(Path(name) for name in glob.glob(pattern) if name.endswith((".txt", ".txt.gz")) or not path.is_dir())
    if len(files) < 2:
        raise ValueError(f"{path}: expected a table, or a folder or pattern of two or more text files, one for each "
                         f"class; found {len(files)}; {hint(path)}")
    return files


def _read_parts(path, split, files, table, key, seed):
    """Return {split: Examples} and the number of duplicates removed, none where `key` is None."""
    given = {name: file for name, file in files.items() if file is not None}
    if path is None:
        if split is not None or "train" not in given or "valid" not in given:
            raise ValueError(f"given: {', '.join(given) or 'no file'}{' and split' if split is not None else ''}; "
                             "give either path and split, or train and valid (and test)")
        parts = {name: table.read(file) for name, file in given.items()}
        return remove_duplicates(parts, key) if key else (parts, 0)
    if given or split is None:
        raise ValueError(f"{label_of(path)}: path goes with split, the fractions of train, valid and test such as "
                         f"[0.8, 0.1, 0.1], and with no other file, got split {split} and {', '.join(given) or 'none'}")
    whole, removed = {"train": table.read(path)}, 0
    if key:
        whole, removed = remove_duplicates(whole, key)
    return _divide(whole["train"], split, seed), removed


def _divide(examples, split, seed):
    if len(split) not in (2, 3) or not all(0 < fraction <= 1 for fraction in split) or sum(split) > 1 + 1e-9:
        raise ValueError(f"split must be 2 or 3 fractions above 0 (train, valid[, test]) with a sum of at most 1, "
                         f"got {list(split)}")
    class_names(examples.labels, examples.source)                         # says what is wrong with labels of one each
    parts = {name: examples.take(part) for name, part in zip(SPLITS, stratified(examples.labels, split, seed))}
    for name, part in parts.items():
        if not len(part):
            raise ValueError(f"split {list(split)} leaves nothing of {len(examples)} texts for {name}; take other "
                             "fractions or more data")
    return parts


def _rename(parts, names):
    """Give labels the names that the recipe has for them, in place."""
    if names is None:
        return
    if quotes_hint(names):
        raise ValueError(f"label_names must have texts and whole numbers, got {names!r}{quotes_hint(names)}")
    names = {str(label): str(name) for label, name in names.items()}
    for part in parts.values():
        for label in part.labels:
            if label not in names:
                raise ValueError(f"label_names has no name for the label {label!r}; it names {', '.join(names)}")
        part.labels = [names[label] for label in part.labels]
