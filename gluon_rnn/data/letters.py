"""Elman's letters: consonants in any order, each followed by its own vowels, "ba", "dii" or "guuu".

Which consonant comes is a matter of chance, what follows it is certain. Each letter is a vector of six features:
consonant, vowel, interrupted, high, back, voiced.

References
----------
Elman (1990), Finding structure in time, Cognitive Science 14, section "Structure in letter sequences", table 1: the
vectors; a sequence of 1,000 consonants, which is one of 2,993 letters.
"""
import numpy as np

from gluon_rnn.data.symbol_frames import SymbolFrames
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["CODES", "FEATURES", "Letters", "SYLLABLES"]

SYLLABLES = ("ba", "dii", "guuu")
FEATURES = ("consonant", "vowel", "interrupted", "high", "back", "voiced")
CODES = {"b": (1, 0, 1, 0, 0, 1), "d": (1, 0, 1, 1, 0, 1), "g": (1, 0, 1, 0, 1, 1),
         "a": (0, 1, 0, 0, 1, 1), "i": (0, 1, 0, 1, 0, 1), "u": (0, 1, 0, 1, 1, 1)}


@datasets.register("elman_letters")
class Letters(SymbolFrames):
    """Pieces of Elman's letters as vectors of features; see the module.

    Parameters
    ----------
    syllables : int, default 50
        Consonants of a piece.
    train, valid, test : int, default 100, 20, 20
        Pieces in each split.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> data = Letters(syllables=4, train=1, valid=1, test=1)
    >>> data.strings("train"), data.rolls("train")[0].shape
    (['guuudiidiiba'], (12, 6))
    """

    def __init__(self, syllables: int = 50, train: int = 100, valid: int = 20, test: int = 20, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(syllables=syllables, **sizes)
        parts = {}
        for number, (split, size) in enumerate(sizes.items()):
            drawn = np.random.default_rng([seed, number]).integers(len(SYLLABLES), size=(size, syllables))
            parts[split] = ["".join(SYLLABLES[index] for index in row) for row in drawn]
        super().__init__(parts, CODES)
