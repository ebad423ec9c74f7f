"""Text as tokens, and tokens as ids."""
import json

import numpy as np

from gluon_rnn.answers.checks import check_text
from gluon_rnn.answers.vocabulary import Vocabulary

__all__ = ["TextReader", "character_table", "code_points", "encode", "missing_token", "tokenize",
           "tokens_of"]


class TextReader:
    """Reader from a text to its token ids, (T,) int32.

    Parameters
    ----------
    vocab : Vocabulary or gluonnlp.Vocab
        With an unknown token.
    unit : {"character", "word"}
    lower : bool
        Whether letters are made small first.
    max_length : int, optional
        Tokens past it are left out.
    """

    #: the class of vocabulary that `from_json` makes
    vocabulary_class = Vocabulary

    def __init__(self, vocab, unit="word", lower=False, max_length=None):
        self.vocab, self.unit, self.lower, self.max_length = vocab, unit, lower, max_length

    @property
    def model_arguments(self):
        """Arguments of a model that the input determines."""
        return {"vocab_size": len(self.vocab)}

    def tokens(self, text):
        """Return the tokens of a text, a list."""
        return tokens_of(text, self.unit, self.lower, self.max_length)

    def __call__(self, text):
        check_text(text, "an item")
        return encode(self.tokens(text), self.vocab)

    def to_json(self):
        """Return the settings and the vocabulary as JSON text."""
        return json.dumps({"vocab": self.vocab.to_json(), "unit": self.unit, "lower": self.lower,
                           "max_length": self.max_length})

    @classmethod
    def from_json(cls, text):
        """Return the reader stored by `to_json`."""
        saved = json.loads(text)
        return cls(**{**saved, "vocab": cls.vocabulary_class.from_json(saved["vocab"])})


def tokenize(text, unit):
    """Return the tokens of a piece of text such as a prefix: its characters, or its whitespace-separated words."""
    if unit not in ("character", "word"):
        raise ValueError(f"unit must be 'character' or 'word', got {unit!r}")
    return list(text) if unit == "character" else text.split()


def tokens_of(text, unit, lower=False, max_length=None):
    """Return the tokens of a text as a `TextReader` with these settings has them, a list."""
    return tokenize(text.lower() if lower else text, unit)[:max_length]


def encode(tokens, vocab, where="the text"):
    """Return the ids of `tokens`, (n,) int32.

    Parameters
    ----------
    tokens : str or list of str
        A string is a sequence of characters; it is looked up without a Python loop.
    vocab : Vocabulary or gluonnlp.Vocab
        Tokens that it does not contain become its unknown token, if it has one.
    where : str
        What the tokens are, for the error message.

    Raises
    ------
    ValueError
        If a token is not in the vocabulary and there is no unknown token: it names the token and its position.
    """
    unknown = None if vocab.unknown_token is None else vocab.token_to_idx[vocab.unknown_token]
    lookup = _encode_characters if isinstance(tokens, str) else _encode_words
    ids = lookup(tokens, vocab, -1 if unknown is None else unknown)
    if unknown is None and (ids < 0).any():
        position = int(np.argmax(ids < 0))
        raise ValueError(missing_token(tokens[position], position, vocab, where))
    return ids


def _encode_words(tokens, vocab, missing):
    table = dict(vocab.token_to_idx)   # a plain dict: gluonnlp's own falls back to Python code on every miss
    return np.fromiter((table.get(token, missing) for token in tokens), dtype=np.int32, count=len(tokens))


def _encode_characters(text, vocab, missing):
    return character_table(vocab, missing)[code_points(text)]


def code_points(text):
    """Return the code points of a string, (n,) int32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.int32)


def character_table(vocab, missing):
    """Return the ids of all code points, (0x110000,) int32, `missing` for those that are no token."""
    table = np.full(0x110000, missing, dtype=np.int32)
    for token, index in vocab.token_to_idx.items():
        if len(token) == 1:   # special tokens such as <unk> have more, and no character stands for them
            table[ord(token)] = index
    return table


def missing_token(token, position, vocab, where):
    """Return the sentence about a token that a vocabulary without an unknown token does not have."""
    return (f"{where} has {token!r} at position {position}, which is not among the {len(vocab)} tokens of the training "
            "text; leave it out, or set unknown_token, for example to '<unk>'")
