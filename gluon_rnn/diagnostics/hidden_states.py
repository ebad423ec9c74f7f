"""What a network has learnt about words: their mean hidden states, in two dimensions and as a tree of clusters.

A network that predicts the next word must hold in its state what matters for it. The mean of its states by word, over
all places of a text where the word was just read, puts words together that have the same continuations.

References
----------
Elman (1990), Finding structure in time, figures 7 and 8: hierarchical clustering of mean hidden vectors. Murtagh and
Contreras (2012), Algorithms for hierarchical clustering: an overview; average linkage is that of Sokal and Michener
(1958).
"""
import dataclasses
import functools

import numpy as np
import pandas as pd
from scipy.cluster import hierarchy

from gluon_rnn.diagnostics.projection import NothingToShowError, principal_components

__all__ = ["MeanStates", "mean_states"]

#: pairs of words that a summary names
_PAIRS = 3


@dataclasses.dataclass
class MeanStates:
    """Mean hidden states of words, characters or labels.

    Parameters
    ----------
    kind : str
        What the names are: "word", "character", "label".
    names : list of n str
    counts : (n,) int array
        Steps that each mean is over.
    means : (n, H) float64 array
    """

    kind: str
    names: list
    counts: np.ndarray
    means: np.ndarray

    @functools.cached_property
    def components(self):
        """Coordinates (n, 2) along the first two principal components, and their shares of the variance (2,)."""
        return principal_components(self.means)

    @functools.cached_property
    def linkage(self):
        """The tree, (n - 1, 4) as SciPy has it: two clusters, their distance, and the names in both.

        Average linkage of Euclidean distances; cluster i < n is name i, cluster n + i is that of row i.
        """
        return hierarchy.linkage(self.means, method="average")

    @functools.cached_property
    def order(self):
        """The names' numbers as they stand beside each other in the dendrogram, (n,)."""
        return np.array(hierarchy.leaves_list(self.linkage))

    def clusters(self, count):
        """Return the names in `count` clusters, a list of lists of str, the tree being cut there."""
        numbers = hierarchy.fcluster(self.linkage, count, criterion="maxclust")
        return [[self.names[index] for index in self.order if numbers[index] == number]
                for number in dict.fromkeys(numbers[self.order])]

    def table(self):
        """Return a pandas.DataFrame in the order of the dendrogram: name, count, component_1, component_2."""
        coordinates, _ = self.components
        return pd.DataFrame({"name": self.names, "count": self.counts, "component_1": coordinates[:, 0],
                             "component_2": coordinates[:, 1]}).iloc[self.order].reset_index(drop=True)

    def linkage_table(self):
        """Return `linkage` as a pandas.DataFrame: cluster, left, right, distance, size; names where one stands alone.
        """
        label = [*self.names, *(f"cluster {number}" for number in range(1, len(self.names)))]
        return pd.DataFrame({"cluster": label[len(self.names):], "left": [label[int(i)] for i in self.linkage[:, 0]],
                             "right": [label[int(i)] for i in self.linkage[:, 1]], "distance": self.linkage[:, 2],
                             "size": self.linkage[:, 3].astype(int)})

    def summary(self):
        """Return a sentence: how much two components hold, and which names are closest."""
        pairs = [row for row in self.linkage if max(row[:2]) < len(self.names)][:_PAIRS]
        near = ", ".join(f"{self.names[int(left)]!r} and {self.names[int(right)]!r}" for left, right, _, _ in pairs)
        shares = self.components[1]
        return (f"mean states of {len(self.names)} {self.kind}s over {int(self.counts.sum()):,} steps: two components "
                f"hold {shares.sum():.0%} of the variance; closest are {near}")


def mean_states(batches, names, kind="word", chosen=None, most=50):
    """Average hidden states by what was read, or by what was to be said, at their step.

    Parameters
    ----------
    batches : iterable of (states (M, H), ids (M,))
        States of steps, and the id of the word, character or label of each.
    names : list of str
        Of each id.
    kind : str, default "word"
    chosen : list of str, optional
        Names to look at; default the `most` frequent ones.
    most : int, default 50

    Returns
    -------
    MeanStates
        The most frequent first.

    Raises
    ------
    NothingToShowError
        If fewer than three names occur.
    ValueError
        If a chosen name is unknown or does not occur.
    """
    sums, counts = None, np.zeros(len(names), int)
    for states, ids in batches:
        sums = np.zeros((len(names), states.shape[1])) if sums is None else sums
        kept, places = np.unique(ids, return_inverse=True)
        order = np.argsort(places, kind="stable")
        starts = np.searchsorted(places[order], np.arange(len(kept)))
        sums[kept] += np.add.reduceat(np.asarray(states, np.float64)[order], starts, axis=0)
        counts[kept] += np.bincount(places)
    ids = _chosen(names, counts, chosen, most, kind)
    return MeanStates(kind, [names[index] for index in ids], counts[ids], sums[ids] / counts[ids, None])


def _chosen(names, counts, chosen, most, kind):
    """Return the ids of the names to look at, the most frequent first."""
    ids = np.flatnonzero(counts)
    if chosen is not None:
        places = {names[index]: index for index in ids}
        missing = [name for name in chosen if name not in places]
        if missing:
            raise ValueError(f"the {kind} {missing[0]!r} does not occur in what the model has read; leave it out")
        ids, most = np.array([places[name] for name in dict.fromkeys(chosen)], int), None
    ids = ids[np.argsort(-counts[ids], kind="stable")][:most]
    if len(ids) < 3:
        raise NothingToShowError(f"states of {len(ids)} {kind}s make no tree, which takes three; choose more of them")
    return ids
