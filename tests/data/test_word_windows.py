"""Windows of words: subsampling and noise by their formulas, pairs by hand, blocks and lines."""
import numpy as np
import pytest

from gluon_rnn.data.word_windows import BLOCK, Noise, WordWindows, keep_chances, sentences_of

COUNTS = np.array([0, 600, 300, 90, 10])


def windows(words, lines, **changes):
    settings = {"window": 2, "dynamic": False, "noise": Noise(COUNTS, 0.75), "noise_words": 3, "blocks": 2, "seed": 1}
    return WordWindows(np.asarray(words), np.asarray(lines), **{**settings, **changes})


def pairs_of(batches, window):
    """Return (place of the centre, centre, place of the word, word) of all pairs, in order."""
    found, begin = [], 0
    for centres, contexts, pairs, _ in batches:
        assert (contexts[:, window:-window] == centres).all()
        for block, place, other in np.argwhere(pairs):
            here = begin + block * BLOCK
            found.append((here + place, centres[block, place], here + other - window, contexts[block, other]))
        begin += len(centres) * BLOCK
    return found


def test_ends_of_lines_and_unknown_words_go_out():
    words, lines = sentences_of([5, 1, 0, 2, 1, 5, 0, 1], end=1, left_out=[0])
    assert words.tolist() == [5, 2, 5] and lines.tolist() == [0, 1, 2]
    assert sentences_of([3, 4], None)[1].tolist() == [0, 0]


def test_the_chance_to_be_kept():
    chances = keep_chances(COUNTS, 1e-2)
    np.testing.assert_allclose(chances[1:], [np.sqrt(0.01 / 0.6), np.sqrt(0.01 / 0.3), np.sqrt(0.01 / 0.09), 1])
    assert keep_chances(COUNTS, None).tolist() == [1] * 5
    words = np.repeat(np.arange(5), COUNTS * 20)
    kept = windows(words, np.zeros(len(words), int), chances=chances)
    expected = (chances * COUNTS * 20).sum()
    spread = np.sqrt((chances * (1 - chances) * COUNTS * 20).sum())
    assert abs(kept.size - expected) < 5 * spread                         # five standard deviations of the draws


def test_noise_is_drawn_by_counts_to_a_power():
    drawn = Noise(COUNTS, 0.75).draw(np.random.default_rng(0), (200, 200))
    shares = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    want = COUNTS ** 0.75 / (COUNTS ** 0.75).sum()
    assert shares[0] == 0 and (abs(shares - want) <= 5 * np.sqrt(want / drawn.size)).all()
    assert drawn.dtype == np.int32 and drawn.shape == (200, 200)


@pytest.mark.parametrize("size, window", [(BLOCK, 1), (3 * BLOCK + 5, 2), (7, 3)])
def test_pairs_are_all_neighbours_of_one_line(size, window):
    words, lines = np.arange(size) % 5, np.arange(size) // 11
    batches = windows(words, lines, window=window)
    assert len(list(batches)) == len(batches) == -(-size // (2 * BLOCK)) and batches.size == size
    want = [(i, words[i], j, words[j]) for i in range(size)
            for j in range(max(0, i - window), min(size, i + window + 1)) if i != j and lines[i] == lines[j]]
    assert pairs_of(batches, window) == want


def test_dynamic_windows_reach_each_distance_as_often_as_they_should():
    size, window = 200 * BLOCK, 4
    words = np.arange(size) % 5
    batches = windows(words, np.zeros(size, int), window=window, dynamic=True)
    found = pairs_of(batches, window)
    distances = np.bincount([abs(here - there) for here, _, there, _ in found])
    # a distance d is within a reach drawn from 1 to 4 with the chance (5 - d) / 4
    want = 2 * size * np.array([(window + 1 - d) / window for d in range(1, window + 1)])
    np.testing.assert_allclose(distances[1:], want, rtol=0.1)
    reach = {}
    for here, _, there, _ in found:
        reach.setdefault(here, set()).add(there - here)
    inner = [reach[place] for place in range(window, size - window)]
    assert all({-d for d in each} == each and each >= {-1, 1} for each in inner)


def test_a_seed_gives_the_same_batches_and_another_one_others():
    def drawn(seed):
        return [np.concatenate([array.ravel() for array in batch]) for batch in
                windows(np.arange(100) % 5, np.zeros(100, int), dynamic=True, seed=seed)]
    same = [np.array_equal(one, other) for one, other in zip(drawn([0, 1]), drawn([0, 1]))]
    assert all(same) and not np.array_equal(drawn([0, 1])[0], drawn([0, 2])[0])
