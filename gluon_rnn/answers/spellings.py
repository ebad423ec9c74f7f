"""Characters of the words of a batch as arrays: padded in one array, or in groups of words of similar length.

Nearly every batch has a few long words and many short ones: in one array (`dense_spellings`) about two thirds of the
characters are padding. `grouped_spellings` sorts the words of all sentences by length and pads them within groups; an
index, the *place* of a word, gives its position.
"""
import numpy as np

from gluon_rnn.answers.padding import pad

__all__ = ["GROUPS", "dense_spellings", "grouped_spellings"]

#: groups of words
GROUPS = 4
# Shares of the words, from the shortest on, in front of which the second, third and fourth begin: long ones are few.
_CUTS = (0.4, 0.75, 0.92)


def dense_spellings(spellings, steps):
    """Return characters (T, N, M) int32 and their numbers (T, N) float32.

    Parameters
    ----------
    spellings : list of N lists of (M_i,) arrays
        Characters of each word of each sentence.
    steps : int
        T, words of the longest sentence.
    """
    longest = max(len(word) for spelling in spellings for word in spelling)
    chars = np.zeros((steps, len(spellings), longest), np.int32)
    char_lengths = np.zeros((steps, len(spellings)), np.float32)
    for row, spelling in enumerate(spellings):
        for step, word in enumerate(spelling):
            chars[step, row, :len(word)] = word
            char_lengths[step, row] = len(word)
    return chars, char_lengths


def grouped_spellings(spellings, steps):
    """Return the place (T, N) int32 of each word, then characters (M_g, W_g) int32 and lengths (W_g,) of each group.

    Arguments as those of `dense_spellings`. Places count through all groups; past a sentence's end they are 0. A group
    that no word falls into has one word of one character, which no place refers to.

    Examples
    --------
    >>> words = [[np.arange(1), np.arange(7)], [np.arange(2)]]
    >>> places, *groups = grouped_spellings(words, 2)
    >>> places.tolist(), [characters.shape for characters in groups[::2]]
    ([[0, 1], [3, 0]], [(1, 1), (2, 1), (1, 1), (7, 1)])
    """
    words = [word for spelling in spellings for word in spelling]
    order = np.argsort([len(word) for word in words], kind="stable")
    cuts = [0, *(int(share * len(words)) for share in _CUTS), len(words)]
    places, groups, before = np.zeros(len(words), np.int32), [], 0
    for begin, end in zip(cuts, cuts[1:]):
        chosen = order[begin:end]
        places[chosen] = before + np.arange(len(chosen))
        padded, lengths = pad([words[index] for index in chosen] or [np.zeros(1, np.int32)])
        groups += [padded.astype(np.int32), lengths]
        before += len(lengths)
    ends = np.cumsum([len(spelling) for spelling in spellings])[:-1]
    by_sentence = np.zeros((steps, len(spellings)), np.int32)
    for row, found in enumerate(np.split(places, ends)):
        by_sentence[:len(found), row] = found
    return [by_sentence, *groups]
