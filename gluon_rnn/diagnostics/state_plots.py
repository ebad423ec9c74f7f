"""Pictures of mean states and of vectors of words; matplotlib's backend is left alone."""
import numpy as np
from scipy.cluster import hierarchy

from gluon_rnn.diagnostics.plots import _panels, _saved

__all__ = ["dendrogram_figure", "embedding_figure", "state_figure"]

_MAPS = {"pca": ("principal components", "component 1", "component 2"), "tsne": ("t-SNE of cosines", "", "")}

_ARROW = {"arrowstyle": "-", "color": "grey", "linewidth": 0.4}


def dendrogram_figure(found, path=None):
    """Draw the tree of mean states with a name at each leaf.

    Parameters
    ----------
    found : gluon_rnn.diagnostics.MeanStates
    path : str or Path, optional
        Where a PNG is written.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = _panels(1, 1, (8, 0.8 + 0.19 * len(found.names)))
    axes = panels[0, 0]
    hierarchy.dendrogram(found.linkage, labels=_shown(found.names), orientation="left", ax=axes, leaf_font_size=9,
                         color_threshold=0.7 * found.linkage[-1, 2], above_threshold_color="grey")
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.invert_yaxis()                                                   # the first of the table at the top
    axes.set(xlabel="distance", title=f"mean states of {len(found.names)} {found.kind}s, average linkage")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    return _saved(figure, path)


def state_figure(found, path=None):
    """Draw the first two principal components of mean states, coloured as the dendrogram; see `dendrogram_figure`."""
    shares = found.components[1]
    clusters = hierarchy.fcluster(found.linkage, 0.7 * found.linkage[-1, 2], criterion="distance")
    return _map(found.names, found.components[0], path, clusters=clusters,
                title=f"mean states of {len(found.names)} {found.kind}s",
                xlabel=f"component 1, {shares[0]:.0%} of the variance", ylabel=f"component 2, {shares[1]:.0%}")


def embedding_figure(found, path=None):
    """Draw the map of vectors; `found` is a `gluon_rnn.diagnostics.Embeddings`, see `dendrogram_figure`."""
    title, xlabel, ylabel = _MAPS[found.method]
    return _map(found.words, found.coordinates, path, title=f"vectors of {len(found.words)} words, {title}",
                xlabel=xlabel, ylabel=ylabel)


def _map(names, places, path, clusters=None, **labels):
    figure, panels = _panels(1, 1, (9, 7))
    axes = panels[0, 0]
    numbers = np.zeros(len(names), int) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    axes.scatter(*places.T, s=10, c=[f"C{number % 10}" for number in numbers])
    axes.margins(0.08)
    axes.set(**labels)
    axes.grid(alpha=0.3)
    for name, place, shift in zip(_shown(names), places, _shifts(axes, names, places)):
        axes.annotate(name, place, fontsize=8, xytext=shift, textcoords="offset points", parse_math=False,
                      arrowprops=_ARROW if np.abs(shift).max() > 12 else None)
    return _saved(figure, path)


def _shifts(axes, names, places, height=9.5, width=5.2):
    """Return where each name stands beside its point, (x, y) in points of print, so that names do not overlap.

    Names are set from the top; each takes the place nearest to its point that is free, a few lines away at most.
    """
    axes.figure.draw_without_rendering()                                  # the layout is made when it is drawn
    scale = 72 / axes.figure.dpi
    points = axes.transData.transform(places) * scale
    found, taken = np.zeros((len(names), 2)), [(x - 2, y - 2, x + 2, y + 2) for x, y in points]
    choices = sorted(((side * x, y) for y in height * np.arange(-12, 13) / 2 for x in (3, 25, 50) for side in (1, -1)),
                     key=lambda at: abs(at[1]) + abs(at[0]) / 4)
    for index in np.argsort(-points[:, 1], kind="stable"):
        length = width * max(1, len(names[index]))
        for x, y in choices:
            left = points[index, 0] + (x if x > 0 else x - length)
            box = (left, points[index, 1] + y - 3, left + length, points[index, 1] + y - 3 + height)
            if all(box[2] < other[0] or box[0] > other[2] or box[3] <= other[1] or box[1] >= other[3]
                   for other in taken):
                break
        taken.append(box)
        found[index] = (x if x > 0 else x - length, y - 3)
    return found


def _shown(names):
    """Return names that can be seen: spaces and ends of lines as signs."""
    signs = {" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "": "\u2205"}
    return [signs.get(name, name) for name in names]
