r"""The normaliser of a conditional random field in NumPy, with gradients: what `gluon_rnn.nn.crf` says once more.

    alpha_1 = b + e_1,  l_t[j] = logsumexp_i (alpha_{t-1}[i] + A[i, j]),  alpha_t = e_t + l_t
    log Z = logsumexp_i (alpha_T[i] + f[i])

and back, with g_t = d log Z / d alpha_t, which is also d log Z / d e_t, the probability of each label at t:

    w_t[i, j] = exp(alpha_{t-1}[i] + A[i, j] - l_t[j])
    g_T = exp(alpha_T + f - log Z),  g_{t-1}[i] = sum_j w_t[i, j] g_t[j]
    d log Z / d A[i, j] = sum over t and rows of w_t[i, j] g_t[j]

Past the end of a row alpha and g stand still. In training on CPUs an operator of MXNet's makes this, in place of a loop
in a graph (`gluon_rnn.nn.backend.allow_numpy_operators`).
"""
import mxnet as mx
import numpy as np

from gluon_rnn.nn.numpy_operator import NumpyOperator

__all__ = ["Normalizer", "log_partition"]

_OPERATOR = "gluon_rnn_crf_normalizer"
_INPUTS = ["emissions", "valid_length", "begin", "transition", "end"]


def log_partition(F, *arrays):
    """Return log Z of each row (N,), by an operator on CPUs that has gradients; `arrays` are those of `Normalizer`."""
    return F.Custom(*arrays, op_type=_OPERATOR)


class Normalizer:
    """log Z, forwards, and what it takes to go back.

    Parameters
    ----------
    emissions : (T, N, K) array
        Finite past the end of a row too.
    valid_length : (N,) array
        A row of length 0 counts as one of length 1, whose emissions are what stands there.
    begin, transition, end : (K,), (K, K), (K,) arrays

    Attributes
    ----------
    values : (N,) array
        log Z.
    """

    def __init__(self, emissions, valid_length, begin, transition, end):
        self._parts, self._valid = (transition, end), valid_length
        self._alphas, self._sums = np.empty_like(emissions), np.empty_like(emissions)        # alpha_t, l_t
        self._alphas[0] = emissions[0] + begin
        for t in range(1, len(emissions)):
            before, goes_on = self._alphas[t - 1], self._goes_on(t)
            self._sums[t] = _logsumexp(before[:, :, np.newaxis] + transition)
            self._alphas[t] = np.where(goes_on, emissions[t] + self._sums[t], before)
        self.values = _logsumexp(self._alphas[-1] + end)

    def _goes_on(self, t):
        return (self._valid > t)[:, np.newaxis]

    def backward(self, heads):
        """Return the gradients of emissions, begin, transition and end for the `heads` (N,), those of log Z."""
        transition, end = self._parts
        of_emissions, of_transition = np.zeros_like(self._alphas), np.zeros_like(transition)
        g = np.exp(self._alphas[-1] + end - self.values[:, np.newaxis]) * heads[:, np.newaxis]           # (N, K)
        of_end = g.sum(axis=0)
        for t in range(len(self._alphas) - 1, 0, -1):
            goes_on = self._goes_on(t)
            new = of_emissions[t] = np.where(goes_on, g, 0)
            weights = np.exp(self._alphas[t - 1][:, :, np.newaxis] + transition - self._sums[t][:, np.newaxis])
            weights *= new[:, np.newaxis]                                 # (N, K before, K now)
            of_transition += weights.sum(axis=0)
            g = np.where(goes_on, weights.sum(axis=2), g)
        of_emissions[0] = g
        return of_emissions, g.sum(axis=0), of_transition, of_end


def _logsumexp(values):
    """Return log sum exp of `values` (N, K, ...) over axis 1, safe for large ones."""
    largest = values.max(axis=1)
    total = np.exp(values - largest[:, np.newaxis]).sum(axis=1)
    return np.log(total, out=total) + largest


class _Operator(NumpyOperator):
    def compute(self, arrays):
        self._run = Normalizer(*arrays)
        return [self._run.values]

    def gradients(self, arrays, heads):
        run, self._run = self._run or Normalizer(*arrays), None           # again, after retain_graph
        of_emissions, *others = run.backward(*heads)
        return [of_emissions, 0, *others]                                 # 0 for lengths


@mx.operator.register(_OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    def list_arguments(self):
        return _INPUTS

    def infer_shape(self, in_shape):
        return in_shape, [in_shape[1]], []

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _Operator()
