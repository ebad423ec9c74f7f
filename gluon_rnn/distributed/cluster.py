"""Workers that share the batches of one training, by MXNet's KVStore.

The batch of a step is a function of seed, epoch and step alone, whatever the number of workers. Worker r of W takes the
rows n r / W to n (r + 1) / W of it. With g_r the gradient of the summed loss over these rows,

    dist_sync:   g = sum_r g_r on the servers; each worker then makes the same update from g
    dist_async:  each worker makes its own update from g_r alone; the servers add the change of the parameters to
                 theirs as soon as it comes, and the worker goes on from what is there then (Dean et al. 2012, with the
                 optimiser on the workers)

so that dist_sync is training in one process, but for the order of sums. Small numbers (losses, scores, wishes to stop)
go through the hub, in float64.

References
----------
Dean et al. (2012), Large scale distributed deep networks.
Li et al. (2014), Scaling distributed machine learning with the parameter server: ps-lite.
"""
import dataclasses
import logging

import mxnet as mx

from gluon_rnn.config import ConfigError, to_yaml
from gluon_rnn.distributed.alone import Alone

__all__ = ["Cluster"]

# What may differ between machines: where things are.
_LOCAL = ("output_dir", "device")


class Cluster(Alone):
    """One worker among others.

    Parameters
    ----------
    member : gluon_rnn.distributed.member.Member
    settings : gluon_rnn.config.Training
        `kvstore` and `gradient_compression` are read here.
    """

    def __init__(self, member, settings):
        self._member, self._settings = member, settings
        self.rank, self.workers = member.rank, member.node.workers
        self.leads = self.rank == 0
        self.sums_gradients = settings.kvstore != "dist_async"
        self.keeps_apart = not self.sums_gradients
        self.words = f" of each of {self.workers} workers ({settings.kvstore})"
        self._store, self._keys, self._parameters, self._before = None, {}, {}, {}
        self._asks = self._agreed = False
        if not self.leads:
            logging.getLogger("gluon_rnn").setLevel(logging.WARNING)      # the log is worker 0's

    def agree(self, version, config):
        """Raise ConfigError unless all workers have the same version of the package and the same recipe."""
        lines = [line for line in to_yaml(config).splitlines() if line.partition(":")[0] not in _LOCAL]
        found = self.gather([version, lines])
        for rank, (other, others) in enumerate(found):
            if other != found[0][0]:
                raise ConfigError(f"worker {rank} has gluon_rnn {other} and worker 0 has {found[0][0]}; install one "
                                  "version on all machines")
            if others != found[0][1]:
                here, there = next((pair for pair in zip(found[0][1], others) if pair[0] != pair[1]),
                                   ("another number of keys", "another number of keys"))
                raise ConfigError(f"worker {rank} has another recipe than worker 0: {there.strip()!r} where that one "
                                  f"has {here.strip()!r}; start all workers with one recipe and the same overrides")

    # ---- parameters and gradients --------------------------------------------------------------------------------

    def begin(self, parameters):
        """Connect to the servers, and take the parameters of worker 0."""
        self._parameters = {name: parameter for name, parameter in parameters.items() if parameter.grad_req != "null"}
        self._store = mx.kv.create(self._settings.kvstore)
        if self.keeps_apart:                                              # servers add what comes
            self._store.set_optimizer(mx.optimizer.SGD(learning_rate=-1.0, wd=0.0))
        self._keys = {name: index for index, name in enumerate(self._parameters)}
        for name, parameter in self._parameters.items():
            self._store.init(self._keys[name], parameter.list_data()[0])
            self._store.pull(self._keys[name], out=parameter.list_data())
        mx.nd.waitall()
        threshold = self._settings.gradient_compression
        if threshold:
            self._store.set_gradient_compression({"type": "2bit", "threshold": threshold})
        self.gather(None)                                                 # nobody sends before all are there

    def begin_epoch(self):
        """Take the parameters of worker 0: machines of other kinds round otherwise. Not where servers have their own.

        Compressed sums cannot carry them; workers then differ by rounding until the next start.
        """
        if not self.sums_gradients or self._settings.gradient_compression:
            return
        for name, parameter in self._parameters.items():
            mine = parameter.list_data()[0]
            sent = mine.copy() if self.leads else mx.nd.zeros_like(mine)
            self._store.push(self._keys[name], sent)
            self._store.pull(self._keys[name], out=[sent])
            for weight in parameter.list_data():
                sent.copyto(weight)
        mx.nd.waitall()

    def sum_gradients(self, parameters, size):
        """Replace the gradients of {name: Parameter} by the sums over all workers; `size` is of the whole batch.

        MXNet's engine sends each as soon as it is there. A compressed gradient is that of the mean loss, so that the
        threshold means the same for all sizes of batches.
        """
        compressed = self._settings.gradient_compression
        for name, parameter in parameters.items():
            gradients, key = parameter.list_grad(), self._keys[name]
            if compressed:
                gradients[0] /= size
            self._store.push(key, gradients[0], priority=-key)
            self._store.pull(key, out=gradients, priority=-key)
            if compressed:
                for gradient in gradients:
                    gradient *= size

    def note_parameters(self, parameters):
        """Keep the values of {name: Parameter}, for `exchange_changes`."""
        self._before = {name: parameter.list_data()[0].copy() for name, parameter in parameters.items()}

    def exchange_changes(self, parameters):
        """Send what an update has changed since `note_parameters`, and go on from what the servers have."""
        for name, parameter in parameters.items():
            weights, key = parameter.list_data(), self._keys[name]
            self._store.push(key, weights[0] - self._before[name], priority=-key)
            self._store.pull(key, out=weights, priority=-key)

    # ---- batches and numbers -------------------------------------------------------------------------------------

    def share(self, batch):
        """Return this worker's rows of a batch; its `arrays` are empty where there are fewer rows than workers.

        `size` stays that of the whole batch where gradients are summed, else it is this share's, by rows.
        """
        if batch.is_share:                                                # all shares have as many rows
            return batch if self.sums_gradients else dataclasses.replace(batch, size=batch.size / self.workers)
        bounds = [self.part(array.shape[axis]) for array, axis in zip(batch.arrays, batch.axes)]
        low, high = bounds[0]
        size = batch.size if self.sums_gradients else batch.size * (high - low) / batch.rows
        if low == high:
            return dataclasses.replace(batch, arrays=(), size=size)
        arrays = tuple(mx.nd.slice_axis(array, axis=axis, begin=begin, end=end)
                       for array, axis, (begin, end) in zip(batch.arrays, batch.axes, bounds))
        return dataclasses.replace(batch, arrays=arrays, size=size)

    def gather(self, value):
        """Return the values of all workers, by rank; a wish to stop goes with them."""
        found = self._member.gather([self._asks, value])
        self._agreed = self._agreed or any(asks for asks, _ in found)
        return [value for _, value in found]

    def stops(self, signals):
        """Return whether some worker had a signal: all stop after the same step, or the same epoch of dist_async."""
        self._asks = bool(signals.received)
        return self._agreed

    def from_leader(self, function):
        """Return what ``function()`` gives in worker 0, the others waiting; values are those of JSON."""
        return self.gather(function() if self.leads else None)[0]

    def total(self, numbers):
        """Return the sums of a list of numbers over all workers."""
        return [sum(column) for column in zip(*self.gather(list(numbers)))]

    def close(self):
        """Leave the others: the work is done."""
        self.gather(None)
        self._member.close()
