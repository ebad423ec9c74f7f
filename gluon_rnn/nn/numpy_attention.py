r"""A GRU that asks Bahdanau's attention before each step, over all steps in NumPy, with gradients.

With k_s the keys of the source, p_s the products of its values with the weights that read them, x_t the product with
what is known before the loop (biases in it), and R_r, R_z, R_n, b the recurrent weights and biases of the GRU:

    e_ts = v . tanh(W h_{t-1} + k_s),  a_t = softmax of e_t over the valid s,  g = x_t + sum over s of a_ts p_s
    r = sigmoid(g_r + R_r h_{t-1} + b_r),  z = sigmoid(g_z + R_z h_{t-1} + b_z),  u = R_n h_{t-1} + b_n
    n = tanh(g_n + r u),  h_t = (1 - z) n + z h_{t-1}

Back through time, d being gradients, dh_t that of h_t from the outputs and from the step after:

    dg_n = dh (1 - z) (1 - n^2),  dg_z = dh (h_{t-1} - n) z (1 - z),  dg_r = dg_n u r (1 - r),  du = dg_n r
    da_s += dg . p_s,  de = a (da - sum a da),  dq_s = de_s v (1 - tanh^2),  dW h = sum over s of dq_s
    dh_{t-1} = dh z + [W; R]^T [sum dq; dg_r; dg_z; du]

One product a step is with the weights, of W and R together. Their gradients, and that of p, are products over all steps
behind the loop, where a loop in a graph adds up what each step finds. Rows are dealt out to threads, as in
`gluon_rnn.nn.numpy_lstm`.

References
----------
Bahdanau, Cho, Bengio (2015), Neural machine translation by jointly learning to align and translate, appendix A.1.2.
"""
import numpy as np

from gluon_rnn.nn.numpy_ops import in_place
from gluon_rnn.nn.threads import blas_threads, even_shares, for_each, worth_having

__all__ = ["PARAMETERS", "AttentiveGRU"]

#: W (K, H), v (1, K), R (3 H, H) and b (3 H,), the gates in the order r, z, n
PARAMETERS = ("query_weight", "score_weight", "h2h_weight", "h2h_bias")
_MATRIX = ("query_weight", "h2h_weight")

# A thread is worth having for so many multiplications. MXNet's threads wait actively for some milliseconds after the
# operator before this one, and take turns with a second thread of ours.
_FOR_A_THREAD = 2**27
_sigmoid = in_place("sigmoid")


class AttentiveGRU:
    """One pass forward over all steps, and the way back.

    Parameters
    ----------
    inputs : list of arrays
        x (T, N, 3 H); h_0 (N, H); k (N, S, K); p (N, S, 3 H); source steps (N,) that attention may look at, from the
        first on. They need not live on.
    parameters : dict
        By the names of `PARAMETERS`.

    Attributes
    ----------
    outputs : (T, N, H) array
    weights : (T, N, S) array
        a; 0 behind a row's length.
    """

    def __init__(self, inputs, parameters):
        projected, h, keys, products, valid_length = inputs
        self._width, self._matrix = keys.shape[2], np.concatenate([parameters[name] for name in _MATRIX])
        self.outputs = np.empty((len(projected), *h.shape), h.dtype)
        self.weights = np.empty((len(projected), *keys.shape[:2]), h.dtype)
        valid = (np.arange(keys.shape[1]) < valid_length[:, np.newaxis]).astype(h.dtype)

        def run(share):
            rows = _Rows(self._matrix, self.outputs[:, share], self.weights[:, share], self._width)
            rows.forward(*(array[share] for array in (h, keys, products, valid)), projected[:, share], parameters)
            return share, rows

        self._shares = for_each(run, even_shares(len(h), self._count(*self.weights.shape)))

    def _count(self, steps, rows, source_steps):
        """Return how many threads are worth having."""
        much = steps * rows * (self._matrix.size + source_steps * len(self._matrix))
        return worth_having(rows, much, _FOR_A_THREAD)

    def backward(self, inputs, parameters, heads, weight_heads):
        """Return the gradients of the first four inputs and of the parameters, a list; once only.

        Parameters
        ----------
        inputs, parameters
            Those that the object was made with, or others with the same numbers.
        heads : (T, N, H) array
            The gradient of `outputs`.
        weight_heads : (T, N, S) array
            That of `weights`.
        """
        _, h, _, products, _ = inputs

        def run(part):
            share, rows = part
            return rows.backward(h[share], products[share], parameters["score_weight"][0], heads[:, share],
                                 weight_heads[:, share])

        projected, *others, score, found = zip(*for_each(run, self._shares))
        matrix, bias = self._of_matrix(found)
        return [_joined(projected, axis=1), *map(_joined, others), matrix[:self._width], sum(score)[np.newaxis],
                matrix[self._width:], bias]

    def _of_matrix(self, found):
        """Return the gradients of [W; R] and b, from those of all sums and what W and R were multiplied by."""
        pieces = [(sums[piece], before[piece]) for sums, before in found
                  for piece in even_shares(len(sums), max(blas_threads() // len(found), 1))]
        matrix = sum(for_each(lambda piece: np.dot(piece[0].T, piece[1]), pieces))       # always in the same order
        return matrix, sum(sums[:, self._width:].sum(axis=0) for sums, _ in pieces)


class _Rows:
    """Some rows of the batch, all on one thread.

    Parameters
    ----------
    matrix : (K + 3 H, H) array
        [W; R].
    outputs, weights : (T, N, H) and (T, N, S) arrays
        To be filled.
    width : int
        K.
    """

    def __init__(self, matrix, outputs, weights, width):
        steps, rows, size = outputs.shape
        self._matrix, self._outputs, self._weights, self._width = matrix, outputs, weights, width
        self._seen = np.empty((steps, *weights.shape[1:], width), matrix.dtype)          # tanh
        self._sums = np.empty((steps, rows, len(matrix)), matrix.dtype)   # [W; R] h and b, and then its gradient
        self._gates = np.empty((steps, rows, 3 * size), matrix.dtype)     # r, z, n, and then dg

    # ---- forward -------------------------------------------------------------------------------------------------

    def forward(self, h, keys, products, valid, projected, parameters):
        """Run over all steps; `valid` (N, S) is 1 where attention may look."""
        width, flat, (score,) = self._width, self._matrix.T, parameters["score_weight"]
        shut = (valid - 1) * np.finfo(valid.dtype).max
        for x, seen, sums, gates, output, a in zip(projected, self._seen, self._sums, self._gates, self._outputs,
                                                   self._weights):
            np.dot(h, flat, out=sums)
            sums[:, width:] += parameters["h2h_bias"]
            np.add(keys, sums[:, np.newaxis, :width], out=seen)
            np.tanh(seen, out=seen)
            _softmax(np.dot(seen, score), valid, shut, out=a)
            np.matmul(a[:, np.newaxis], products, out=gates[:, np.newaxis])
            gates += x
            with np.errstate(over="ignore"):                              # exp of a large number, for a sigmoid of 0
                _gru(gates, sums[:, width:], h, output)
            h = output

    # ---- backward ------------------------------------------------------------------------------------------------

    def backward(self, h, products, score, heads, weight_heads):
        """Return the gradients of x, h, k, p and v; and that of [W; R] h + b with h, (T * N, ...) each."""
        width, before = self._width, np.concatenate([h[np.newaxis], self._outputs[:-1]])                 # h_{t-1}
        dh, keys, of_score = np.zeros_like(h), np.zeros_like(self._seen[0]), np.zeros_like(score)
        steps = (heads, self._seen, self._sums, self._gates, self._weights, weight_heads, before)
        for head, seen, sums, gates, a, weight_head, last in zip(*(each[::-1] for each in steps)):
            dh += head
            carried = _gru_gradients(gates, sums[:, width:], last, dh)
            de = _softmax_gradient(a, np.matmul(products, gates[:, :, np.newaxis])[:, :, 0] + weight_head)
            of_score += np.dot(de.reshape(-1), seen.reshape(-1, width))
            np.multiply(seen, seen, out=seen)
            np.subtract(1, seen, out=seen)                                # dq is this times de times v
            np.matmul(de[:, np.newaxis], seen, out=sums[:, np.newaxis, :width])
            sums[:, :width] *= score
            seen *= de[:, :, np.newaxis]
            keys += seen
            np.dot(sums, self._matrix, out=dh)
            dh += carried
        keys *= score
        of_products = np.matmul(self._weights.transpose(1, 2, 0), self._gates.transpose(1, 0, 2))
        found = self._sums.reshape(-1, len(self._matrix)), before.reshape(-1, len(dh[0]))
        return self._gates, dh, keys, of_products, of_score, found


def _joined(arrays, axis=0):
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=axis)


def _softmax(scores, valid, shut, out):
    """Put the softmax of `scores` (N, S) over what is valid into `out`; zeros for a row where nothing is."""
    scores += shut
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores *= valid
    total = scores.sum(axis=1, keepdims=True)
    np.divide(scores, np.maximum(total, np.finfo(total.dtype).tiny), out=out)


def _softmax_gradient(a, da):
    """Turn `da` (N, S) into the gradient of the scores, and return it."""
    da -= np.einsum("ns,ns->n", a, da)[:, np.newaxis]
    da *= a
    return da


def _gru(gates, recurrent, h, out):
    """Turn `gates`, g (N, 3 H), into r, z and n; put h_t into `out`. `recurrent` is R h + b."""
    size = h.shape[1]
    both, n = gates[:, :2 * size], gates[:, 2 * size:]
    both += recurrent[:, :2 * size]
    _sigmoid(both)
    np.multiply(both[:, :size], recurrent[:, 2 * size:], out=out)
    n += out
    np.tanh(n, out=n)
    np.subtract(h, n, out=out)
    out *= both[:, size:]
    out += n


def _gru_gradients(gates, recurrent, before, dh):
    """Turn `gates` into dg and `recurrent` into the gradient of R h + b; return dh z."""
    size = before.shape[1]
    r, z, n = (gates[:, begin:begin + size] for begin in (0, size, 2 * size))
    carried, of_z = dh * z, before - n
    of_z *= dh
    of_z *= z
    np.subtract(1, z, out=z)
    of_z *= z
    np.multiply(n, n, out=n)
    np.subtract(1, n, out=n)
    n *= dh
    n *= z                                                                # dg_n
    z[...] = of_z
    u = recurrent[:, 2 * size:]
    kept = n * r                                                          # du
    u *= kept
    np.subtract(1, r, out=r)
    np.multiply(u, r, out=r)                                              # dg_r
    u[...] = kept
    recurrent[:, :2 * size] = gates[:, :2 * size]
    return carried
