"""MXNet's optimisers by name, and their state as plain arrays.

`gluon.Trainer.save_states` pickles Python objects. Here the state is a flat dict of arrays and a dict of numbers, which
`mxnet.nd.save` and JSON hold, and which can be read without running anybody's code.
"""
import inspect
import math

import mxnet as mx
import numpy as np

from gluon_rnn.registry import suggest

__all__ = ["arrays", "build", "check_keys", "known", "numbers", "parameters", "set_arrays", "set_numbers"]

# What the loop itself decides: clipping, scaling, decay and schedule have keys of their own under `training`.
_OURS = {"wd": "training.weight_decay", "clip_gradient": "training.clip_value", "lr_scheduler": "training.schedule"}

# Arrays that one operator may update: MXNet's limit is 50.
_MOST = 45


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


def build(name, clip_value=None, *, joined=False, **arguments):
    """Return the optimiser `name`; gradients are clipped to ``[-clip_value, clip_value]`` after they are scaled.

    With `joined` one operator updates all parameters of a device, where MXNet has one for that: the same numbers but
    for rounding, at a fraction of the overhead.
    """
    rate = arguments.get("learning_rate", parameters(name)["learning_rate"].default)
    if not rate > 0:
        raise ValueError(f"learning_rate: expected a number above 0, got {rate}")
    arguments = dict(arguments, learning_rate=rate, wd=0.0, **({"clip_gradient": clip_value} if clip_value else {}))
    if joined and name.lower() == "adam" and not arguments.get("multi_precision"):
        return _JoinedAdam(**arguments)
    return mx.optimizer.create(name, **arguments)


class _JoinedAdam(mx.optimizer.Adam):
    """Adam by MXNet's operator for AdamW of many arrays, which without decay and with the rate corrected is Adam."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.aggregate_num = _MOST
        self._factor = None, None                                         # rescale_grad as an array, and its key

    def update(self, index, weight, grad, state):
        """Update `weight` by `grad`, each a list: the arrays of one device, all of one dtype."""
        if weight[0].dtype != np.float32:                                 # the operator makes NaN of float64
            for one in zip(index, weight, grad, state):
                super().update(*one)
            return
        self._update_count(index)
        rates = [rate * self._correction(self._index_update_count[i]) for i, rate in zip(index, self._get_lrs(index))]
        means, variances = zip(*state)
        mx.nd.contrib.multi_adamw_update(
            weight, grad, means, variances, self._scale(weight[0]), rates, self._get_wds(index), [1.0] * len(index),
            out=list(weight), beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon,
            clip_gradient=self.clip_gradient or -1.0)

    def _correction(self, t):
        return math.sqrt(1 - self.beta2 ** t) / (1 - self.beta1 ** t)

    def _scale(self, weight):
        key = self.rescale_grad, weight.context
        if self._factor[0] != key:
            self._factor = key, mx.nd.full((1,), self.rescale_grad, ctx=weight.context)
        return self._factor[1]


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
                array[:] = saved[f"{index}.{number}"].as_in_context(device)
            updater.states[index], updater.states_synced[index] = state, True


def numbers(trainer):
    """Return the optimiser's counters and scalars, all that JSON can hold."""
    optimizer = trainer.optimizer
    scalars = {key: value for key, value in vars(optimizer).items()
               if type(value) in (int, float) and key != "aggregate_num"}
    optimizer._set_current_context(trainer._contexts[0].device_id)
    return {"scalars": scalars, "updates": {str(i): n for i, n in optimizer._index_update_count.items()}}


def set_numbers(trainer, saved):
    """Go back to what `numbers` returned, on every device."""
    optimizer = trainer.optimizer
    # How many arrays an operator takes is no state; older checkpoints hold it, from an optimiser that took one.
    vars(optimizer).update({key: value for key, value in saved["scalars"].items() if key != "aggregate_num"})
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
