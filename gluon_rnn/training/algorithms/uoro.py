r"""Unbiased online recurrent optimisation: RTRL's sensitivity as one product of two random vectors.

RTRL carries P_t = ds_t/dw, S x P numbers a row. Here two vectors a_t (S,) and b_t (P,) stand for it, whose product has
the right mean: E[a_t b_t^T] = P_t. With J_t, I_t and d as in `gluon_rnn.training.algorithms.rtrl`, and a vector u of
independent signs, +1 or -1 (so that E[u u^T] is the identity):

    a_t = rho_0 (J_t + d) a_{t-1} + rho_1 u
    b_t = b_{t-1} / rho_0 + (u^T I_t) / rho_1
    dL_t/dw is estimated by  (dL_t/dy_t^T J_t a_{t-1}) b_{t-1} + dL_t/dy_t^T I_t

(Tallec and Ollivier 2018, algorithm 1.) The mean is right for any rho; these two make the variance small:

    rho_0^2 = |b_{t-1}| / |(J_t + d) a_{t-1}|,    rho_1^2 = |u^T I_t| / |u|

A step takes O(P) = O(H^2) numbers a row, and as many multiplications as one of BPTT. The price is noise: where w
stays the same, the sum over a sequence has RTRL's gradient as its mean, and a standard deviation that grows with S;
docs/algorithms.md has figures.

References
----------
Tallec and Ollivier (2018), Unbiased Online Recurrent Optimization.
"""
import numpy as np

from gluon_rnn.training.algorithms.rtrl import RTRL

__all__ = ["UORO"]

_TINY = 1e-7   # the epsilon of the paper: a vector may be 0, as all are at the first step


class UORO(RTRL):
    """Gradients of a running layer with the right mean, at the cost of BPTT; see the module for the equations.

    Parameters
    ----------
    layer, batch_size
        As in `RTRL`.
    random : numpy.random.Generator or RandomState, default numpy.random
        Where the signs are drawn from.

    Attributes
    ----------
    state : (N, S) array
    by_state, by_parameters : arrays (N, S) and (N, P)
        a_t and b_t of each row.

    Examples
    --------
    >>> import numpy as np
    >>> from gluon_rnn.nn import RNN
    >>> layer = RNN(4, input_size=3); layer.initialize()
    >>> learner = UORO(layer, random=np.random.default_rng(0))
    >>> y = learner.step(np.ones((1, 3), dtype="float32"))
    >>> learner.gradients(2 * y)["l0_i2h_weight"].shape
    (4, 3)
    """

    def __init__(self, layer, batch_size=1, random=np.random):
        super().__init__(layer, batch_size)
        self._random = random

    def begin(self, state):
        """Begin a sequence with a state (N, S) that does not depend on the parameters."""
        self.state, self.by_state = state, np.zeros_like(state)
        self.by_parameters = np.zeros((len(state), self.transition.size), self.transition.dtype)
        self._last = None

    @property
    def carried(self):
        """Everything that goes from one step to the next, a list of arrays; may be set to what it was."""
        return [self.state, self.by_state, self.by_parameters]

    @carried.setter
    def carried(self, arrays):
        self.state, self.by_state, self.by_parameters = arrays

    def _follow(self, kept):
        transition, shape = self.transition, self.state.shape
        moved = transition.push_forward(kept, self.by_state)              # J_t a_{t-1}
        self._last = kept, moved, self.by_parameters
        signs = self._random.choice([-1.0, 1.0], size=shape).astype(transition.dtype)
        noise = transition.pull_back(kept, signs[:, None])[0][:, 0]                                      # (N, P)
        moved = moved + transition.decay * self.by_state
        rho_0 = _ratio(self.by_parameters, moved)
        rho_1 = _ratio(noise, signs)
        self.by_state = rho_0 * moved + rho_1 * signs
        self.by_parameters = self.by_parameters / rho_0 + noise / rho_1

    def row_gradients(self, output_gradient):
        """Return the estimate of dL_t/dw of each row, (N, P), the parameters one after the other."""
        kept, moved, by_parameters = self._last
        immediate = self.transition.pull_back(kept, output_gradient[:, None])[0][:, 0]
        return (output_gradient * moved).sum(axis=1, keepdims=True) * by_parameters + immediate


def _ratio(above, below):
    """Return sqrt(|above| / |below|) of each row, (N, 1)."""
    norms = [np.linalg.norm(values, axis=1, keepdims=True) for values in (above, below)]
    return np.sqrt(norms[0] / (norms[1] + _TINY)) + _TINY
