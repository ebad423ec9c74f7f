"""Letters of words as arrays: every word is found where its place says, in groups of any make.

Tests `gluon_rnn/answers/spellings.py` too.
"""
import numpy as np
import pytest

from gluon_rnn.data.spellings import GROUPS, dense_spellings, grouped_spellings


def sentences(counts, longest, seed=0):
    """Return so many words for each sentence, each of 1 to `longest` character ids."""
    random = np.random.default_rng(seed)
    return [[random.integers(1, 50, size=random.integers(1, longest + 1)).astype(np.int32) for _ in range(count)]
            for count in counts]


@pytest.mark.parametrize("counts, longest", [([7, 3, 5], 9), ([1], 4), ([2, 1], 1), ([30] * 8, 14)])
def test_every_word_is_where_its_place_says(counts, longest):
    spellings = sentences(counts, longest)
    places, *groups = grouped_spellings(spellings, max(counts))
    assert len(groups) == 2 * GROUPS and places.shape == (max(counts), len(counts)) and places.dtype == np.int32
    rows = [letters[:int(length)] for chars, lengths in zip(groups[::2], groups[1::2])
            for letters, length in zip(chars.T, lengths)]
    for row, spelling in enumerate(spellings):
        for step, word in enumerate(spelling):
            np.testing.assert_array_equal(rows[places[step, row]], word)
    assert all(chars.dtype == np.int32 for chars in groups[::2])
    assert not places[np.arange(max(counts))[:, None] >= np.array(counts)].any()


def test_groups_save_most_of_the_padding():
    spellings = sentences([30] * 8, 14)
    dense, (_, *groups) = dense_spellings(spellings, 30)[0], grouped_spellings(spellings, 30)
    real = sum(len(word) for spelling in spellings for word in spelling)
    grouped = sum(chars.size for chars in groups[::2])
    assert real <= grouped < real + 0.5 * (dense.size - real)


def test_dense_letters_stand_in_the_place_of_their_word():
    spellings = sentences([3, 1], 5)
    chars, lengths = dense_spellings(spellings, 4)
    assert chars.shape[:2] == lengths.shape == (4, 2) and lengths.dtype == np.float32
    for row, spelling in enumerate(spellings):
        for step in range(4):
            word = spelling[step] if step < len(spelling) else []
            np.testing.assert_array_equal(chars[step, row, :len(word)], word)
            assert lengths[step, row] == len(word) and not chars[step, row, len(word):].any()
