"""What pictures of mean states and of vectors show."""
import numpy as np
import pytest
from matplotlib.text import Text

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
    """16 points within a hundredth of the picture, and two far away; two pixels for letters above a line."""
    vectors = np.concatenate([[3, 1] + 0.01 * np.random.normal(size=(16, 2)), [[-1, 1], [1, -1]]])
    figure = embedding_figure(embeddings(vectors, [f"word{number}" for number in range(18)]))
    figure.draw_without_rendering()
    left, bottom, right, top = np.array([
        Text.get_window_extent(text).extents for text in figure.axes[0].texts]).T         # without their lines
    overlap = (np.minimum(right[:, None], right) - np.maximum(left[:, None], left) > 2) & (
        np.minimum(top[:, None], top) - np.maximum(bottom[:, None], bottom) > 2)
    assert overlap.sum() == 18                                            # each name with itself
