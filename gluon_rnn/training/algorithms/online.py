"""Training steps of algorithms that carry derivatives forward: one time step of a stream, one update."""
import mxnet as mx
from mxnet import autograd

from gluon_rnn.training.step import TrainStep

__all__ = ["OnlineStep"]


class OnlineStep(TrainStep):
    """Make an update at each time step, from gradients that a learner carries forward.

    Parameters
    ----------
    learner : class
        `RTRL` or `UORO`.
    graph, devices, settings, groups, cluster
        As in `TrainStep`; one device. The graph has a method ``transition()``, which gives the
        `gluon_rnn.training.algorithms.Transition` of its recurrent part, and ``output_loss(outputs, *arrays)``, the
        summed loss of its outputs (1, N, S); `arrays` are those of a batch behind the first, which holds the inputs of
        one step, (1, N, ...).

    Notes
    -----
    Clipping, decay and optimiser are those of every step. The states that it returns, and that a checkpoint keeps, are
    everything that the learner carries. Its random numbers are NumPy's own, which a run seeds.
    """

    def __init__(self, learner, graph, devices, settings, groups=None, cluster=None):
        super().__init__(graph, devices, settings, groups, cluster)
        self._transition, self._class, self._learner = graph.transition(), learner, None

    def _forward_backward(self, batch, states):
        inputs, *others = (array.as_in_context(self.devices[0]) for array in batch.arrays)
        learner = self._resumed(states[0], batch.rows)
        outputs = learner.step(inputs[0].asnumpy())
        loss, slopes = self._output_gradients(outputs, others)
        for name, gradient in learner.gradients(slopes).items():
            place = self._transition.parameters[name].list_grad()[0]
            place += mx.nd.array(gradient, ctx=place.context, dtype=place.dtype)
        return [loss], [[mx.nd.array(array, ctx=self.devices[0], dtype=array.dtype) for array in learner.carried]]

    def _resumed(self, states, rows):
        """Return the learner where `states` left it; a task's first states are those of its network alone."""
        if self._learner is None or len(self._learner.state) != rows:
            self._learner = self._class(self._transition, rows)
        learner, arrays = self._learner, [state.asnumpy() for state in states]
        if len(arrays) == 1:
            learner.begin(arrays[0].reshape(learner.state.shape))
        else:
            learner.carried = arrays
        return learner

    def _output_gradients(self, outputs, others):
        """Return the loss and its gradient by the outputs (N, S); the output layer's own parameters get theirs."""
        for parameter in self._transition.parameters.values():            # the output layer may have one of them too
            parameter.list_grad()[0][:] = 0
        outputs = mx.nd.array(outputs[None], ctx=self.devices[0], dtype=outputs.dtype)
        outputs.attach_grad()
        with autograd.record():
            loss = self.graph.output_loss(outputs, *others)
        loss.backward()
        return loss, outputs.grad[0].asnumpy()
