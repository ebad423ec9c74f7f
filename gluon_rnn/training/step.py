"""One update of the parameters: forward, backward, a look at loss and gradient, clipping, decay, optimiser."""
import math

import mxnet as mx
from mxnet import autograd, gluon

from gluon_rnn.distributed.alone import Alone
from gluon_rnn.nn.flat_parameters import trained_parameters
from gluon_rnn.optim import optimizers
from gluon_rnn.training.clipping import LayerClipping
from gluon_rnn.training.manual_backward import ManualBackward
from gluon_rnn.training.static_shapes import StaticShapes

__all__ = ["DivergedError", "TrainStep"]


# From so many numbers on, a product is faster than the operator that takes the squares of all arrays at once.
_LARGE = 2**15


class DivergedError(RuntimeError):
    """The loss or the gradient is no longer a finite number; nothing was changed by the step that found it."""


class TrainStep:
    """Callable that makes one update.

    Parameters
    ----------
    graph : HybridBlock
        The loss graph of a task (`gluon_rnn.tasks.task.Task.graph`), its parameters initialised on all `devices`.
    devices : list of mxnet.Context
        The batch axis is split evenly over them.
    settings : gluon_rnn.config.Training
    groups : gluon_rnn.training.parameter_groups.ParameterGroups, optional
        Which parameters learn in which epoch; by default all in each.
    cluster : gluon_rnn.distributed.cluster.Cluster, optional
        The workers that each batch is shared with, of which this step gets its own part only.

    Notes
    -----
    With g the gradient of the mean loss over all units of the batch (devices may hold different numbers of them in a
    padded batch, so losses are summed and divided once):

    1. norm = sqrt(sum g^2) over all parameters that learn in this epoch, and the rest concerns them only; a loss or
       norm that is not finite raises `DivergedError` here;
    2. g is clipped, first the norm of each layer to clip_norm_per_layer (`gluon_rnn.training.clipping`), then all of it
       to clip_norm, a scaling by min(1, clip_norm / norm), then each element to +-clip_value;
    3. decoupled decay (Loshchilov & Hutter 2019): w -= rate * lr_mult * weight_decay * wd_mult * w, biases left alone;
    4. the optimiser's update, at rate * lr_mult.

    The host waits for the device once a step, to read loss and norm, which it has to know before step 3.

    A graph on one CPU that has a method `loss_and_gradients` has a manual backward pass, which is tried first; see
    `ManualBackward`.
    """

    def __init__(self, graph, devices, settings, groups=None, cluster=None):
        self.graph, self.devices, self.settings = graph, devices, settings
        self.cluster = cluster or Alone()
        # Names by structure: those of Gluon count up with every block that the process has made.
        self._first_epoch = groups.first_epoch if groups else lambda parameter: 0
        self.parameters = trained_parameters(graph, self._first_epoch)
        one_cpu = len(devices) == 1 and devices[0].device_type == "cpu"
        manual = one_cpu and self.cluster.workers == 1 and hasattr(graph, "loss_and_gradients")
        optimizer = optimizers.build(settings.optimizer.name, settings.clip_value, in_numpy=manual,
                                     **settings.optimizer.arguments)
        # update_on_kvstore=False: gradients must be summed over devices before their norm is taken.
        self.trainer = gluon.Trainer(self.parameters, optimizer, update_on_kvstore=False)
        self._manual = ManualBackward(graph, self.trainer) if manual else None
        # On a GPU, whose memory is dearer, nobody has measured what a plan a shape is worth.
        is_graph = isinstance(graph, gluon.HybridBlock)                   # others run graphs of their own
        self._run = StaticShapes(graph) if one_cpu and settings.static_shapes and is_graph else graph
        # Biases and gains, arrays of one axis, do not decay; wd_mult scales the decay of a parameter as in Gluon.
        self._decaying = [parameter for parameter in graph._collect_params_with_prefix().values()
                          if parameter.grad_req != "null" and len(parameter.shape) > 1 and parameter.wd_mult]
        self.begin_epoch(0)

    def begin_epoch(self, epoch):
        """Have those parameters learn that do in `epoch`, counted from 0; the optimiser sees no others."""
        self._learning = [index for index, parameter in enumerate(self.trainer._params)
                          if self._first_epoch(parameter) <= epoch]
        self._with_gradients, self._decaying_now = (
            [parameter for parameter in parameters if self._first_epoch(parameter) <= epoch]
            for parameters in (self.parameters.values(), self._decaying))
        if self._manual:
            self._manual.indices = self._learning
        limit, names = self.settings.clip_norm_per_layer, {id(value): key for key, value in self.parameters.items()}
        self._clip_layers = LayerClipping([names[id(self.trainer._params[index])] for index in self._learning],
                                          limit) if limit else None

    def __call__(self, batch, states, rate):
        """Make one update.

        Parameters
        ----------
        batch : gluon_rnn.tasks.task.Batch
        states : list of lists of arrays
            One list of states for each device; empty ones where the task carries none.
        rate : float
            Learning rate of this update.

        Returns
        -------
        loss, norm : float
            Mean loss per unit, and the norm of its gradient before clipping.
        states : list of lists of arrays
            For the next chunk, detached from this one's graph.

        Raises
        ------
        DivergedError
            If loss or norm is not finite; the parameters are as they were before the call.
        """
        found = self._manual and self._manual.find(batch)
        is_manual = bool(found)
        update = self._manual.update if is_manual else self._update_all
        if not found:
            losses, states = self._forward_backward(batch, states)
            self.trainer.allreduce_grads()
            if self.cluster.sums_gradients:
                self.cluster.sum_gradients(self._learning_now(), batch.size)
            found = self._read(losses)
        loss, norm = (number / batch.size for number in found)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergedError(f"loss is {loss:g} and the gradient's norm {norm:g} at a learning rate of {rate:g}; "
                                + self._advice(loss))
        if self.cluster.keeps_apart:
            self.cluster.note_parameters(self._learning_now())
        self._update(self._clipped_by_layer(norm, batch.size, is_manual), rate, batch.size, update)
        if self.cluster.keeps_apart:
            self.cluster.exchange_changes(self._learning_now())
        return loss, norm, states

    def _learning_now(self):
        return {name: parameter for name, parameter in self.parameters.items()
                if any(parameter is learning for learning in self._with_gradients)}

    def _clipped_by_layer(self, norm, size, is_manual):
        """Scale the gradients of layers above their limit, and return the norm of all of them as it is then."""
        if self._clip_layers is None:
            return norm
        learning = [self.trainer._params[index] for index in self._learning]
        gradients = ([[gradient] for gradient in self._manual.gradients] if is_manual else
                     [parameter.list_grad() for parameter in learning])
        return self._clip_layers(gradients, size)

    def _forward_backward(self, batch, states):
        """Return the loss of each device and the states behind it; devices without a row have a loss and gradient of 0.

        There are such where a last batch has fewer rows than there are devices, or other workers have all of them.
        """
        arrays = list(zip(*(self._split(array, axis) for array, axis in zip(batch.arrays, batch.axes))))
        with autograd.record():
            results = [_loss(self._run, chunk, carried) for chunk, carried in zip(arrays, states)]
        losses = [loss for loss, _ in results]
        if losses:
            autograd.backward(losses)
        idle = range(len(results), len(self.devices))
        for gradient in [parameter.list_grad()[index] for parameter in self._with_gradients for index in idle]:
            gradient[:] = 0
        losses += [mx.nd.zeros(1, ctx=self.devices[index]) for index in idle]
        return losses, [*([state.detach() for state in new] for _, new in results), *states[len(results):]]

    def _split(self, array, axis):
        """Return the parts of an array, one a device, of as many devices as it has rows."""
        return gluon.utils.split_and_load(array, self.devices[:array.shape[axis]], batch_axis=axis, even_split=False)

    def _read(self, losses):
        """Return the summed loss and the norm of its gradient; the one place where the host waits, for workers too."""
        gradients = [parameter.list_grad()[0] for parameter in self._with_gradients]
        squares = _squares(gradients)
        losses = [loss.reshape(1).astype("float32").as_in_context(squares.context) for loss in losses]
        numbers = mx.nd.concat(*losses, squares, dim=0).asnumpy().astype("float64")
        devices = len(self.devices)
        loss, square = float(numbers[:devices].sum()), float(numbers[devices:].sum())
        return self.cluster.total([loss])[0] if self.cluster.sums_gradients else loss, math.sqrt(square)

    def _update(self, norm, rate, size, update):
        limit = self.settings.clip_norm
        scale = min(1.0, limit / norm) if limit and norm else 1.0
        self._decay(rate * self.settings.weight_decay)
        self.trainer.set_learning_rate(rate)
        # The optimiser multiplies gradients by 1 / this: no pass over memory of its own is needed for clipping.
        update(size / scale)

    def _update_all(self, size):
        """Do what ``trainer.update(size)`` does, without asking each array whether its gradient is new."""
        self.trainer.optimizer.rescale_grad = 1 / size
        learning = [self.trainer._params[index] for index in self._learning]
        for device, updater in enumerate(self.trainer._updaters):
            updater(self._learning, [parameter.list_grad()[device] for parameter in learning],
                    [parameter.list_data()[device] for parameter in learning])

    def _decay(self, amount):
        if not amount:
            return
        for parameter in self._decaying_now:
            for weight in parameter.list_data():
                weight *= 1 - amount * parameter.wd_mult * parameter.lr_mult

    def _advice(self, loss):
        if math.isfinite(loss):
            return ("the loss is a number, so that the gradient grew on its way back through time: shorten that way "
                    "(data.bptt, where the task has it), lower weight_drop, or clip_value and the learning rate")
        if self.settings.clip_norm:
            return ("lower training.optimizer.learning_rate, lower training.clip_norm, or raise "
                    "training.schedule.warmup_steps")
        return "set training.clip_norm (1.0 is usual), or lower training.optimizer.learning_rate"


def _squares(arrays):
    """Return sum x^2 of each array, in float32, in any order: of large ones as a product, ten times as fast."""
    large = [array.reshape(-1) for array in arrays if array.size >= _LARGE]
    small = [array for array in arrays if array.size < _LARGE]
    products = [mx.nd.dot(array, array).astype("float32") for array in large]
    return mx.nd.concat(*products, *([mx.nd.multi_sum_sq(*small, num_arrays=len(small))] if small else []), dim=0)


def _loss(run, arrays, states):
    """Return the summed loss and the new states; a graph that carries none is called without."""
    return run(*arrays, states) if states else (run(*arrays), [])
