"""Bits: the parity of a string at each of its places, and Elman's stream in which every third bit is an XOR.

Parity at place t is (x_1 + ... + x_t) mod 2: one bit is to be kept for as long as the string is, and nothing less than
all of the string determines it. In the stream the bits come in threes, a, b and a xor b, without any mark of where a
three begins; only the third bit of each can be foretold, so that the entropy is 2/3 bit a place.

References
----------
Elman (1990), Finding structure in time, Cognitive Science 14, section "Exclusive-OR": 3,000 bits.
"""
import math
from typing import Any

import gluonnlp
import numpy as np

from gluon_rnn.data.ranges import check_range
from gluon_rnn.data.readers import of_split
from gluon_rnn.data.tagged_strings import TaggedStrings
from gluon_rnn.data.text import encode, tokenize
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Parity", "XorStream", "draw_bits", "parity_tags", "xor_bits"]

TAGS = ("even", "odd")


def parity_tags(bits):
    """Return "even" or "odd" at each place: the parity of the ones up to there.

    >>> parity_tags([1, 0, 1])
    ['odd', 'odd', 'even']
    """
    return [TAGS[total % 2] for total in np.cumsum(bits)]


def draw_bits(count, lengths, rng):
    """Return `count` arrays of bits, their lengths uniform in [first, last], drawn by a NumPy generator."""
    return [rng.integers(2, size=size) for size in rng.integers(lengths[0], lengths[1] + 1, size=count)]


@datasets.register("parity")
class Parity(TaggedStrings):
    """Strings of bits, tagged at each place with the parity of the ones up to there, "even" or "odd".

    Parameters
    ----------
    lengths : [first, last], default [1, 20]
        Lengths of strings, drawn uniformly.
    train, valid, test : int, default 2000, 500, 500
        Strings in each split.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> words, tags = Parity(train=5, valid=1, test=1, lengths=[3, 3]).sequences("train")[0]
    >>> words, tags
    (('1', '1', '1'), ('odd', 'even', 'odd'))
    """

    def __init__(self, lengths: Any = (1, 20), train: int = 2000, valid: int = 500, test: int = 500, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(**sizes)
        lengths = check_range("lengths", lengths)
        parts = {}
        for number, (split, size) in enumerate(sizes.items()):
            strings = draw_bits(size, lengths, np.random.default_rng([seed, number]))
            parts[split] = [(list(map(str, bits)), parity_tags(bits)) for bits in strings]
        super().__init__(parts, ["0", "1"], TAGS)


def xor_bits(count, rng):
    """Return `count` threes a, b, a xor b as one row of bits (3 * count,), a and b drawn by a NumPy generator."""
    drawn = rng.integers(2, size=(count, 2))
    return np.column_stack([drawn, drawn[:, 0] ^ drawn[:, 1]]).ravel()


@datasets.register("xor_stream")
class XorStream:
    """A stream of bits for language models; see the module.

    Parameters
    ----------
    train, valid, test : int, default 10000, 1000, 1000
        Threes of bits in each split.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Attributes
    ----------
    vocab : gluonnlp.Vocab
        "0" and "1".
    entropy_rate : float
        Nats a bit, 2/3 ln 2.
    unit, separator : "character", ""

    Examples
    --------
    >>> XorStream(train=2, valid=1, test=1).ids("train").tolist()
    [1, 1, 0, 1, 0, 1]
    """

    unit, separator = "character", ""
    entropy_rate = 2 / 3 * math.log(2)

    def __init__(self, train: int = 10000, valid: int = 1000, test: int = 1000, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(**sizes)
        self.vocab = gluonnlp.Vocab(gluonnlp.data.count_tokens(["0", "1", "0"]), unknown_token=None,
                                    padding_token=None, bos_token=None, eos_token=None)
        self._ids = {split: self._encoded(split, xor_bits(size, np.random.default_rng([seed, number])))
                     for number, (split, size) in enumerate(sizes.items())}
        self.splits = tuple(sizes)

    def _encoded(self, split, bits):
        return encode([str(bit) for bit in bits], self.vocab, f"the {split} split")

    def ids(self, split):
        """Return the bits of "train", "valid" or "test", (n,) int32."""
        return of_split(self._ids, split)

    def tokenize(self, text):
        """Return the bits of a text such as a prefix."""
        return tokenize(text, self.unit)
