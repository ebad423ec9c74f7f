"""Training steps of a graph that finds its gradients itself, in NumPy, instead of leaving them to autograd.

Such a graph has a method ``loss_and_gradients(*arrays)``, which returns the summed loss (float) and {parameter:
gradient}, or None for a batch that it leaves to autograd. The rest of the step is here; the optimiser's is its only
operator.
"""
import math

import mxnet as mx
import numpy as np

__all__ = ["OwnGradients"]


class OwnGradients:
    """Loss, gradients and update of a graph with `loss_and_gradients`, on one CPU.

    Parameters
    ----------
    graph : HybridBlock
    trainer : mxnet.gluon.Trainer
        Its optimiser makes the updates, and keeps its state where it always does.
    """

    def __init__(self, graph, trainer):
        self._graph, self._trainer, self._shared = graph, trainer, None

    def find(self, batch):
        """Return the summed loss and the norm of its gradient, or None where the graph leaves `batch` to autograd."""
        found = self._graph.loss_and_gradients(*batch.arrays)
        if found is None:
            return None
        loss, gradients = found
        # The graph has read the weights, and so has waited for the last update, the last to read these arrays.
        self._shared = self._shared or [_shared_array(parameter.data()) for parameter in self._trainer._params]
        squares = 0.0
        for parameter, (_, values) in zip(self._trainer._params, self._shared):
            values[...] = gradients[parameter]
            squares += float(np.vdot(values, values))
        return loss, math.sqrt(squares)

    def update(self, divisor):
        """Divide the gradients found last by `divisor`, and update the parameters with them."""
        for _, values in self._shared:
            values *= 1 / divisor
        trainer = self._trainer
        trainer.optimizer.rescale_grad = 1.0
        # What trainer.update(1) does, once it has asked every parameter whether autograd has renewed its gradient.
        trainer._updaters[0](list(range(len(self._shared))), [array for array, _ in self._shared],
                             [parameter.data() for parameter in trainer._params])


def _shared_array(like):
    """Return an MXNet array in the shape and dtype of `like`, and a NumPy array on the same memory."""
    memory = np.zeros(like.shape, dtype=like.dtype)
    values = memory[...]                                                  # MXNet forbids to write to `memory` itself
    return mx.nd.from_numpy(memory), values
