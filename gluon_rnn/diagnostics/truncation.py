"""What truncation does to the gradient: backpropagation through k steps beside that through all of them.

Truncated to k, no gradient goes from a chunk of k steps to the one before it, as in training with ``bptt: k``; states
are carried on. Compared are the gradients of one loss, summed over all steps, on the same batch: their cosine, and the
ratio of their norms. With k at least the length of the sequences both are 1.

References
----------
Williams and Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent network trajectories.
Tallec and Ollivier (2017), Unbiasing truncated backpropagation through time.
"""
import dataclasses
from typing import Optional

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd

from gluon_rnn.diagnostics.unrolled import Unrolled, in_place_of_calls, measure
from gluon_rnn.nn.flat_parameters import trained_parameters

__all__ = ["Truncation", "truncation"]

#: cosine from which on a truncated gradient counts as the full one
ENOUGH = 0.99


@dataclasses.dataclass
class Truncation:
    """Gradients truncated to k steps beside the full one.

    Parameters
    ----------
    k : (M,) int array
        Growing; the last is `steps`.
    cosine, norm_ratio : (M,) float64 arrays
        Of the gradient of all parameters of the model; ratio: truncated by full.
    encoder_cosine, encoder_norm_ratio : (M,) float64 arrays
        Of the gradient of the encoder's parameters alone. It is the stricter measure: the gradient of an output layer
        is the same for all k.
    steps : int
        Length of the longest sequence.
    bptt : int, optional
        What the model was trained with; None: through whole sequences.
    """

    k: np.ndarray
    cosine: np.ndarray
    norm_ratio: np.ndarray
    encoder_cosine: np.ndarray
    encoder_norm_ratio: np.ndarray
    steps: int
    bptt: Optional[int] = None

    @property
    def enough(self):
        """The smallest k from which on the cosine is at least 0.99."""
        short = np.flatnonzero(self.cosine < ENOUGH)
        return int(self.k[short[-1] + 1 if len(short) else 0])

    def table(self):
        """Return a pandas.DataFrame: k, cosine, norm_ratio, encoder_cosine, encoder_norm_ratio."""
        names = ["k", "cosine", "norm_ratio", "encoder_cosine", "encoder_norm_ratio"]
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def summary(self):
        """Return one sentence: whether bptt is long enough."""
        if self.bptt is None:
            return (f"training goes back through whole sequences; truncated to {self.enough} steps, the gradient has a "
                    f"cosine of at least {ENOUGH} with that of all {self.steps} steps")
        if self.bptt >= self.steps:
            return f"your bptt of {self.bptt} is long enough: no sequence here has more than {self.steps} steps"
        at = int(np.flatnonzero(self.k == self.bptt)[0])
        found = (f"the gradient has a cosine of {self.cosine[at]:.3f} with that of all {self.steps} steps, that of the "
                 f"encoder alone {self.encoder_cosine[at]:.3f}")
        if self.enough <= self.bptt:
            least = f"; from {self.enough} steps on it is at least {ENOUGH}" if self.enough < self.bptt else ""
            return f"your bptt of {self.bptt} is long enough: {found}{least}"
        needed = (f"{self.enough} steps reach {ENOUGH}" if self.enough < self.steps else
                  f"nothing below {self.steps} steps reaches {ENOUGH}")
        return (f"your bptt of {self.bptt} is not long enough: {found}, and {self.norm_ratio[at]:.2f} of its norm; "
                f"{needed}")


def truncation(encoder, loss, model=None, bptt=None):
    """Compare the gradient of truncated backpropagation through time with the full one.

    Parameters
    ----------
    encoder : SequenceBlock
        Causal, layout "TNC", with recurrent states.
    loss : callable
        Without arguments: runs the model that holds `encoder` on a batch, uncompiled, and returns the summed loss.
    model : Block, optional
        Whose parameters count; default `encoder`, which is to be in it.
    bptt : int, optional
        What training truncates to; k goes through powers of 2, this, and the length of the sequences.

    Returns
    -------
    Truncation

    Raises
    ------
    NotRecurrentError
        If the encoder has no states, or looks ahead.
    ValueError
        If the loss does not run the encoder over one sequence, its gradient is 0, or the model is compiled.

    Notes
    -----
    Edges of chunks are counted back from the end of each row, so that the last chunk is a whole one. In prediction
    mode: no dropout. What the parameters hold as gradients is overwritten.
    """
    lengths = measure(encoder, loss)
    steps = int(lengths.max())
    parameters = trained_parameters(encoder if model is None else model)
    inside = {id(parameter) for parameter in trained_parameters(encoder).values()}
    is_inside = [id(parameter) in inside for parameter in parameters.values()]
    if not any(is_inside):
        raise ValueError(f"no parameter of {type(encoder).__name__} is trained; thaw it, or pass the model that "
                         "holds it")
    powers = [2 ** power for power in range(steps.bit_length())]
    choices = sorted({k for k in (*powers, bptt or steps) if k < steps}) + [steps]
    full = _gradients(encoder, loss, parameters, lengths, steps)
    rows = [_compare(_gradients(encoder, loss, parameters, lengths, k) if k < steps else full, full, is_inside)
            for k in choices]
    return Truncation(np.array(choices), *np.array(rows).T, steps, bptt)


def _gradients(encoder, loss, parameters, lengths, k):
    """Return the gradient of each parameter, truncated to k steps, in NumPy."""
    for parameter in parameters.values():
        for gradient in parameter.list_grad():
            gradient[:] = 0
    with in_place_of_calls(encoder, _Cut(encoder, lengths, k)):
        with autograd.record(train_mode=False):
            total = loss().sum()
        total.backward(train_mode=False)
    return [parameter.list_grad()[0].asnumpy().reshape(-1).astype(np.float64) for parameter in parameters.values()]


def _compare(found, full, is_inside):
    """Return cosine and ratio of norms, of all parameters and of those of the encoder."""
    results = []
    for chosen in ([True] * len(full), is_inside):
        pairs = [pair for pair, inside in zip(zip(found, full), chosen) if inside]
        product, *squares = (sum(float(a @ b) for a, b in of) for of in
                             (pairs, [(a, a) for a, _ in pairs], [(b, b) for _, b in pairs]))
        norms = np.sqrt(squares)
        if not norms[1] > 0:
            raise ValueError("the gradient of the loss by the encoder is 0, so that nothing can be compared with it; "
                             "pass another batch, or a loss that the encoder has a part in")
        results += [product / (norms[0] * norms[1]) if norms[0] else 0.0, norms[0] / norms[1]]
    return results


class _Cut(Unrolled):
    """Lets no gradient through states at the edges of chunks of k steps."""

    def __init__(self, encoder, lengths, k):
        super().__init__(encoder)
        self._lengths, self._k = lengths, k

    def before(self, layer, step, x, states):
        """Detach the states of rows that begin a chunk here; what follows the end of a row is no chunk."""
        left = self._lengths - step
        edges = (left > 0) & (left % self._k == 0) & (step > 0)
        if not edges.any():
            return states
        if edges.all():
            return [state.detach() for state in states]
        rows = mx.nd.array(edges, ctx=x.context, dtype=x.dtype)
        return [mx.nd.where(rows, state.detach(), state) for state in states]
