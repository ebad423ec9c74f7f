"""Training steps on windows that overlap: gradients go back further than the last update."""
from mxnet import autograd

from gluon_rnn.training.step import TrainStep

__all__ = ["WindowStep"]


class WindowStep(TrainStep):
    """A step of truncated backpropagation whose next window begins before the end of this one.

    The graph has a method ``states_after(inputs, states)``, and a batch says by `advance` how many of its steps lie
    before the next window. The states there are computed with the parameters of this update, without gradients, and
    where there is dropout with masks of their own.
    """

    def _forward_backward(self, batch, states):
        losses, ends = super()._forward_backward(batch, states)
        if batch.advance is None or batch.advance == len(batch.arrays[0]):
            return losses, ends
        if not batch.advance:
            return losses, states
        chunks = self._split(batch.arrays[0][:batch.advance], batch.axes[0])
        with autograd.pause(train_mode=True):
            return losses, [self.graph.states_after(chunk, carried) for chunk, carried in zip(chunks, states)]
