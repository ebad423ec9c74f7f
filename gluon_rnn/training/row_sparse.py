"""Gradients of tables of which a batch touches few rows."""
from dataclasses import dataclass
from typing import Any

import mxnet as mx

from gluon_rnn.nn import numpy_ops

__all__ = ["OPTIMIZERS", "RowSparse"]

#: MXNet's optimisers that touch the rows of such a gradient alone. For sgd without momentum and adagrad this is what
#: the whole gradient would do; adam, and momentum, leave rows as they are until they have a gradient again.
OPTIMIZERS = ("adagrad", "adam", "sgd")


@dataclass
class RowSparse:
    """A gradient (V, D) whose other rows are 0.

    Attributes
    ----------
    rows : (r,) int64 array
        In order, each once.
    values : (r, D) array
        May be changed in place.
    """

    rows: Any
    values: Any

    def array(self, like):
        """Return the row-sparse array of the shape of `like`, an NDArray."""
        return mx.nd.sparse.row_sparse_array((numpy_ops.from_numpy(self.values, like.context), self.rows),
                                             shape=like.shape, ctx=like.context, dtype=self.values.dtype)
