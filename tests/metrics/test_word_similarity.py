"""Similarity of words: files of pairs, Spearman's correlation by ranks, spellings."""
import numpy as np
import pytest

from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.metrics.word_similarity import read_pairs, word_similarity

PAIRS = [("a", "b", 9.0), ("a", "c", 4.0), ("b", "c", 5.0), ("a", "d", 1.0)]


def test_the_correlation_is_that_of_ranks():
    angles = {"a": 0.0, "b": 0.3, "c": 0.7, "d": 0.5}
    table = VectorTable(list(angles), [[np.cos(angle), np.sin(angle)] for angle in angles.values()])
    found = word_similarity(table, PAIRS)
    # cosines fall with the angle: 0.3, 0.7, 0.4, 0.5 have the ranks 4, 1, 3, 2; the judgements 4, 2, 3, 1
    assert found.correlation == pytest.approx(1 - 6 * (0 + 1 + 0 + 1) / (4 * 15))
    assert (found.used, found.pairs) == (4, 4)
    more = word_similarity(table, [*PAIRS, ("A", "zzz", 3.0)])
    assert (more.used, more.pairs, more.correlation) == (4, 5, found.correlation)
    assert str(more) == "Spearman correlation 0.800 on 4 of 5 pairs"


def test_small_letters_and_capitals_stand_in():
    table = VectorTable(["Mars", "sun"], np.eye(2))
    with pytest.raises(ValueError, match="1 of 2 pairs have two words with vectors, and a correlation needs 3"):
        word_similarity(table, [("mars", "SUN", 1.0), ("moon", "sun", 2.0)])


@pytest.mark.parametrize("text", ["# by hand\nword1\tword2\tscore\na\tb\t9\nc\td\t1.5\tmore\n", "a,b,9\n\nc,d,1.5\n",
                                  "a b 9\nc  d 1.5\n"])
def test_tables_of_pairs(text):
    assert read_pairs(text, "x") == [("a", "b", 9.0), ("c", "d", 1.5)]


@pytest.mark.parametrize("text, message", [("a b 9\nc d\n", "x: line 2: expected a word, a word and a number"),
                                           ("a\tb\t9\nc\td\te\n", "x: line 2"), ("# nothing\n", "x: there are no"),
                                           ("a b\n", "x: line 1")])
def test_what_is_no_table_of_pairs(text, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(text, "x")
