"""Minimum Bayes risk: against sums written out, and the cases that can be told without any.

Tests `gluon_rnn/inference/minimum_risk.py` too, where the name stays.
"""
import doctest

import numpy as np
import pytest

from gluon_rnn.answers import minimum_risk
from gluon_rnn.inference.minimum_risk import choose

sacrebleu = pytest.importorskip("sacrebleu", reason="sacrebleu is in the extra data")


def test_the_highest_expected_bleu():
    random = np.random.default_rng(0)
    for _ in range(20):
        sequences = [list(random.choice(list("abcdef"), random.integers(1, 8))) for _ in range(6)]
        scores = random.normal(size=6)
        expected = [sum(np.exp(score) * sacrebleu.sentence_bleu(" ".join(one), [" ".join(other)], tokenize="none").score
                        for other, score in zip(sequences, scores)) for one in sequences]
        assert choose(sequences, scores) == int(np.argmax(expected))


def test_one_that_is_certain_is_taken_whatever_the_others_say():
    likely, *others = [["x", "y"], ["a", "b", "c", "d"], ["a", "b", "c", "e"], ["a", "b", "c", "f"]]
    assert choose([likely, *others], [0, -50, -50, -50]) == 0
    assert choose([likely, *others], [0, -0.1, -0.1, -0.1]) != 0          # together the others are likelier


def test_one_alone_and_equal_ones():
    assert doctest.testmod(minimum_risk).failed == 0
    assert choose([["a"]], [-3.0]) == 0
    assert choose([[], ["a", "b"], ["a", "b"]], [-1.0, -1.0, -1.0]) == 1  # nothing at all is like nothing


def test_a_token_that_is_a_space_counts():
    assert choose([list("ab"), list("a b"), list("a b")], [0.0, 0.0, 0.0]) == 1


@pytest.mark.parametrize("sequences,scores", [([], []), ([["a"]], []), ([["a"], ["b"]], [0.0])])
def test_one_score_for_each_sequence(sequences, scores):
    with pytest.raises(ValueError, match=f"got {len(sequences)} sequences and {len(scores)} scores"):
        choose(sequences, scores)
