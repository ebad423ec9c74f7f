"""Neighbours and maps of vectors whose angles are known."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import NothingToShowError, embeddings, principal_components

DEGREES = {"<unk>": 1, "a": 0, "b": 10, "c": 50, "d": 180}


def at(degrees):
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


@pytest.fixture
def vectors():
    """Return vectors of several lengths at known angles."""
    return np.array([length * np.array(at(angle)) for length, angle in zip((1, 2, 3, 4, 5), DEGREES.values())])


def test_neighbours_are_by_cosine_whatever_the_lengths(vectors):
    found = embeddings(vectors, list(DEGREES))
    assert found.words == ["a", "b", "c", "d"]                             # <unk> is no word
    near = found.neighbours("c", 3)
    assert [word for word, _ in near] == ["b", "a", "d"]
    np.testing.assert_allclose([cosine for _, cosine in near], np.cos(np.radians([40, 50, 130])))
    np.testing.assert_allclose(found.vector("b"), at(10))
    table = found.neighbour_table(2)
    assert table[table["word"] == "d"]["neighbour"].tolist() == ["c", "b"]


def test_the_map_is_of_vectors_of_length_one(vectors):
    found = embeddings(vectors, list(DEGREES))
    expected, _ = principal_components([at(angle) for angle in (0, 10, 50, 180)])
    np.testing.assert_allclose(found.table()[["x", "y"]], expected, atol=1e-12)


def test_words_and_candidates(vectors):
    found = embeddings(vectors, list(DEGREES), ["d", "a", "<unk>"], among=1)
    assert found.words == ["d", "a", "<unk>"]
    assert [word for word, _ in found.neighbours("b")] == ["<unk>", "a", "d"]      # the first one, and those of the map


def test_the_sentence_names_each_group_once(vectors):
    assert embeddings(vectors, list(DEGREES)).summary() == (
        "nearest vectors, by cosine: 'a': 'b' 0.98, 'c' 0.64, 'd' -1.00")


def test_t_sne_keeps_two_groups_apart():
    pytest.importorskip("sklearn")
    groups = np.array([at(angle) for angle in (0, 1, 2, 3, 90, 91, 92, 93)])
    plane = embeddings(groups, list("abcdefgh"), method="tsne").coordinates
    assert np.array_equal(embeddings(groups, list("abcdefgh"), method="tsne").coordinates, plane)        # repeatable
    distances = np.linalg.norm(plane[:, None] - plane, axis=2) + 1e9 * np.eye(8)
    assert (distances.argmin(axis=1) // 4).tolist() == [0] * 4 + [1] * 4


def test_mistakes(vectors):
    with pytest.raises(ValueError, match=r"vectors must be \(V, E\) for V = 2 tokens, got shape \(5, 2\)"):
        embeddings(vectors, ["a", "b"])
    with pytest.raises(ValueError, match="'horse' is not among the 5 tokens of the vocabulary"):
        embeddings(vectors, list(DEGREES), ["horse"])
    with pytest.raises(ValueError, match="method must be one of pca, tsne, got 'umap'"):
        embeddings(vectors, list(DEGREES), method="umap")
    with pytest.raises(NothingToShowError, match="a map takes three vectors, and there are 2"):
        embeddings(vectors, list(DEGREES), ["a", "b"])
