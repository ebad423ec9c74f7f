"""Exponential moving average of the weights: a smoother network than the last one, for the price of one pass a step.

    a_t = d_t a_{t-1} + (1 - d_t) w_t,    d_t = min(decay, (1 + t) / (10 + t))

The rising d_t lets the average forget the first, bad weights (the warm-up of TensorFlow's ExponentialMovingAverage).

References
----------
Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging.
"""
import contextlib

import mxnet as mx

__all__ = ["WeightAverage"]


class WeightAverage:
    """The average of some parameters on their first device; with ``decay=0`` it is off and costs nothing.

    Parameters
    ----------
    parameters : dict of str to gluon.Parameter
        Initialised ones.
    decay : float in [0, 1)

    Attributes
    ----------
    frozen : collection of str
        Names of parameters that do not change now; the rounding of an average would move theirs.
    """

    def __init__(self, parameters, decay):
        self._parameters, self._decay = parameters, decay
        self._updates, self.frozen = 0, ()
        self.arrays = {name: parameter.list_data()[0].copy() for name, parameter in parameters.items()} if decay else {}

    def update(self):
        """Take in the weights as they are now."""
        self._updates += bool(self.arrays)
        keep = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for name, average in self.arrays.items():
            if name in self.frozen:
                continue
            weight = self._parameters[name].list_data()[0]
            # MXNet's SGD operator is (1 - lr wd) a - lr rescale g: with wd = 1, rescale = -1 and the weights for a
            # gradient it is this average in one pass over memory.
            mx.nd.sgd_update(average, weight, lr=1 - keep, wd=1, rescale_grad=-1, out=average)

    @contextlib.contextmanager
    def applied(self):
        """Run a with-block with the average in place of the weights, and put the weights back after it, bit for bit."""
        kept = {name: self._parameters[name].list_data()[0].copy() for name in self.arrays}
        self._put(self.arrays)
        try:
            yield
        finally:
            self._put(kept)

    def state(self):
        """Return the number that a checkpoint must hold beside `arrays`."""
        return {"updates": self._updates}

    def set_state(self, arrays, state):
        """Go back to the `arrays` and `state` of a checkpoint; without arrays start from the weights as they are."""
        self._updates = state["updates"] if arrays else 0
        for name, average in self.arrays.items():
            value = arrays[name] if arrays else self._parameters[name].list_data()[0]
            average[:] = value.as_in_context(average.context)

    def _put(self, arrays):
        for name, array in arrays.items():
            self._parameters[name].set_data(array)
