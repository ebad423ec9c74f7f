r"""An Elman network with the logistic function, for MXNet's fused operator, which has tanh and relu alone.

Since sigma(a) = (1 + tanh(a / 2)) / 2, the network h_t = sigma(W x_t + b + R h_{t-1} + r) is, with u = 2 h - 1,

    u_t = tanh(W / 2 x_t + b / 2 + R / 4 u_{t-1} + (r + R 1) / 2 - R 1 / 4)

a tanh network with other weights. The numbers are those of a loop but for rounding: h is correct to half a unit in the
last place of 1, not of itself.
"""
from gluon_rnn.nn import flat
from gluon_rnn.nn.functional import concat_vectors

__all__ = ["as_tanh", "as_tanh_vector", "from_tanh", "to_tanh"]


def as_tanh(F, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
    """Return the parameters of the tanh network, in the order and the shapes given.

    Parameters
    ----------
    F : mx.nd or mx.sym
    i2h_weight, h2h_weight, i2h_bias, h2h_bias : (H, C), (H, H), (H,), (H,) arrays
        W, R, b and r of one direction of one layer.
    """
    constant = 0.25 * F.sum(h2h_weight, axis=1)                           # R 1 / 4
    return 0.5 * i2h_weight, 0.25 * h2h_weight, 0.5 * i2h_bias, 0.5 * h2h_bias + constant


def as_tanh_vector(F, vector, layout):
    """Return the flat vector (P,) of the tanh network from that of a layer, of one direction or of both."""
    directions = flat.split_directions(F, vector, layout) if len(layout.directions) == 2 else [vector]
    parts = [as_tanh(F, *flat.parts_in_graph(F, one, layout).values()) for one in directions]
    weights = [F.reshape(weight, shape=(-1,)) for direction in parts for weight in direction[:2]]
    return concat_vectors(F, *weights, *(bias for direction in parts for bias in direction[2:]))


def to_tanh(h):
    """Return the state u = 2 h - 1 of the tanh network, any shape."""
    return 2 * h - 1


def from_tanh(u):
    """Return outputs or states h = (1 + u) / 2, any shape."""
    return 0.5 * u + 0.5
