r"""Real-time recurrent learning: exact gradients that are carried forward in time, without going back.

With a layer y_t = f(s_{t-1}, x_t; w), s_t = d s_{t-1} + y_t (`gluon_rnn.training.algorithms.transitions`), and the
sensitivity P_t = ds_t/dw (S, P) of each row:

    Y_t = J_t P_{t-1} + I_t,     J_t = df/ds (S, S),  I_t = df/dw (S, P), both at step t
    P_t = d P_{t-1} + Y_t,       P_0 = 0
    dL_t/dw = (dL_t/dy_t)^T Y_t

(Williams and Zipser 1989 have them for a fully recurrent network.) The sum of dL_t/dw over a
sequence is the gradient of full BPTT, as long as w stays the same. Where w is updated at every step, P_t mixes
derivatives at several w: the error is of the order of the learning rate.

The cost of a step does not grow with time. For a layer with H units, and as many inputs, P is of the order H^2: P_t
takes O(H^3) numbers, and J_t P_{t-1} takes O(H^4) multiplications, a row of the batch. BPTT over T steps takes O(T H)
numbers and O(H^2) multiplications a step.

References
----------
Williams and Zipser (1989), A Learning Algorithm for Continually Running Fully Recurrent Neural Networks.
"""
import numpy as np

from gluon_rnn.training.algorithms.transitions import transition_of

__all__ = ["RTRL"]


class RTRL:
    """Exact gradients of a running layer, step by step; see the module for the equations.

    It costs O(H^4) multiplications and O(H^3) numbers a step and row: a method for small networks.

    Parameters
    ----------
    layer : RNN, GRU or Jordan of one layer, or a Transition
        Its parameters are read at every step, so that they may be updated between two of them.
    batch_size : int, default 1
        N, rows that run side by side.

    Attributes
    ----------
    state : (N, S) array
        s_t; zeros at first, see `begin`.
    sensitivity : (N, S, P) array
        P_t; zeros at first.

    Raises
    ------
    ValueError
        If there are no derivatives of such a layer, or an array has another shape than is said here.

    Examples
    --------
    >>> import numpy as np
    >>> from gluon_rnn.nn import GRU
    >>> layer = GRU(4, input_size=3); layer.initialize()
    >>> learner, total = RTRL(layer, batch_size=2), 0
    >>> for x in np.ones((5, 2, 3), dtype="float32"):
    ...     y = learner.step(x)                            # (2, 4)
    ...     gradients = learner.gradients(2 * y)           # of the loss sum(y ** 2) of this step
    ...     total = total + gradients["l0_h2h_weight"]     # or update the layer at once
    >>> total.shape
    (12, 4)
    """

    def __init__(self, layer, batch_size=1):
        self.transition = transition_of(layer)
        size, dtype = self.transition.state_size, self.transition.dtype
        self._units = np.eye(size, dtype=dtype)
        self.begin(np.zeros((batch_size, size), dtype))

    def begin(self, state):
        """Begin a sequence with a state (N, S) that does not depend on the parameters."""
        transition = self.transition
        self.state = state
        self.sensitivity = np.zeros((*state.shape, transition.size), transition.dtype)
        self._by_output = None

    @property
    def carried(self):
        """Everything that goes from one step to the next, a list of arrays; may be set to what it was."""
        return [self.state, self.sensitivity]

    @carried.setter
    def carried(self, arrays):
        self.state, self.sensitivity = arrays

    def step(self, inputs):
        """Compute y_t (N, S) of inputs (N, C), or of tokens (N,) behind an embedding, and go on with the state."""
        transition = self.transition
        if len(inputs) != len(self.state):
            raise ValueError(f"expected inputs of {len(self.state)} rows, got shape {np.shape(inputs)}; give "
                             "batch_size=...")
        y, kept = transition.forward(inputs, self.state)
        self._follow(kept)
        self.state = transition.decay * self.state + y if transition.decay else y
        return y

    def _follow(self, kept):
        units = np.broadcast_to(self._units, (len(self.state), *self._units.shape))
        immediate, jacobian, _ = self.transition.pull_back(kept, units)
        self._by_output = immediate + jacobian @ self.sensitivity
        decay = self.transition.decay
        self.sensitivity = decay * self.sensitivity + self._by_output if decay else self._by_output

    def gradients(self, output_gradient):
        """Return {name: array} of dL_t/dw, summed over rows, for dL_t/dy_t (N, S) of the step that was made last."""
        return self.transition.named(self.row_gradients(_checked(output_gradient, self.state)).sum(axis=0))

    def row_gradients(self, output_gradient):
        """Return dL_t/dw of each row, (N, P), the parameters one after the other."""
        return (output_gradient[:, None] @ self._by_output)[:, 0]                                        # (N, P)


def _checked(output_gradient, state):
    if np.shape(output_gradient) != state.shape:
        raise ValueError(f"expected the gradient of the loss by the output, {state.shape}, got shape "
                         f"{np.shape(output_gradient)}")
    return output_gradient
