"""Similarity of words: the rank correlation of cosines with what people said."""
import csv
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Similarity", "read_pairs", "word_similarity"]


@dataclass
class Similarity:
    """What `word_similarity` found.

    Attributes
    ----------
    correlation : float
        Spearman's, in [-1, 1].
    used, pairs : int
        How many pairs have two words with vectors, and how many there are.
    """

    correlation: float
    used: int
    pairs: int

    def __str__(self):
        return f"Spearman correlation {self.correlation:.3f} on {self.used} of {self.pairs} pairs"


def read_pairs(text, where):
    """Return the pairs of a text: lines of a word, a word and a number, parted by tabs, commas or blanks.

    Lines that begin with ``#`` and blank ones are left out, and so is a first line whose third column is no number. Any
    columns after the third are ignored.

    Raises
    ------
    ValueError
        With the number of the line.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = next(csv.reader([line], delimiter="\t" if "\t" in line else "," if "," in line else " ",
                                skipinitialspace=True))
        try:
            found.append((parts[0].strip(), parts[1].strip(), float(parts[2])))
        except (IndexError, ValueError):
            if found or len(parts) < 3:
                raise ValueError(f"{where}: line {number}: expected a word, a word and a number, got "
                                 f"{line[:60]!r}; mend it") from None
    if not found:
        raise ValueError(f"{where}: there are no pairs of words; give lines such as 'tiger\\tcat\\t7.35'")
    return found


def word_similarity(table, pairs):
    """Return the `Similarity` of cosines and judgements.

    Parameters
    ----------
    table : gluon_rnn.answers.vector_table.VectorTable
        Where it has no vector of a word, that of the word in small letters, or with a capital, counts.
    pairs : list of (str, str, float)
        As `read_pairs` gives them. Pairs with a word that has no vector are left out.

    Raises
    ------
    ValueError
        If fewer than three pairs are left.
    """
    found = [(spelled(first, table), spelled(second, table), score) for first, second, score in pairs]
    found = [pair for pair in found if None not in pair]
    if len(found) < 3:
        raise ValueError(f"{len(found)} of {len(pairs)} pairs have two words with vectors, and a correlation needs 3; "
                         "take vectors of more words")
    cosines = np.array([table.cosine(first, second) for first, second, _ in found])
    correlation = stats.spearmanr(cosines, [score for *_, score in found]).statistic
    return Similarity(float(correlation), len(found), len(pairs))


def spelled(word, table):
    """Return the spelling of a word that has a vector, None where none has."""
    return next((form for form in (word, word.lower(), word.capitalize()) if form in table), None)
