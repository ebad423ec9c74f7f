"""Networks that are made by hand, in NumPy."""
import numpy as np

from gluon_rnn.answers.network import Network

__all__ = ["Automaton", "Chain", "First", "Linear", "RunningSums"]


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


class Automaton(Network):
    """A decoder without weights: logits by the last token and by a state that counts on, differently in each row."""

    def __init__(self, size, seed, scale=2.0):
        random = np.random.default_rng(seed)
        self.tables = (scale * random.normal(size=(5, size, size))).astype(np.float32)
        self.tables[:, :, 1] += 1.5                                       # the end: sequences of all lengths occur

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        counts = states[0].astype(int)
        return self.tables[counts % 5, inputs], [(states[0] * 3 + inputs + 1) % 1000]

    def rows(self, states, indices):
        return [state[indices] for state in states]


class First(Network):
    """The class itself is the state."""

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        assert inputs.dtype == np.int32
        return None, [inputs]


class Chain(Network):
    """Class 0 writes a, b, c and ends; class 1 the other way round. The boundary is token 4."""

    after = np.array([[0, 2, 3, 4, 1], [0, 4, 1, 2, 3]])

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        return 100.0 * np.eye(5)[self.after[states[0], inputs]], states


class Linear(Network):
    """y_t = 0.5 x_t - 0.3 y_{t-1} + 0.2 y_{t-2} in NumPy, float64; the second number is no part of the mean."""

    def __init__(self, closed):
        self.closed = closed

    def begin_state(self, batch_size):
        return [np.zeros((batch_size, 2))]                                # newest first

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        (past,), outputs = states, []
        for row in inputs:
            mean = 0.5 * row[:, 0] - 0.3 * past[:, 0] + 0.2 * past[:, 1]
            outputs.append(np.stack([np.full_like(mean, 99), mean], axis=1))
            past = np.stack([mean if self.closed else row[:, 1], past[:, 0]], axis=1)
        return np.array(outputs), [past]

    def join(self, parts):
        return [np.concatenate(states) for states in zip(*parts)]
