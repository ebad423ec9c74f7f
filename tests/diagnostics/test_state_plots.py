"""What pictures of mean states and of vectors show."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import MeanStates, dendrogram_figure, embedding_figure, embeddings, state_figure


@pytest.fixture
def found():
    return MeanStates("character", ["a", " ", "$x$", "\n"], np.array([4, 3, 2, 1]),
                      np.array([[0.0, 0], [10, 0], [0, 1], [10, 2]]))


def test_leaves_have_names_that_can_be_seen_in_the_order_of_the_table(found, tmp_path):
    axes, = dendrogram_figure(found, tmp_path / "a.png").axes
    signs = {" ": "\u2423", "\n": "\u21b5"}
    by_height = sorted(zip(axes.get_yticks(), (label.get_text() for label in axes.get_yticklabels())))
    assert [name for _, name in by_height] == [signs.get(name, name) for name in found.table()["name"]]
    assert axes.yaxis_inverted()                                          # the first one at the top
    forks = np.array([np.max(path.vertices[:, 0]) for lines in axes.collections for path in lines.get_paths()])
    np.testing.assert_allclose(np.sort(forks), found.linkage[:, 2])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_points_are_the_components_with_colours_of_clusters(found, tmp_path):
    axes, = state_figure(found, tmp_path / "a.png").axes
    points, = axes.collections
    np.testing.assert_allclose(points.get_offsets(), found.components[0])
    colours = [tuple(colour) for colour in points.get_facecolors()]
    assert colours[0] == colours[2] != colours[1] == colours[3]
    assert [text.xy for text in axes.texts] == [tuple(place) for place in found.components[0]]
    assert axes.get_xlabel() == f"component 1, {found.components[1][0]:.0%} of the variance"


def test_names_do_not_cover_each_other():
    """40 points within a twentieth of the picture; boxes of what is drawn, a pixel of the edges aside."""
    close = np.random.normal(size=(40, 2)) * 0.02
    vectors = np.concatenate([1 + close, [[-1, 1], [1, -1]]])
    found = embeddings(vectors, [f"w{number}" for number in range(42)])
    figure = embedding_figure(found)
    figure.draw_without_rendering()
    boxes = np.array([text.get_window_extent().extents for text in figure.axes[0].texts])
    left, bottom, right, top = boxes.T
    overlap = (np.minimum(right[:, None], right) - np.maximum(left[:, None], left) > 1) & (
        np.minimum(top[:, None], top) - np.maximum(bottom[:, None], bottom) > 3)
    assert overlap.sum() - len(boxes) <= 8                                # of 861 pairs, each counted twice
