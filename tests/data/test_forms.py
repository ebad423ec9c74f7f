"""What users have in memory as readers give it, and one sentence for each thing that it may not be."""
import re

import numpy as np
import pandas as pd
import pytest

from gluon_rnn.data import forms
from gluon_rnn.data.placement import place


def test_texts():
    assert forms.running_text("a\r\nb\rc", "") == "a\nb\nc" and forms.running_text(["a", "b\n"], "") == "a\nb\n"
    found = forms.labelled_texts((pd.Series([" a ", "b"], index=[3, 4]), np.array([1, True])), "")
    assert found == (["a", "b"], ["1", "1"])
    assert forms.labelled_texts((["a"], [False]), "")[1] == ["False"]


def test_pairs_and_tags():
    assert forms.sentence_pairs((["a ", "b"], ["c", ""]), "") == [("a", "c"), ("b", "")]
    assert forms.sentence_pairs([("a", "c"), ["b", "d"]], "") == [("a", "c"), ("b", "d")]
    assert forms.tagged_sentences(([["a", "b"]], [("A", "B")]), "") == [(("a", "b"), ("A", "B"))]


def test_sequences_are_copies():
    given = np.zeros((2, 3))
    (first, second), labels = forms.labelled_sequences((given, ["a", 2]), "")
    given[:] = 1
    assert first.shape == (3, 1) and not first.any() and labels == ["a", "2"]
    sequences, values = forms.sequences_with_values(([[[1, 2]], [[3, 4], [5, 6]]], [1, 2]), "")
    assert [part.shape for part in sequences] == [(1, 2), (2, 2)] and values.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("form, data, words", [
    (forms.running_text, "", "the text is empty"), (forms.running_text, 3, "expected a text or a list of texts"),
    (forms.running_text, ["a", 3], "HERE: text 1 must be a text, got int 3"),
    (forms.labelled_texts, ["a"], "expected a pair (texts, labels)"),
    (forms.labelled_texts, (["a"], ["x", "y"]), "1 texts and 2 labels"),
    (forms.labelled_texts, ("ab", ["x", "y"]), "the texts: expected a list"),
    (forms.labelled_texts, ([], []), "there are no texts"), (forms.labelled_texts, ([" "], [1]), "text 0 is blank"),
    (forms.labelled_texts, (["a", "b"], [1, None]), "label 1 must be a text or a whole number, got NoneType"),
    (forms.labelled_texts, (["a"], [float("nan")]), "label 0 must be"),
    (forms.labelled_sequences, ([[1, np.nan]], ["a"]), "sequence 0: a number is missing or infinite, at [1]"),
    (forms.labelled_sequences, ([["x"]], ["a"]), "sequence 0: expected numbers"),
    (forms.labelled_sequences, ([[]], ["a"]), "sequence 0 must have the shape"),
    (forms.labelled_sequences, ([[[1, 2]], [[1]]], [0, 1]), "sequence 1 has 1 features and sequence 0 has 2"),
    (forms.sequences_with_values, ([[1]], [[[1]]]), "the values must be (n,) or (n, K)"),
    (forms.sequences_with_values, ([[1]], ["a"]), "the values: expected numbers"),
    (forms.sentence_pairs, [("a",)], "pair 0 must be two texts"), (forms.sentence_pairs, "ab", "expected (source"),
    (forms.tagged_sentences, ([["a", "b"]], [["A"]]), "sentence 0 has 2 words and 1 tags"),
    (forms.tagged_sentences, ([["a b"]], [["A"]]), "texts without white space, got 'a b'"),
    (forms.tagged_sentences, (["ab"], [["A"]]), "sentence 0: expected a list of texts"),
    (forms.tagged_sentences, ([[]], [[]]), "sentence 0 has 0 words"),
])
def test_mistakes_are_one_sentence(form, data, words):
    with pytest.raises(ValueError, match=re.escape(words.replace("HERE", "the train data given"))) as error:
        form(data, "the train data given")
    assert str(error.value).startswith("the train data given") and "\n" not in str(error.value)


@pytest.mark.parametrize("section, data, words", [
    ({"name": "trajectories", "features": 3}, ([[[1, 2]]], ["a"]), "steps of 2 features, and 3 were expected, those of "
                                                                  "the recipe"),
    ({"name": "trajectories"}, {"train": ([[1]], ["a"]), "test": ([[[1, 2]]], ["a"])},
     "the test data given: steps of 2"),
    ({"name": "trajectory_values", "targets": ["a", "b"]}, ([[1]], [1]), "1 values a sequence, and 2 were expected"),
])
def test_numbers_that_do_not_fit_the_recipe(section, data, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        place(section, data)


def test_values_without_names_are_numbered():
    placed = place({"name": "trajectory_values"}, ([[1], [2]], [[1, 2], [3, 4]]))
    assert placed["targets"] == ["value_1", "value_2"] and placed["features"] == 1
