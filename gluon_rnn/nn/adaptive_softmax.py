"""Adaptive softmax: frequent words first, rare ones in clusters that are looked into only where they are needed.

With cutoffs c_1 < ... < c_K, the words below c_1 are the head, those from c_k up to c_{k+1} (V for the last) are
cluster k. Ids have to be in the order of frequency for this to pay; the result is exact in any order.

    log p(w) = log_softmax(W_0 h + b_0)[w]                                                         w in the head
    log p(w) = log_softmax(W_0 h + b_0)[c_1 + k - 1] + log_softmax(W_k P_k h + b_k)[w - c_k]       w in cluster k

W_0 (c_1 + K, H) has a row for each word of the head and one for each cluster, P_k (d_k, H) takes cluster k to
d_k = H / div_value^k dimensions, at least 1, and W_k (V_k, d_k) scores its words.

In training W_k is multiplied only with the hidden outputs that are followed by a word of cluster k. A static graph
cannot count them, so the host does: `AdaptiveSoftmax.arrays` gives their places, padded to a few lengths.

Where weights are tied the embedding is adaptive too: a word of the head is its row of W_0, one of cluster k is
P_k^T W_k[w - c_k].

References
----------
Grave, Joulin, Cisse, Grangier, Jegou (2017), Efficient softmax approximation for GPUs.
Baevski & Auli (2019), Adaptive input representations for neural language modeling: the tied embedding.
"""
import math

import mxnet as mx
import numpy as np

from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.full_softmax import FullSoftmax
from gluon_rnn.registry import outputs

__all__ = ["AdaptiveSoftmax"]

# The places of a cluster are padded to multiples of this share of a batch: few shapes, so that graphs have plans.
_GRAIN = 16


@outputs.register("adaptive_softmax")
class AdaptiveSoftmax(FullSoftmax):
    """Scores of the frequent words at full size, of the others in clusters of fewer dimensions.

    Parameters
    ----------
    cutoffs : sequence of int, rising
        Ids at which a cluster begins; the first is the number of words in the head. All below V.
    div_value : float, >= 1, default 4
        By so much the dimensions of each cluster are fewer than those of the one before.

    Raises
    ------
    ValueError
        If cutoffs do not rise or are not below V, or `div_value` is below 1.

    Notes
    -----
    Its scores are log-probabilities: their softmax is themselves. Parameters: ``head_weight`` (c_1 + K, H),
    ``head_bias``, and for each cluster k from 1 ``tail<k>_projection`` (d_k, H), ``tail<k>_weight`` (V_k, d_k),
    ``tail<k>_bias`` (V_k,); with weights that are not tied ``embedding_weight`` (V, E) too. `parameters` starts
    projections so that words of all clusters have embeddings and scores of one size.

    Example
    -------
    >>> from gluon_rnn.models import LanguageModel
    >>> from gluon_rnn.nn import LSTM
    >>> model = LanguageModel(1000, LSTM(8), tie_weights=True, output=AdaptiveSoftmax([100, 400], div_value=2))
    >>> model.initialize()
    >>> scores = model(mx.nd.ones((5, 3), dtype="int32"))
    >>> scores.shape, bool((abs(scores.exp().sum(axis=2) - 1) < 1e-5).min().asscalar())
    ((5, 3, 1000), True)
    """

    def __init__(self, cutoffs, div_value=4.0):
        super().__init__()
        if not isinstance(cutoffs, (list, tuple)) or not cutoffs:
            raise ValueError(f"cutoffs must be a list of word numbers such as [2000, 10000], got {cutoffs!r}")
        for cutoff in cutoffs:
            check_sizes(cutoffs=cutoff)
        if any(second <= first for first, second in zip(cutoffs, cutoffs[1:])):
            raise ValueError(f"cutoffs must rise, got {list(cutoffs)}")
        if not 1 <= div_value < math.inf:
            raise ValueError(f"div_value must be a number of at least 1, got {div_value!r}")
        self.cutoffs, self.div_value = tuple(cutoffs), div_value

    def set_sizes(self, vocab_size, embed_size, input_size, tied):
        """Take the sizes of a model; see `FullSoftmax`."""
        if self.cutoffs[-1] >= vocab_size:
            raise ValueError(f"the last of cutoffs must be below the {vocab_size} words of the vocabulary, got "
                             f"{list(self.cutoffs)}; lower it, or leave it out")
        super().set_sizes(vocab_size, embed_size, input_size, tied)
        edges = [*self.cutoffs, vocab_size]
        #: (number, first word, words, dimensions) of each cluster
        self._tails = [(k, edges[k - 1], edges[k] - edges[k - 1], max(1, int(input_size // self.div_value ** k)))
                       for k in range(1, len(edges))]
        self._head_size = self.cutoffs[0] + len(self._tails)

    def parameters(self):
        """Return {name: (shape, initializer)}; see `FullSoftmax`."""
        vocab_size, embed_size, input_size = self._sizes
        uniform = mx.init.Uniform(0.1)
        found = {} if self._tied else {"embedding_weight": ((vocab_size, embed_size), uniform)}
        found.update(head_weight=((self._head_size, input_size), uniform), head_bias=((self._head_size,), "zeros"))
        for k, _, words, size in self._tails:
            # Of variance 1 / size: a sum over `size` products then has the variance of one number of the weight.
            found[f"tail{k}_projection"] = ((size, input_size), mx.init.Uniform(math.sqrt(3 / size)))
            found[f"tail{k}_weight"] = ((words, size), uniform)
            found[f"tail{k}_bias"] = ((words,), "zeros")
        return found

    def named_rows(self, tokens):
        """Return what each row stands for, by parameter; see `FullSoftmax`. Projections have no tokens."""
        head = [*tokens[:self.cutoffs[0]], *(f"<cluster {k}>" for k, *_ in self._tails)]
        found = {"head_weight": head, "head_bias": head}
        for k, low, words, _ in self._tails:
            found[f"tail{k}_weight"] = found[f"tail{k}_bias"] = tokens[low:low + words]
        return found if self._tied else {**found, "embedding_weight": tokens}

    def embed(self, F, tokens, weights, drop_e=0.0):
        """Return the embedded tokens (T, N, E) of ids (T, N); see `FullSoftmax`."""
        if not self._tied:
            return super().embed(F, tokens, weights, drop_e)
        flat, first = F.reshape(tokens, shape=(-1,)), self.cutoffs[0]
        total = _only(F, flat < first, functional.embed(F, F.minimum(flat, first - 1), weights["head_weight"], drop_e))
        for k, low, words, _ in self._tails:
            rows = functional.embed(F, _within(F, flat, low, words), weights[f"tail{k}_weight"], drop_e)   # (TN, d_k)
            rows = _only(F, (flat >= low) * (flat < low + words), rows)
            total = total + F.FullyConnected(rows, F.transpose(weights[f"tail{k}_projection"]), no_bias=True,
                                             num_hidden=self._sizes[1])
        return F.reshape_like(total, tokens, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)               # (T, N, E)

    def scores(self, F, hidden, weights):
        """Return the log-probabilities (T, N, V) of all words after hidden outputs (T, N, H)."""
        head, first = F.log_softmax(self._head(F, hidden, weights)), self.cutoffs[0]
        parts = [F.slice_axis(head, axis=2, begin=0, end=first)]
        for k, *_ in self._tails:
            inside = F.log_softmax(self._tail(F, k, hidden, weights))                                      # (T, N, V_k)
            parts.append(F.broadcast_add(inside, F.slice_axis(head, axis=2, begin=first + k - 1, end=first + k)))
        return functional.concat(F, *parts)

    def loss(self, F, hidden, target, weights, *arrays):
        """Return the exact summed cross-entropy, (1,); `arrays` are the places (1, C_k) of each cluster's words."""
        if len(arrays) != len(self._tails):
            raise ValueError(f"the loss needs the places of the words of {len(self._tails)} clusters, got "
                             f"{len(arrays)} arrays; pass those that the layer's `arrays` gives for the target")
        hidden, target = F.reshape(hidden, shape=(-3, 0)), F.reshape(target, shape=(-1,))                  # (TN, H)
        clusters = sum((target >= cutoff for cutoff in self.cutoffs[1:]), target >= self.cutoffs[0])
        first = self.cutoffs[0]
        entry = F.where(target < first, target, clusters + (first - 1))
        total = F.sum(F.pick(F.log_softmax(self._head(F, hidden, weights)), entry))
        for (k, low, words, _), places in zip(self._tails, arrays):
            places = F.reshape(places, shape=(-1,))                                                        # (C_k,)
            rows = F.maximum(places, 0)                                   # padding looks at the first row, and counts 0
            inside = F.log_softmax(self._tail(F, k, F.take(hidden, rows), weights))                        # (C_k, V_k)
            found = F.pick(inside, _within(F, F.take(target, rows), low, words))
            total = total + F.sum(_only(F, places >= 0, found))
        return -total

    asks_the_host = True

    def arrays(self, target, devices=1, random=None):
        """Return for each cluster where its words stand in a target (T, N): (devices, C_k) of int32, padded by -1.

        A place is t N + n, with N the columns of one device.
        """
        steps, columns = target.shape
        parts = [target[:, part].reshape(-1) for part in np.split(np.arange(columns), devices)]
        grain = -(-len(parts[0]) // _GRAIN)
        found = []
        for _, low, words, _ in self._tails:
            places = [np.flatnonzero((part >= low) & (part < low + words)) for part in parts]
            length = grain * max(1, *(-(-len(one) // grain) for one in places))
            found.append(np.stack([np.pad(one, (0, length - len(one)), constant_values=-1) for one in places])
                         .astype(np.int32))
        return found

    def _head(self, F, hidden, weights):
        return F.FullyConnected(hidden, weights["head_weight"], weights["head_bias"], num_hidden=self._head_size,
                                flatten=False)

    def _tail(self, F, k, hidden, weights):
        """Return the scores (..., V_k) of the words of cluster k."""
        _, _, words, size = self._tails[k - 1]
        projected = F.FullyConnected(hidden, weights[f"tail{k}_projection"], no_bias=True, num_hidden=size,
                                     flatten=False)
        return F.FullyConnected(projected, weights[f"tail{k}_weight"], weights[f"tail{k}_bias"], num_hidden=words,
                                flatten=False)


def _within(F, ids, low, words):
    """Return ids less `low`, those of other clusters as any id that can be looked up."""
    return F.minimum(F.maximum(ids - low, 0), words - 1)


def _only(F, condition, rows):
    """Return rows (n, ...) with zeros where a condition (n,) is 0, whatever stood there."""
    return F.where(condition, rows, F.zeros_like(rows))
