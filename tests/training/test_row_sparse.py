"""Updates of few rows are those of the whole gradient, for optimisers that have no memory of other rows.

Tests `manual_backward.py` with such gradients too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.optim import optimizers
from gluon_rnn.training.manual_backward import ManualBackward
from gluon_rnn.training.row_sparse import OPTIMIZERS, RowSparse
from tests.reference import rounding

V, D = 9, 3


class Graph:
    """Gives the gradients that it was handed."""

    def __init__(self, parameter, sparse):
        self.parameter, self.sparse = parameter, sparse

    def loss_and_gradients(self, rows, values):
        if self.sparse:
            return 1.0, {self.parameter: RowSparse(rows, values.copy())}
        dense = np.zeros((V, D), dtype=np.float32)
        dense[rows] = values
        return 1.0, {self.parameter: dense}


class Batch:
    def __init__(self, *arrays):
        self.arrays = arrays


def trained(name, sparse, steps=4, **arguments):
    """Return a table after some updates of few rows, and the norms of the gradients."""
    rng = np.random.default_rng(0)
    parameter = gluon.Parameter("table", shape=(V, D))
    parameter.initialize()
    parameter.set_data(mx.nd.array(rng.normal(size=(V, D))))
    optimizer = optimizers.build(name, in_numpy=True, learning_rate=0.1, **arguments)
    manual, norms = ManualBackward(Graph(parameter, sparse), gluon.Trainer([parameter], optimizer)), []
    for _ in range(steps):
        rows = np.sort(rng.choice(V - 1, 3, replace=False))               # the last row never
        norms.append(manual.find(Batch(rows, rng.normal(size=(3, D)).astype(np.float32)))[1])
        manual.update(2.0)
    return parameter.data().asnumpy(), norms


@pytest.mark.parametrize("name, arguments", [("sgd", {}), ("adagrad", {}), ("adagrad", {"eps": 1e-12})])
def test_rows_are_updated_as_the_whole_table_would_be(name, arguments):
    (few, norms), (whole, others) = (trained(name, sparse, **arguments) for sparse in (True, False))
    np.testing.assert_allclose(few, whole, atol=rounding("float32", 20))
    assert norms == pytest.approx(others, rel=1e-6) and norms[0] > 0


def test_every_optimiser_that_is_named_leaves_other_rows_as_they_are():
    before = np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)
    for name in OPTIMIZERS:
        after, _ = trained(name, True, steps=1)
        changed = (after != before).any(axis=1)
        assert changed.sum() == 3 and not changed[-1], name
