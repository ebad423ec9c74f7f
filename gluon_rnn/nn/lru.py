r"""Linear recurrent unit: a diagonal linear recurrence of complex numbers, and a gate behind it.

    lambda = exp(-exp(nu) + i exp(theta)),  gamma = exp(g) sqrt(1 - |lambda|^2)
    h_t = lambda * h_{t-1} + gamma * (B x_t)
    y_t = Re(C h_t) + D x_t
    out_t = (W y_t + b) * sigma(V y_t + a)

Orvieto et al. (2023), sections 3.2 to 3.4: |lambda| < 1 whatever nu is, and by gamma the states of every unit have the
variance of B x. Their blocks put a gated linear unit behind the recurrence, the last line, since layers of nothing but
the first three would be one linear map.
"""
import math

import mxnet as mx

from gluon_rnn.nn.linear_layers import LinearLayers
from gluon_rnn.nn.shared import extends
from gluon_rnn.registry import encoders

__all__ = ["LRU", "RingDecay", "RingPhase"]

#: how near to 0 and 1 the square of a radius begins, so that its logarithms are numbers
_EDGE = 1e-6


@mx.init.register
class RingDecay(mx.init.Initializer):
    """nu (H,) with which lambda is uniform on the ring r_min <= |lambda| <= r_max: Orvieto et al. (2023), lemma 3.2.

    Parameters
    ----------
    r_min, r_max : float, 0 <= r_min < r_max <= 1
    """

    def __init__(self, r_min, r_max):
        if not 0 <= r_min < r_max <= 1:
            raise ValueError(f"expected 0 <= r_min < r_max <= 1, got r_min {r_min} and r_max {r_max}")
        super().__init__(r_min=r_min, r_max=r_max)
        self._squares = r_min ** 2, r_max ** 2

    def _init_weight(self, _, arr):
        squares = mx.nd.random.uniform(*self._squares, shape=arr.shape, ctx=arr.context, dtype="float64")
        arr[:] = mx.nd.log(-0.5 * mx.nd.log(mx.nd.clip(squares, _EDGE, 1 - _EDGE))).astype(arr.dtype)


@mx.init.register
class RingPhase(mx.init.Initializer):
    """theta (H,) with which the phase of lambda is uniform between 0 and `max_phase`."""

    def __init__(self, max_phase):
        if not 0 < max_phase <= 2 * math.pi:
            raise ValueError(f"expected a max_phase above 0, at most 2 pi, got {max_phase}")
        super().__init__(max_phase=max_phase)
        self._max_phase = max_phase

    def _init_weight(self, _, arr):
        phases = mx.nd.random.uniform(_EDGE, self._max_phase, shape=arr.shape, ctx=arr.context, dtype="float64")
        arr[:] = mx.nd.log(phases).astype(arr.dtype)


@encoders.register("lru")
class LRU(LinearLayers):
    """Linear recurrent unit with a gated linear unit behind it; (T, N, C) to (T, N, H).

    The states are H complex numbers a layer, (L, N, 2 H): real and imaginary part of each side by side.

    Parameters
    ----------
    r_min, r_max : float, default 0.4, 0.999
        Where |lambda| begins: a unit forgets a share 1 - |lambda| of its state at each step.
    max_phase : float, default 2 pi
        Where the phase of lambda begins: 0 to so many radians a step. For long memory a small one, such as pi / 10.
    hidden_size, num_layers, layout, dropout, input_size, drop_h, weight_initializer, bias_initializer, dtype, backend
        As in `gluon_rnn.nn.linear_layers.LinearLayers`.

    References
    ----------
    Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu and De (2023), Resurrecting Recurrent Neural Networks for Long
    Sequences.

    Examples
    --------
    >>> layer = LRU(8, num_layers=2); layer.initialize()
    >>> outputs, (h,) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 16))
    """

    numbers_a_unit = 2

    @extends(LinearLayers)
    def __init__(self, *args, r_min=0.4, r_max=0.999, max_phase=2 * math.pi, **options):
        self._decay, self._phase = RingDecay(r_min, r_max), RingPhase(max_phase)
        super().__init__(*args, **options)

    def layer_parameters(self, input_size, layer=0):
        """Return nu, theta, g (H,), B (2 H, C), C (H, 2 H), D (H, C), and W, b, V, a of the gated linear unit."""
        size, weight, bias = self.hidden_size, self._weight, self._bias
        return {"nu": ((size,), self._decay), "theta": ((size,), self._phase), "gamma": ((size,), mx.init.Zero()),
                "b_weight": ((2 * size, input_size), weight), "c_weight": ((size, 2 * size), weight),
                "d_weight": ((size, input_size), weight),
                "value_weight": ((size, size), weight), "value_bias": ((size,), bias),
                "gate_weight": ((size, size), weight), "gate_bias": ((size,), bias)}

    def run_layer(self, F, inputs, begin, own, recurrence):
        """Run the recurrence and what follows it."""
        size, decay, phase = self.hidden_size, F.exp(own["nu"]), F.exp(own["theta"])
        radius = F.exp(-decay)
        factor = _pairs(F, radius * F.cos(phase), radius * F.sin(phase))
        gamma = F.exp(own["gamma"]) * F.sqrt(-F.expm1(-2 * decay))        # 1 - |lambda|^2, of few digits lost
        scale = F.reshape(_pairs(F, gamma, gamma), shape=(-1, 1))
        driven = F.FullyConnected(inputs, F.broadcast_mul(own["b_weight"], scale), no_bias=True, num_hidden=2 * size,
                                  flatten=False)
        states, last = recurrence(factor, driven, begin, "complex")
        y = F.broadcast_add(
            F.FullyConnected(states, own["c_weight"], no_bias=True, num_hidden=size, flatten=False),
            F.FullyConnected(inputs, own["d_weight"], no_bias=True, num_hidden=size, flatten=False))
        value, gate = (F.FullyConnected(y, own[f"{name}_weight"], own[f"{name}_bias"], num_hidden=size, flatten=False)
                       for name in ("value", "gate"))
        return F.broadcast_mul(value, F.sigmoid(gate)), states, last


def _pairs(F, real, imaginary):
    """Return (2 H,) of two (H,), side by side."""
    return F.reshape(F.stack(real, imaginary, axis=1), shape=(-1,))
