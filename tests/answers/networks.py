"""Networks that are made by hand, in NumPy."""
import numpy as np

from gluon_rnn.answers.network import Network

__all__ = ["RunningSums"]


class RunningSums(Network):
    """h_t = h_{t-1} + x_t and o_t = h_t W: all that a causal network needs, and each output by one product.

    Parameters
    ----------
    weight : (C, K) array
        For token ids x_t is one-hot.
    many_to_one : bool
        Whether the output after the last valid step is the only one.
    labels : bool
        Whether there is a second output (T, N), the index of the smallest output of each step: labels that the largest
        score does not give away, as those of a CRF.
    """

    def __init__(self, weight, many_to_one=False, labels=False, causal=True):
        self.weight, self.many_to_one, self.labels = np.asarray(weight, dtype=np.float32), many_to_one, labels
        self.causal, self.calls = causal, []

    def begin_state(self, batch_size):
        return [np.zeros((batch_size, len(self.weight)), np.float32)]

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        self.calls.append((inputs, valid_length, *signals))
        states = self.begin_state(inputs.shape[1]) if states is None else states
        steps, rows = inputs.shape[:2]
        length = np.full(rows, steps) if valid_length is None else np.asarray(valid_length).astype(int)
        values = np.eye(len(self.weight), dtype=np.float32)[inputs] if inputs.ndim == 2 else inputs
        valid = (np.arange(steps)[:, None] < length)[..., None]
        sums = states[0] + np.cumsum(np.where(valid, values, 0), axis=0)  # (T, N, C); past the end they stay
        outputs = sums @ self.weight
        if self.many_to_one:
            return outputs[-1], [sums[-1]]
        outputs = np.where(valid, outputs, 0)
        return (outputs, outputs.argmin(axis=2)) if self.labels else outputs, [sums[-1]]

    def rows(self, states, indices):
        return [state[indices] for state in states]
