"""Training steps by a manual backward pass: gradients that a graph computes in NumPy, without autograd.

Such a graph has a method ``loss_and_gradients(*arrays)``, which returns the summed loss (float) and {parameter:
gradient}, or None for a batch that it leaves to autograd. A gradient is an array, or a
`gluon_rnn.training.row_sparse.RowSparse`. The rest of the step is here; under Adam arrays are updated in NumPy too.
"""
import math

import mxnet as mx
import numpy as np

from gluon_rnn.nn import numpy_ops
from gluon_rnn.optim import optimizers
from gluon_rnn.training.row_sparse import RowSparse

__all__ = ["ManualBackward"]


class ManualBackward:
    """Loss, gradients and update of a graph with `loss_and_gradients`, on one CPU.

    Parameters
    ----------
    graph : HybridBlock
    trainer : mxnet.gluon.Trainer
        Its optimiser makes the updates, and keeps its state where it always does.

    Attributes
    ----------
    indices : list of int
        Which of the trainer's parameters learn now.
    gradients : list of arrays of NumPy
        Theirs, of the summed loss, as `find` found them last, of row-sparse ones their rows; may be changed in place.
    """

    def __init__(self, graph, trainer):
        self._graph, self._trainer, self.gradients, self._found = graph, trainer, [], []
        self.indices = list(range(len(trainer._params)))

    def find(self, batch):
        """Return the summed loss and the norm of its gradient, or None where the graph leaves `batch` to autograd."""
        found = self._graph.loss_and_gradients(*batch.arrays)
        if found is None:
            return None
        loss, gradients = found
        self._found = [_contiguous(gradients[self._trainer._params[index]]) for index in self.indices]
        self.gradients = [found.values if isinstance(found, RowSparse) else found for found in self._found]
        return loss, math.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in self.gradients))

    def update(self, divisor):
        """Divide the gradients found last by `divisor`, and update the parameters with them."""
        for gradient in self.gradients:
            gradient *= 1 / divisor
        trainer, weights = self._trainer, [self._trainer._params[index].data() for index in self.indices]
        optimizer, updater = trainer.optimizer, trainer._updaters[0]
        optimizer.rescale_grad = 1.0
        sparse = any(isinstance(found, RowSparse) for found in self._found)
        if sparse or not isinstance(optimizer, optimizers.NumpyAdam):     # what trainer.update(1) ends up in
            updater(self.indices, [_as_ndarray(*pair) for pair in zip(self._found, weights)], weights)
            return
        mx.nd.waitall()                                                   # whatever reads the weights
        for index, weight, gradient in zip(self.indices, weights, self.gradients):
            if index not in updater.states:
                updater.states[index] = optimizer.create_state(index, weight)
                updater.states_synced[index] = True
            optimizer.update_in_numpy(index, numpy_ops.view(weight), gradient)


def _contiguous(gradient):
    return gradient if isinstance(gradient, RowSparse) else np.ascontiguousarray(gradient)


def _as_ndarray(gradient, weight):
    is_sparse = isinstance(gradient, RowSparse)
    return gradient.array(weight) if is_sparse else numpy_ops.from_numpy(gradient, weight.context)
