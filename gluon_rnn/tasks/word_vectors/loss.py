"""The loss graph of word vectors, with gradients of the rows that a batch touches."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from mxnet import gluon

from gluon_rnn.models import window_gradients
from gluon_rnn.nn import numpy_ops
from gluon_rnn.training.row_sparse import RowSparse

__all__ = ["ARCHITECTURES", "WordVectorLoss"]

#: each with the tables that centres and contexts are looked up in
ARCHITECTURES = {"skip_gram": (window_gradients.skip_gram, "embedding_weight", "output_weight"),
                 "cbow": (window_gradients.cbow, "output_weight", "embedding_weight")}
# Blocks that are computed together, whose vectors and scores stay in the cache.
_PIECE = 8


class WordVectorLoss(gluon.HybridBlock):
    """A model of word vectors and its loss.

    Parameters
    ----------
    model : WordVectors
    architecture : {"skip_gram", "cbow"}
    negatives : float
        Words of noise for each right one.
    workers : int, default 1
        Threads that compute gradients on a CPU; the result does not depend on it.

    Inputs/Outputs
    --------------
    centres (B, L), contexts (B, S), pairs (B, L, S) and noise (B, M), as `gluon_rnn.data.word_windows.WordWindows` has
    them -> summed loss in nats, shape (1,).
    """

    def __init__(self, model, architecture, negatives, workers=1, **kwargs):
        super().__init__(**kwargs)
        self.model, self._architecture, self._negatives, self._workers = model, architecture, negatives, workers
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def hybrid_forward(self, F, centres, contexts, pairs, noise):
        return self.model.window_loss(centres, contexts, pairs, noise, self._architecture, self._negatives)

    def loss_and_gradients(self, centres, contexts, pairs, noise):
        """Return the summed loss (float) and {parameter: `RowSparse`}, by hand; see `ManualBackward`."""
        _, *tables = ARCHITECTURES[self._architecture]
        parameters = [getattr(self.model, name) for name in tables]
        weights = [numpy_ops.view(parameter.data()) for parameter in parameters]
        ids = [array.asnumpy() for array in (centres, contexts, noise)]
        pairs = pairs.asnumpy()
        places = [slice(begin, begin + _PIECE) for begin in range(0, len(pairs), _PIECE)]
        noise_table = weights[tables.index("output_weight")]
        given = [(weights[0], weights[1], noise_table, [part[place] for part in ids], pairs[place]) for place in places]
        found = list(self._map(self._piece, given))
        gradients = [[piece[number] for _, piece in found] for number in range(3)]
        groups = {name: [(ids[number], gradients[number])] for number, name in enumerate(tables)}
        groups["output_weight"].append((ids[2], gradients[2]))
        sums = self._map(lambda name: _summed(groups[name]), tables)
        return sum(loss for loss, _ in found), dict(zip(parameters, sums))

    def _piece(self, given):
        first, second, third, (centres, contexts, noise), pairs = given
        function = ARCHITECTURES[self._architecture][0]
        return function(first[centres], second[contexts], third[noise], pairs, self._negatives)

    def _map(self, function, items):
        return (self._pool.map if self._pool else map)(function, items)


def _summed(groups):
    """Return the `RowSparse` sum of groups of (ids, list of gradients that make up theirs)."""
    ids = np.concatenate([ids.ravel() for ids, _ in groups])
    size = groups[0][1][0].shape[-1]
    gradients = np.concatenate([part.reshape(-1, size) for _, parts in groups for part in parts])
    return RowSparse(*window_gradients.row_sums(ids, gradients))
