"""How far recognised label strings are from the right ones: edit distances by rapidfuzz.

    label error rate = (substitutions + deletions + insertions) / labels of the references

summed over all strings first; it is above 1 where too much is inserted.

References
----------
Graves, Fernandez, Gomez & Schmidhuber (2006), Connectionist Temporal Classification, section 2.1. (There the mean over
strings of the rate of each; here, as in speech recognition, the rate of all labels together.)
"""
from collections import Counter

__all__ = ["error_counts", "string_scores"]


def error_counts(references, recognised):
    """Return a Counter of "replace", "delete" and "insert" that turn each of `references` into what was recognised.

    Both are lists of sequences of labels, of one length.

    >>> sorted(error_counts([[3, 1, 4], [1]], [[3, 4], [2, 1]]).items())
    [('delete', 1), ('insert', 1)]
    """
    levenshtein = _levenshtein()
    return Counter(operation.tag for right, found in zip(references, recognised)
                   for operation in levenshtein.editops(tuple(right), tuple(found)))


def string_scores(references, recognised):
    """Return {"label_error_rate", "string_error_rate"}; the latter is the share of strings that are not wholly right.

    Raises
    ------
    ValueError
        If there are no labels in `references`.
    """
    labels = sum(map(len, references))
    if not labels:
        raise ValueError("there are no labels to relate errors to; give at least one string that is not empty")
    wrong = sum(tuple(right) != tuple(found) for right, found in zip(references, recognised))
    return {"label_error_rate": sum(error_counts(references, recognised).values()) / labels,
            "string_error_rate": wrong / len(references)}


def _levenshtein():
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise ValueError("edit distances need rapidfuzz, which is not installed; "
                         "pip install 'gluon_rnn[data]'") from None
    return Levenshtein
