"""Strings a^n b^n and a^n b^n c^n, with the set of symbols that may come next at each place.

A string begins with a mark S and ends with a mark T. Behind S comes an a; behind an a another one or a b; behind the
first b it is known how many more are to come, so that every further symbol is certain. The set of symbols that may
come, such as "ab", is the tag of a place: a network that has all of them right has accepted the string.

References
----------
Gers & Schmidhuber (2001), LSTM recurrent networks learn simple context-free and context-sensitive languages, IEEE
Transactions on Neural Networks 12: the prediction of all possible symbols, and training on n = 1 to 10.
"""
from typing import Any

import numpy as np

from gluon_rnn.data.ranges import check_range
from gluon_rnn.data.tagged_strings import TaggedStrings
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Counting", "counted", "counted_tags"]

START, END = "S", "T"
LANGUAGES = ("ab", "abc")


def counted(letters, n):
    """Return the string with `n` of each of the letters between the marks, a list.

    >>> "".join(counted("abc", 2))
    'SaabbccT'
    """
    return [START, *(letter for letter in letters for _ in range(n)), END]


def counted_tags(letters, n):
    """Return the set of symbols that may come behind each place of the string less its end mark, a list.

    >>> counted_tags("ab", 2)
    ['a', 'ab', 'ab', 'b', 'T']
    """
    certain = [letter for letter in letters[1:] for _ in range(n)][1:]
    return [letters[0], *[letters[:2]] * n, *certain, END]


@datasets.register("counting")
class Counting(TaggedStrings):
    """Strings a^n b^n or a^n b^n c^n for tagging; see the module.

    Parameters
    ----------
    letters : {"ab", "abc"}, default "ab"
    n : [first, last], default [1, 10]
        Of the strings, drawn uniformly; those of the validation split are each n once.
    beyond : int, default 20
        The test split has each n from the last one plus 1 to it plus this number.
    train : int, default 1000
        Strings to learn from in each epoch.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> words, tags = Counting(n=[2, 2], train=1).sequences("train")[0]
    >>> "".join(words), " ".join(tags)
    ('Saabb', 'a ab ab b T')
    """

    def __init__(self, letters="ab", n: Any = (1, 10), beyond: int = 20, train: int = 1000, seed: int = 0):
        check_sizes(beyond=beyond, train=train)
        if letters not in LANGUAGES:
            raise ValueError(f"letters must be one of {', '.join(map(repr, LANGUAGES))}, got {letters!r}")
        first, last = check_range("n", n)
        drawn = np.random.default_rng(seed).integers(first, last + 1, size=train)
        numbers = {"train": drawn.tolist(), "valid": range(first, last + 1), "test": range(last + 1, last + 1 + beyond)}
        parts = {split: [(counted(letters, k)[:-1], counted_tags(letters, k)) for k in each]
                 for split, each in numbers.items()}
        super().__init__(parts, [START, *letters], [*letters, letters[:2], END])
