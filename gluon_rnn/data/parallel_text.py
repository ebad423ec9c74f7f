"""Sentences and their translations: two files line by line, or one table with a tab between the two."""
from typing import Optional

import gluonnlp
import numpy as np

from gluon_rnn.data.forms import labels_of_parts, sentence_pairs
from gluon_rnn.data.memory import InMemory, content_of, label_of
from gluon_rnn.data.readers import SPLITS, of_split, positions, read_text
from gluon_rnn.data.sentences import SentenceTokenizer
from gluon_rnn.data.subwords import SubwordTokenizer
from gluon_rnn.data.text import UNK, encode
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["ParallelText", "Ragged"]

BOS, EOS = "<bos>", "<eos>"


class Ragged:
    """Sequences of different lengths in one flat array: ``ragged[i]`` is a view of the i-th, (n_i,) int32.

    A list of small arrays would take many times the memory of the ids themselves.
    """

    def __init__(self, sequences):
        sequences = list(sequences)
        self.lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int32)
        self._ends = np.cumsum(self.lengths, dtype=np.int64)
        self.ids = np.concatenate([np.asarray(sequence, dtype=np.int32) for sequence in sequences] or
                                  [np.zeros(0, dtype=np.int32)])

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, index):
        end = self._ends[index]
        return self.ids[end - self.lengths[index]:end]


@datasets.register("parallel_text")
class ParallelText:
    """Pairs of sentences, as token ids and as text.

    Parameters
    ----------
    path : str or [source, target], optional
        One table with a pair in each line, or two files with as many lines; plain or ``.gz``. Divided at random into
        the fractions `split`, all translations of one source sentence in one part.
    split : 2 or 3 fractions, optional
        Train, valid and (where given) test; with `path` only.
    train, valid, test : str or [source, target], optional
        Each its own, instead of `path`; `test` may be missing.
    columns : list of str, default ("source", "target")
        Names of the columns of a table in their order, among them "source" and "target"; others are not used.
        [target, source] translates the other way.
    delimiter : str, default a tab
    encoding : str, default "utf-8"
    unit : {"word", "character", "subword"}, default "word"
        What a token is: see `gluon_rnn.data.sentences` and, for pieces of words, `gluon_rnn.data.subwords`.
    num_subwords : int, default 4000
        Of unit "subword": so many pieces, learnt from both sides of the training split and shared by them.
    subword_alpha : float, optional
        Of unit "subword": in training the segmentation of a sentence is drawn in each epoch, with this power of its
        probability (0.1 to 0.5 are usual); without it it is always the most probable one.
    lower : bool, default False
        Whether letters are made small, in source, target and references.
    min_freq : int, >= 1, default 1
        Tokens seen fewer times in the training split are unknown, on both sides.
    max_length : int, optional
        Training pairs with more tokens than this on one side are left out.
    deduplicate : bool, default False
        Whether a training pair is kept once, and not at all where its source sentence is in valid or test.
    split_seed : int, default 0
        Of the random division alone, so that all training seeds have the same.

    Attributes
    ----------
    splits : tuple of str
    tokenizer : SentenceTokenizer
    source_vocab, target_vocab : gluonnlp.Vocab
        Made from the training split, with ``<unk>``, ``<bos>`` and ``<eos>``.

    Raises
    ------
    ValueError
        If a file or a line is not as it should be; it names the file and the line.

    Notes
    -----
    Lines that are blank on both sides are passed over; a pair that is blank on one side is left out and counted. Both
    sides end with ``<eos>``, so that no sequence is empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
    >>> _ = path.write_text("Go.\\tVa !\\nNo way!\\tImpossible !\\n" * 10)
    >>> data = ParallelText(path, [0.5, 0.5])
    >>> data.splits, len(data.texts("train")), len(data.references("valid"))
    (('train', 'valid'), 10, 1)
    """

    def __init__(self, path=None, split=None, *, train=None, valid=None, test=None, columns=None, delimiter="\t",
                 encoding="utf-8", unit="word", lower=False, min_freq=1, max_length: Optional[int] = None,
                 deduplicate=False, split_seed: int = 0, num_subwords: int = 4000,
                 subword_alpha: Optional[float] = None):
        check_sizes(num_subwords=num_subwords, min_freq=min_freq,
                    **({} if max_length is None else {"max_length": max_length}))
        self._alpha = _check_alpha(subword_alpha, unit, min_freq)
        # Sentences are compared before subwords can be learnt from what is left.
        self.tokenizer = SentenceTokenizer("word" if unit == "subword" else unit, lower)
        reader = _PairReader(columns, delimiter, encoding)
        self._pairs = _read_parts(reader, path, split, {"train": train, "valid": valid, "test": test}, split_seed)
        self.splits = tuple(self._pairs)
        self._notes = [f"{reader.half_empty:,} pairs with an empty side left out"] if reader.half_empty else []
        self._clean(deduplicate)
        if unit == "subword":
            self.tokenizer = SubwordTokenizer.fit((side for pair in self._pairs["train"] for side in pair),
                                                  num_subwords, lower)
        tokens = {name: [tuple(map(self.tokenizer.split, pair)) for pair in self._pairs[name]] for name in self.splits}
        if max_length is not None:
            self._shorten(tokens, max_length)
        self.source_vocab, self.target_vocab = (
            gluonnlp.Vocab(gluonnlp.data.count_tokens(side), min_freq=min_freq, unknown_token=UNK, padding_token=None,
                           bos_token=BOS, eos_token=EOS) for side in self._known(tokens["train"]))
        self._ids = {name: self._encode(tokens.pop(name)) for name in self.splits}

    @classmethod
    def from_memory(cls, parts, section):
        """Return the keys of a recipe for data in memory, each (sources, targets) or a list of pairs."""
        return {key: InMemory(sentence_pairs(parts[key], label), label)
                for key, label in labels_of_parts(parts).items()}

    def _known(self, pairs):
        """Return the tokens that make each vocabulary, two iterables; a drawn piece may be one that no split has."""
        if self._alpha is not None:
            return self.tokenizer.pieces, self.tokenizer.pieces
        return ((token for pair in pairs for token in pair[side]) for side in (0, 1))

    def _encode(self, pairs):
        """Return the ids of both sides, `Ragged` each."""
        vocabs = (self.source_vocab, self.target_vocab)
        return tuple(Ragged(encode([*pair[side], EOS], vocab) for pair in pairs) for side, vocab in enumerate(vocabs))

    def _clean(self, deduplicate):
        """Count, and where wanted remove, training pairs that are there twice or whose source is in a later split."""
        later = {self.tokenizer.normalise(source) for name in self.splits[1:] for source, _ in self._pairs[name]}
        train = self._pairs["train"]
        normal = [tuple(map(self.tokenizer.normalise, pair)) for pair in train]
        kept = [pair for pair, (source, _) in zip(train, normal) if source not in later]
        self._notes.append(f"{len(train) - len(kept):,} training pairs whose source is in valid or test too")
        if deduplicate:
            seen = set()
            self._pairs["train"] = [pair for pair, key in zip(train, normal)
                                    if key[0] not in later and not (key in seen or seen.add(key))]
            self._notes.append(f"{len(train) - len(self._pairs['train']):,} duplicates removed")
            if not self._pairs["train"]:
                raise ValueError("deduplicate leaves no training pair; valid or test has every source sentence of "
                                 "train, take other files")

    def _shorten(self, tokens, max_length):
        short = [max(map(len, pair)) <= max_length for pair in tokens["train"]]
        if not any(short):
            raise ValueError(f"max_length {max_length} leaves no training pair; raise it")
        for table in (tokens, self._pairs):
            table["train"] = [pair for pair, keep in zip(table["train"], short) if keep]
        self._notes.append(f"{len(short) - sum(short):,} training pairs longer than {max_length} left out")

    def _of(self, split, table):
        return of_split(table, split)

    def ids(self, split):
        """Return the token ids of a split: sources and targets, each `Ragged` and each sequence ended by ``<eos>``."""
        return self._of(split, self._ids)

    def training_ids(self, seed):
        """Return the token ids of the training split for one epoch, drawn by `seed` where `subword_alpha` is given."""
        if self._alpha is None:
            return self.ids("train")
        SubwordTokenizer.seed(int(np.random.default_rng(seed).integers(2**32)))
        return self._encode([tuple(self.tokenizer.sample(side, self._alpha) for side in pair)
                             for pair in self.texts("train")])

    def texts(self, split):
        """Return the (source, target) pairs of a split as they are in the file, a list."""
        return self._of(split, self._pairs)

    def references(self, split):
        """Return all translations of each source sentence, {source: [target, ...]}, normalised, in the file's order."""
        grouped = {}
        for source, target in self.texts(split):
            translations = grouped.setdefault(self.tokenizer.normalise(source), [])
            target = self.tokenizer.normalise(target)
            if target not in translations:
                translations.append(target)
        return grouped

    def describe(self):
        """Return a description of the data."""
        sizes = ", ".join(f"{split} {len(self.texts(split)):,}" for split in self.splits)
        vocabulary = f"vocabulary {len(self.source_vocab):,} and {len(self.target_vocab):,} {self.tokenizer.unit}s"
        return "; ".join([f"{sizes} pairs", vocabulary, *self._notes])

    def __repr__(self):
        return f"{type(self).__name__}({self.describe()})"


def _check_alpha(alpha, unit, min_freq):
    if alpha is not None and (unit != "subword" or not alpha > 0):
        raise ValueError(f"subword_alpha is a number above 0 that goes with unit subword, got {alpha} and unit "
                         f"{unit}; leave it out, or set unit to subword")
    if alpha is not None and min_freq > 1:
        raise ValueError(f"subword_alpha keeps all pieces, so min_freq {min_freq} has no meaning; leave min_freq out")
    return alpha


class _PairReader:
    """Reader of pairs from the lines of files; `half_empty` counts pairs that are blank on one side."""

    def __init__(self, columns, delimiter, encoding):
        if columns is not None and sorted(set(columns) & {"source", "target"}) != ["source", "target"]:
            raise ValueError(f"columns must name each column once, 'source' and 'target' among them, got "
                             f"{list(columns)}")
        self._columns, self._delimiter, self._encoding = columns, delimiter, encoding
        self.half_empty = 0

    def read(self, key, files):
        """Return the list of (source, target) of one table, or of two files; `key` is named in messages."""
        if content_of(files) is not None:
            pairs = content_of(files)
        elif isinstance(files, (list, tuple)):
            pairs = self._read_two(key, files)
        else:
            pairs = self._read_table(files)
        both = [pair for pair in pairs if all(pair)]
        self.half_empty += sum(any(pair) for pair in pairs) - len(both)
        if not both:
            raise ValueError(f"{key}: no pair of sentences in {label_of(files)}; check the files")
        return both

    def _read_two(self, key, files):
        if self._columns is not None:
            raise ValueError(f"columns names the columns of one table, but {key} is two files; leave columns out")
        if len(files) != 2:
            raise ValueError(f"{key}: expected one table or two files [source, target], got {len(files)} files")
        lines = [self._lines(file) for file in files]
        if len(lines[0]) != len(lines[1]):
            raise ValueError(f"{files[0]} has {len(lines[0])} lines and {files[1]} has {len(lines[1])}; line by line "
                             "they must be translations of each other, look for a line that is missing in one")
        return [(source.strip(), target.strip()) for source, target in zip(*lines)]

    def _read_table(self, path):
        columns, pairs = list(self._columns or ("source", "target")), []
        source, target = columns.index("source"), columns.index("target")
        for number, line in enumerate(self._lines(path), start=1):
            if not line.strip():
                continue
            fields = [field.strip() for field in line.split(self._delimiter)]
            if len(fields) < len(columns):
                raise ValueError(f"{path}: line {number}: expected {', '.join(columns)} separated by "
                                 f"{self._delimiter!r}, got {line[:60]!r}; mend the line, or set columns and delimiter "
                                 "to what the file has")
            pairs.append((fields[source], fields[target]))
        return pairs

    def _lines(self, path):
        lines = read_text(path, self._encoding).split("\n")               # no other sign ends a line, U+2028 neither
        if not lines[-1]:
            lines.pop()
        return lines


def _read_parts(reader, path, split, files, seed):
    """Return {split: list of pairs} from one source and fractions, or from several."""
    given = {name: file for name, file in files.items() if file is not None}
    if path is None:
        if split is not None or "train" not in given or "valid" not in given:
            raise ValueError(f"given: {', '.join(given) or 'no file'}{' and split' if split is not None else ''}; "
                             "give either path and split, or train and valid (and test)")
        return {name: reader.read(name, file) for name, file in given.items()}
    if given or split is None:
        raise ValueError(f"path goes with split, the fractions of train, valid and test such as [0.8, 0.1, 0.1], and "
                         f"with no other file, got split {split} and {', '.join(given) or 'none'}")
    return _divide(reader.read("path", path), split, seed)


def _divide(pairs, split, seed):
    """Divide the pairs at random, all translations of one source sentence into one part."""
    sources = list(dict.fromkeys(source for source, _ in pairs))
    order = np.random.default_rng(seed).permutation(len(sources))
    part_of = {sources[index]: name for name, (start, stop) in positions(len(sources), split).items()
               for index in order[start:stop]}
    parts = {name: [] for name in SPLITS[:len(split)]}
    for pair in pairs:
        if pair[0] in part_of:
            parts[part_of[pair[0]]].append(pair)
    return parts
