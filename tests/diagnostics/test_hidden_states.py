"""Mean states by word, and their tree, against sums and distances by hand."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import MeanStates, NothingToShowError, mean_states

NAMES = ["the", "cat", "dog", "sees", "never"]


@pytest.fixture
def batches():
    return [(np.random.normal(size=(rows, 3)).astype("float32"), np.random.randint(0, 4, rows)) for rows in (40, 25)]


def test_means_are_over_all_places_of_a_word_in_all_batches(batches):
    found = mean_states(batches, NAMES)
    states, ids = (np.concatenate(parts) for parts in zip(*batches))
    counts = np.bincount(ids, minlength=4)
    order = np.argsort(-counts, kind="stable")
    assert found.names == [NAMES[index] for index in order] and found.counts.tolist() == counts[order].tolist()
    for name, mean in zip(found.names, found.means):
        np.testing.assert_allclose(mean, states[ids == NAMES.index(name)].astype(float).mean(axis=0), rtol=1e-12)


def test_words_may_be_chosen(batches):
    assert set(mean_states(batches, NAMES, chosen=["dog", "cat", "the", "dog"]).names) == {"dog", "cat", "the"}
    assert len(mean_states(batches, NAMES, most=3).names) == 3
    for name in ("never", "horse"):
        with pytest.raises(ValueError, match=f"the word '{name}' does not occur in what the model has read"):
            mean_states(batches, NAMES, chosen=["cat", name])
    with pytest.raises(NothingToShowError, match="states of 2 words make no tree, which takes three"):
        mean_states(batches, NAMES, chosen=["cat", "dog"])


@pytest.fixture
def tree():
    """Return two pairs, 1 and 2 apart; between the pairs 10."""
    return MeanStates("word", list("abcd"), np.array([4, 3, 2, 1]), np.array([[0.0, 0], [10, 0], [0, 1], [10, 2]]))


def test_the_tree_joins_the_nearest_first_at_mean_distances(tree):
    between = np.mean([10, np.hypot(10, 2), np.hypot(10, 1), np.hypot(10, 1)])
    np.testing.assert_allclose(tree.linkage, [[0, 2, 1, 2], [1, 3, 2, 2], [4, 5, between, 4]])
    assert sorted(map(sorted, tree.clusters(2))) == [["a", "c"], ["b", "d"]]
    table = tree.linkage_table()
    assert table["left"].tolist() == ["a", "b", "cluster 1"] and table["right"].tolist() == ["c", "d", "cluster 2"]
    np.testing.assert_allclose(table["distance"], [1, 2, between])


def test_the_table_is_in_the_order_of_the_dendrogram(tree):
    table = tree.table()
    assert "".join(table["name"]) in ("acbd", "cabd", "acdb", "cadb", "bdac", "dbac", "bdca", "dbca")
    assert dict(zip(table["name"], table["count"])) == {"a": 4, "b": 3, "c": 2, "d": 1}
    places = table.set_index("name")[["component_1", "component_2"]]
    for one, other, apart in (("a", "c", 1), ("b", "d", 2), ("a", "b", 10)):    # two components keep distances in 2-D
        assert np.linalg.norm(places.loc[one] - places.loc[other]) == pytest.approx(apart)


def test_the_sentence_names_the_closest(tree):
    assert tree.summary() == ("mean states of 4 words over 10 steps: two components hold 100% of the variance; "
                              "closest are 'a' and 'c', 'b' and 'd'")
