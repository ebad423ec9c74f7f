"""A fused layer taken apart for a loop around it, in which part of each step's input depends on the step before.

A decoder that asks attention before each step reads x_t = [e_t; c_t], and only c_t has to wait. The fused operator,
called for one step, would multiply all of x_t by all of its weights, which it puts into an order of its own first, step
after step. Here the product with e is taken for all T at once and what waits is a cell of `gluon_rnn.nn.cells`.
"""
from gluon_rnn.nn.cells import GRUCell, LSTMCell, RNNCell
from gluon_rnn.nn.chunks import Vectorised
from gluon_rnn.nn.fused import FusedLayer

__all__ = ["Stepwise"]


class Stepwise:
    """The step of a one-layer `FusedLayer` whose input is [known; fed], on the layer's own parameters.

    Parameters
    ----------
    layer : FusedLayer
        For which `fits` is True; its input size known.
    known_size : int
        So many features of the input, from the first on, are known for all steps before the loop.
    """

    def __init__(self, layer, known_size):
        self._layer, self._known_size = layer, known_size
        kind = {"lstm": LSTMCell, "gru": GRUCell}.get(layer.mode, RNNCell)
        self._cell = kind(layer.hidden_size, **_activation(layer))

    @staticmethod
    def fits(layer):
        """Return whether `layer` is one that this class knows: fused, one layer, forwards, no weight drop."""
        return (isinstance(layer, FusedLayer) and layer.num_layers == 1 and not layer.bidirectional
                and not layer.drops_weights)

    def prepare(self, F, known, states):
        """Return what the loop goes through and begins with, and what `step` reads.

        Parameters
        ----------
        known : (T, N, `known_size`) array or symbol
        states : list of (1, N, H)

        Returns
        -------
        projected : (T, N, G * H), the product with `known`, biases in it
        states : list of (N, H)
        parameters : dict
        """
        parameters = self._layer.parts_of(F, known, 0)
        weight = parameters["i2h_weight"]
        parameters["fed_weight"] = F.slice_axis(weight, axis=1, begin=self._known_size, end=None)
        parameters["i2h_weight"] = F.slice_axis(weight, axis=1, begin=0, end=self._known_size)
        parameters = self._cell.prepare(F, parameters, states)
        projected, = self._cell.project(F, known, parameters)
        return projected, [F.reshape(state, shape=(-3, 0)) for state in states], parameters

    def fed_product(self, F, fed, parameters):
        """Return the product (..., G * H) of fed (..., M) with its weights."""
        stacked = self._cell.num_gates * self._cell.hidden_size
        return F.FullyConnected(fed, parameters["fed_weight"], no_bias=True, num_hidden=stacked, flatten=False)

    def step(self, F, projected, product, states, parameters):
        """Return the output (N, H) and the states of one step from its slice of `projected` and from `fed_product`."""
        return self._cell.step(Vectorised(F), [F.broadcast_add(projected, product)], states, parameters)


def _activation(layer):
    return {"activation": layer.mode[len("rnn_"):]} if layer.mode.startswith("rnn_") else {}
