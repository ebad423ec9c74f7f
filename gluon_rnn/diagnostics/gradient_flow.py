r"""How far back the gradient of a loss reaches: the norm of dL_T/dh_t by lag T - t, and what is read from it.

With L_T the loss at the last step and h_t a state of a layer, the total derivative dL_T/dh_t goes through everything
that h_t acts on: the outputs of its step, the layers above, and all later steps. By lag k = T - t:

    linear network h_t = w h_{t-1} + x_t:         ||dL_T/dh_{T-k}|| = |w|^k ||dL_T/dh_T||
    LSTM whose forget gate is f, without h2h:     ||dL_T/dc_{T-k}|| = f^{k-1} ||dL_T/dc_{T-1}||

References
----------
Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen. Bengio, Simard and Frasconi (1994), Learning
long-term dependencies with gradient descent is difficult, section 4. Pascanu, Mikolov and Bengio (2013), On the
difficulty of training recurrent neural networks, section 2.
"""
import dataclasses
import warnings

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd

from gluon_rnn.diagnostics.unrolled import Unrolled, in_place_of_calls, measure

__all__ = ["GradientThroughTime", "gradient_through_time"]

#: what is left of the gradient where a memory is said to end
FADED = 0.01
# Below this share of the first one, norms are those of a handful of units, or on their way out of float32.
_SMALLEST = 1e-8


@dataclasses.dataclass
class GradientThroughTime:
    """Norms of dL_T/dh_t by lag T - t.

    Parameters
    ----------
    norms : dict of (K, N) float64 arrays
        By state, such as "layer 1 h": lag, row of the batch. NaN where a row is shorter; and at lag 0 of an LSTM's c,
        which is seen as it is carried from a step to the next one. Lags which less than half of the rows have are
        left out.
    """

    norms: dict

    @property
    def lags(self):
        """0, ..., K - 1."""
        return np.arange(len(next(iter(self.norms.values()))))

    def quantile(self, state, share):
        """Return a quantile over the batch by lag, (K,); 0.5 is the median."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All-NaN slice")            # lag 0 of c
            return np.nanquantile(self.norms[state], share, axis=1)

    def _fading(self, state):
        """Return the first lag that has a median above 0, and the medians from there on, that one being 1."""
        median = self.quantile(state, 0.5)
        first = int(np.argmax(median > 0))
        return first, median[first:] / median[first] if median[first] > 0 else np.zeros(0)

    def memory_length(self, state):
        """Return the first lag where the median is under 1 % of that of lag 0; None where it stays above.

        Of an LSTM's c, of lag 1. 0 where there is no gradient at all.
        """
        first, shares = self._fading(state)
        if not len(shares):
            return 0
        below = np.flatnonzero(shares < FADED)
        return first + int(below[0]) if len(below) else None

    def decay_rate(self, state):
        """Return the factor a step by which the median falls: exp of the slope of its logarithm, by least squares.

        Over lags until it is 1e-8 of the first one; NaN with less than two such lags.
        """
        _, shares = self._fading(state)
        stop = np.flatnonzero(shares < _SMALLEST)
        shares = shares[:stop[0]] if len(stop) else shares
        if len(shares) < 2:
            return float("nan")
        return float(np.exp(np.polyfit(np.arange(len(shares)), np.log(shares), 1)[0]))

    def table(self):
        """Return a pandas.DataFrame: state, lag, median, lower (5 %), upper (95 %), rows."""
        parts = [pd.DataFrame({"state": state, "lag": self.lags, "median": self.quantile(state, 0.5),
                               "lower": self.quantile(state, 0.05), "upper": self.quantile(state, 0.95),
                               "rows": np.isfinite(norms).sum(axis=1)}) for state, norms in self.norms.items()]
        return pd.concat(parts, ignore_index=True)

    def summary(self):
        """Return a sentence for each state."""
        return "\n".join(map(self._sentence, self.norms))

    def _sentence(self, state):
        length, rate = self.memory_length(state), self.decay_rate(state)
        if length == 0:
            return f"{state}: no gradient comes to this state"
        reach = (f"stays above 1 % over all {self.lags[-1]} lags" if length is None else
                 f"is under 1 % from lag {length} on: a memory of {length} steps")
        return f"{state}: the gradient changes by a factor of {rate:.3g} a step and {reach}"


def gradient_through_time(encoder, loss, at_last=True, lengths=None):
    """Measure how the gradient of a loss reaches back through the states of `encoder`.

    Parameters
    ----------
    encoder : SequenceBlock
        Causal, layout "TNC", with recurrent states.
    loss : callable
        Without arguments: runs the model that holds `encoder` on a batch, uncompiled, and returns the loss, summed over
        the rows, which must not depend on each other.
    at_last : bool, default True
        Whether only what the encoder says at the last step of each row counts: the loss at T. False takes the loss as
        it is, whose gradient then comes in at many steps.
    lengths : (N,) int array, optional
        Steps of each row, where the model does not tell the encoder.

    Returns
    -------
    GradientThroughTime

    Raises
    ------
    NotRecurrentError
        If the encoder has no states, or looks ahead.
    ValueError
        If the loss does not run the encoder over one sequence, or the model is compiled.

    Notes
    -----
    In prediction mode: no dropout. What the parameters hold as gradients is overwritten.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import LSTM
    >>> layer, x = LSTM(8, input_size=4), mx.nd.ones((20, 3, 4)); layer.initialize()
    >>> found = gradient_through_time(layer, lambda: layer(x).sum())
    >>> list(found.norms), found.norms["layer 1 h"].shape
    (['layer 1 h', 'layer 1 c'], (20, 3))
    """
    marked = _Marked(encoder, measure(encoder, loss) if lengths is None else np.asarray(lengths, int), at_last)
    with in_place_of_calls(encoder, marked):
        with autograd.record(train_mode=False):
            total = loss().sum()
        total.backward(train_mode=False)
    return GradientThroughTime(marked.norms())


class _Marked(Unrolled):
    """Adds a zero to each output and state, whose gradient is that of the loss by this output or state."""

    def __init__(self, encoder, lengths, at_last):
        super().__init__(encoder)
        self._lengths, self._at_last, self._marks = lengths, at_last, [[] for _ in self.layers]

    def after(self, layer, step, alive, output, states):
        """Mark the output and the states apart, for either may go where the other does not."""
        marks = [mx.nd.zeros_like(values) for values in (output, *states)]
        for mark in marks:
            mark.attach_grad()
        self._marks[layer].append(marks)
        output, *states = (values + mark for values, mark in zip((output, *states), marks))
        if self._at_last and layer == len(self.layers) - 1:
            output = _only_rows(output, self._lengths == step + 1)
        return output, states

    def norms(self):
        """Return {name of a state: norms by lag, (K, N)}; the output of a cell is its first state."""
        counts = (self._lengths[:, None] > np.arange(self._lengths.max())).sum(axis=0)      # rows that have a lag
        lags, found = int((2 * counts >= len(self._lengths)).sum()), {}
        for layer, marks in zip(self.layers, self._marks):
            for number, name in enumerate(layer.states, 1):
                norms = np.stack([_norms(step, number) for step in marks])                          # (T, N)
                found[f"{layer.name} {name}"] = self._by_lag(norms, lags, first=0 if number == 1 else 1)
        return found

    def _by_lag(self, norms, lags, first):
        places = self._lengths - 1 - np.arange(lags)[:, None]                                       # (K, N)
        found = np.take_along_axis(norms, np.maximum(places, 0), axis=0)
        found[places < 0] = np.nan
        found[:first] = np.nan
        return found


def _norms(marks, number):
    """Return the norm of the gradient of each row, (N,), in float64, where squares do not underflow."""
    gradient = marks[number].grad.asnumpy().astype(np.float64)
    if number == 1:
        gradient += marks[0].grad.asnumpy()
    return np.linalg.norm(gradient, axis=1)


def _only_rows(values, rows):
    """Return `values` (N, H), through which gradients go in some of the `rows` (N,) only."""
    if rows.all():
        return values
    blocked = values.detach()
    if not rows.any():
        return blocked
    return mx.nd.where(mx.nd.array(rows, ctx=values.context, dtype=values.dtype), values, blocked)
