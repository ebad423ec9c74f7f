"""MXNet's optimisers by name, and their state as plain arrays.

`gluon.Trainer.save_states` pickles Python objects. Here the state is a flat dict of arrays and a dict of numbers, which
`mxnet.nd.save` and JSON hold, and which can be read without running anybody's code.
"""
import inspect
import math

import mxnet as mx
import numpy as np

from gluon_rnn.nn import numpy_ops
from gluon_rnn.optim import ranges
from gluon_rnn.registry import suggest

__all__ = ["NumpyAdam", "arrays", "build", "check_keys", "known", "numbers", "parameters", "set_arrays", "set_numbers"]

# What the loop itself decides: clipping, scaling, decay and schedule have keys of their own under `training`.
_OURS = {"wd": "training.weight_decay", "clip_gradient": "training.clip_value", "lr_scheduler": "training.schedule"}


def known():
    """Return {name: class} of the optimisers that a recipe may name."""
    # MXNet's toy for its unit tests; an old second name of sgd; one that takes matrices only, and so no bias.
    unfit = ("test", "ccsgd", "groupadagrad")
    return {name: cls for name, cls in mx.optimizer.Optimizer.opt_registry.items() if name not in unfit}


def parameters(name):
    """Return the keys that a recipe may give the optimiser `name`, as a dict of `inspect.Parameter`."""
    registry = known()
    if name.lower() not in registry:
        raise ValueError(f"unknown optimizer {name!r}; {suggest(name, list(registry))}")
    rate = inspect.Parameter("learning_rate", inspect.Parameter.KEYWORD_ONLY, default=0.01)
    own = inspect.signature(registry[name.lower()].__init__).parameters
    named = {key: value for key, value in own.items()
             if key not in ("self", "learning_rate") and value.kind is value.POSITIONAL_OR_KEYWORD}
    return {"learning_rate": rate.replace(default=getattr(own.get("learning_rate"), "default", 0.01)), **named}


def check_keys(arguments):
    """Refuse keys of MXNet's optimisers that have another place in a recipe; ValueError says which."""
    for key in arguments:
        if key in _OURS:
            raise ValueError(f"{key!r} is not set here; use {_OURS[key]}")


def build(name, clip_value=None, *, in_numpy=False, **arguments):
    """Return the optimiser `name`; gradients are clipped to ``[-clip_value, clip_value]`` after they are scaled.

    With `in_numpy`, one that has `NumpyAdam.update_in_numpy` besides, where there is one of that name.
    """
    rate = arguments.get("learning_rate", parameters(name)["learning_rate"].default)
    ranges.check({**arguments, "learning_rate": rate})
    arguments = dict(arguments, learning_rate=rate, wd=0.0, **({"clip_gradient": clip_value} if clip_value else {}))
    if in_numpy and name.lower() == "adam" and not arguments.get("multi_precision"):
        return NumpyAdam(**arguments)
    return mx.optimizer.create(name, **arguments)


class NumpyAdam(mx.optimizer.Adam):
    """Adam on one CPU without an operator: MXNet's equations, in NumPy and bit for bit, for parameters of few numbers.

    Its state is where that of `mxnet.optimizer.Adam` is, and has the same form; `update` is MXNet's.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._moments = {}

    def create_state(self, index, weight):
        """Return mean and variance, zeros; `update_in_numpy` writes to their memory."""
        state = super().create_state(index, weight)
        self._moments[index] = [numpy_ops.view(array) for array in state]
        return state

    def update_in_numpy(self, index, weight, gradient):
        """Update the NumPy array `weight` in place by `gradient`, which is overwritten; nothing else may use either."""
        self._update_count(index)
        t = self._index_update_count[index]
        rate = self._get_lr(index) * math.sqrt(1 - self.beta2 ** t) / (1 - self.beta1 ** t)
        # MXNet's operator takes its arguments in float32, whatever the dtype of the arrays.
        rate, epsilon, beta1, beta2, limit = np.array(
            [rate, self.epsilon, self.beta1, self.beta2, self.clip_gradient or np.inf], dtype=np.float32)
        rest1, rest2 = 1 - beta1, 1 - beta2
        if weight.dtype != np.float32:
            rate, epsilon, beta1, beta2, limit, rest1, rest2 = map(
                weight.dtype.type, (rate, epsilon, beta1, beta2, limit, rest1, rest2))
        if self.clip_gradient:
            np.clip(gradient, -limit, limit, out=gradient)
        mean, variance = self._moments[index]
        mean *= beta1
        mean += rest1 * gradient
        variance *= beta2
        variance += rest2 * gradient * gradient
        weight -= rate * mean / (np.sqrt(variance) + epsilon)


def arrays(trainer):
    """Return the optimiser's state as a flat dict ``{"<parameter index>.<number>": NDArray}``."""
    states = trainer._updaters[0].states
    return {f"{index}.{number}": array
            for index, state in states.items() for number, array in enumerate(_flatten(state))}


def set_arrays(trainer, saved):
    """Give every device's updater the state that `arrays` returned; shapes come from the live parameters."""
    indices = {int(key.split(".")[0]) for key in saved}
    for updater, device in zip(trainer._updaters, trainer._contexts):
        for index in indices:
            weight = trainer._params[index].data(device)
            state = updater.optimizer.create_state_multi_precision(index, weight)
            for number, array in enumerate(_flatten(state)):
                found = saved[f"{index}.{number}"]
                if found.shape != array.shape:
                    raise ValueError(f"array {index}.{number} has shape {found.shape}, expected {array.shape}")
                array[:] = found.as_in_context(device)
            updater.states[index], updater.states_synced[index] = state, True


def numbers(trainer):
    """Return the optimiser's counters and scalars, all that JSON can hold."""
    optimizer = trainer.optimizer
    scalars = {key: value for key, value in vars(optimizer).items() if type(value) in (int, float)}
    optimizer._set_current_context(trainer._contexts[0].device_id)
    return {"scalars": scalars, "updates": {str(i): n for i, n in optimizer._index_update_count.items()}}


def set_numbers(trainer, saved):
    """Go back to what `numbers` returned, on every device."""
    optimizer = trainer.optimizer
    scalars = {key: value for key, value in saved["scalars"].items() if key != "clip_gradient"}    # of the recipe
    unknown = [key for key, value in scalars.items() if key not in vars(optimizer) or type(value) not in (int, float)]
    if unknown:
        raise ValueError(f"{type(optimizer).__name__} has no number {unknown[0]!r}")
    vars(optimizer).update(scalars)
    for device in trainer._contexts:  # in place: the optimiser holds a reference to the dict of its first device
        optimizer._set_current_context(device.device_id)
        optimizer._index_update_count.update({int(i): n for i, n in saved["updates"].items()})


def _flatten(state):
    """Return the arrays of an optimiser's state, which MXNet nests in tuples and leaves None where there is none."""
    if state is None:
        return []
    if isinstance(state, mx.nd.NDArray):
        return [state]
    return [array for part in state for array in _flatten(part)]
