"""Tables of vectors: cosines, neighbours and analogies by hand; words that are not there."""
import numpy as np
import pytest

from gluon_rnn.answers.vector_table import VectorTable

WORDS = ["man", "woman", "king", "queen", "none", "far"]
VECTORS = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 2], [1, 1, 2], [0, 0, 0], [-3, -1, -1.0]])


@pytest.fixture(scope="module")
def table():
    return VectorTable(WORDS, VECTORS)


def test_neighbours_are_those_of_largest_cosine(table):
    lengths = np.linalg.norm(VECTORS, axis=1)
    lengths[4] = 1                                                        # of zeros: no direction, cosine 0
    cosines = VECTORS @ VECTORS[0] / (lengths * lengths[0])
    order = [index for index in np.argsort(-cosines, kind="stable") if index != 0]
    found = table.nearest("man", 9)
    assert [word for word, _ in found] == [WORDS[index] for index in order]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[order], rtol=1e-6, atol=1e-7)
    assert table.nearest("far", 9, among=2)[0][0] == "woman" and len(table.nearest("far", 9, among=2)) == 2
    assert table.cosine("king", "queen") == pytest.approx(5 / np.sqrt(30), rel=1e-6)


def test_an_analogy_adds_vectors_of_length_one(table):
    assert table.analogy("man", "woman", "king")[0][0] == "queen"
    units = VECTORS / np.maximum(np.linalg.norm(VECTORS, axis=1, keepdims=True), 1e-9)
    target = units[1] - units[0] + units[2]
    assert table.analogy("man", "woman", "king", 2)[0][1] == pytest.approx(
        units[3] @ target / np.linalg.norm(target), rel=1e-6)


def test_chosen_words(table):
    some = table.chosen(["queen", "boy", "man"])
    assert some.words == ["queen", "man"] and some.vectors.tolist() == VECTORS[[3, 0]].tolist() and some.size == 3
    assert "boy" not in some and len(some) == 2
    with pytest.raises(ValueError, match="none of 1 words is among the 6 that have vectors"):
        table.chosen(["boy"])


def test_mistakes(table):
    with pytest.raises(ValueError, match="'quen' is not among the 6 words that have vectors; did you mean 'queen'?"):
        table.nearest("quen")
    with pytest.raises(ValueError, match="'zzz' is not among the 6 words that have vectors; ask for one of those"):
        table.place("zzz")
    for words, vectors, message in ((["a"], [[1], [2]], r"got an array of shape \(2, 1\)"), (["a", "a"], [[1], [2]],
                                    "'a' is there twice"), (["a"], [[np.inf]], "'a' has a number that is not finite")):
        with pytest.raises(ValueError, match=message):
            VectorTable(words, vectors)
