r"""An Elman network with the logistic function, for MXNet's fused operator, which has tanh and relu alone.

Since sigma(a) = (1 + tanh(a / 2)) / 2, the network h_t = sigma(W x_t + b + R h_{t-1} + r) is, with u = 2 h - 1,

    u_t = tanh(W / 2 x_t + b / 2 + R / 4 u_{t-1} + (r + R 1) / 2 - R 1 / 4)

a tanh network with other weights. The numbers are those of a loop but for rounding: h is correct to half a unit in the
last place of 1, not of itself.
"""
__all__ = ["as_tanh", "from_tanh", "to_tanh"]


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


def to_tanh(h):
    """Return the state u = 2 h - 1 of the tanh network, any shape."""
    return 2 * h - 1


def from_tanh(u):
    """Return outputs or states h = (1 + u) / 2, any shape."""
    return 0.5 * u + 0.5
