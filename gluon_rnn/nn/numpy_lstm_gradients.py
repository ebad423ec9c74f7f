r"""The peephole LSTM of `gluon_rnn.nn.numpy_lstm` with gradients: back through time in NumPy.

With the names of `gluon_rnn.nn.extended_cells`, a the sums that the gates see, and dh, dc the gradients of h_t and c_t:

    da_o = dh tanh(c) o (1 - o)             dc += dh o (1 - tanh(c)^2) + da_o p_o
    da_i = dc g i (1 - i),  da_f = dc c_{t-1} f (1 - f),  da_g = dc i (1 - g^2)
    dc_{t-1} = dc f + da_i p_i + da_f p_f,  [dh_{t-1}; dx_t] = [R W]^T da

All factors of dh and dc are known from the way forward and taken for a block of steps at once, so that a step back is
five products of numbers and one of matrices. The gradients of the weights are products over all steps and rows.

References
----------
Graves (2012), Supervised Sequence Labelling with Recurrent Neural Networks, section 4.6.
"""
import numpy as np

from gluon_rnn.nn import numpy_lstm
from gluon_rnn.nn.threads import even_shares, for_each

__all__ = ["Trace", "backward", "forward"]

# Numbers of h in a block of steps, on the way back.
_BLOCK = 2**14


class Trace:
    """What the way back has to know of the way forward.

    Parameters
    ----------
    inputs : (T, N, C) array
    states : [h, c], (N, H) each
    """

    def __init__(self, inputs, states):
        (steps, rows, _), size = inputs.shape, states[0].shape[1]
        self.inputs, self.begin = inputs, states
        self.outputs = np.empty((steps, rows, size), inputs.dtype)
        self.shares = []                                                  # of each thread: rows, values, tanh(c), still


def forward(inputs, states, parameters, valid=None):
    """Run over all steps.

    Parameters
    ----------
    inputs, states, parameters
        As those of `numpy_lstm.peephole_lstm`.
    valid : (T, N) array, optional
        0 where the states of a row stand still.

    Returns
    -------
    outputs : (T, N, H) array
    states : [h, c], (N, H) each
    trace : Trace
    """
    trace, cell = Trace(inputs, states), np.empty_like(states[1])
    matrix = numpy_lstm.matrix_of(parameters, states[0].shape[1])

    def run(rows):
        still = _still(valid, rows, len(inputs))
        values, squashed = _forward(matrix, parameters, inputs[:, rows], [state[rows] for state in states],
                                    trace.outputs[:, rows], still)
        cell[rows] = values[-1, 4]
        return rows, values, squashed, still

    trace.shares = numpy_lstm.in_shares(run, len(cell), matrix[0].size)
    return trace.outputs, [trace.outputs[-1].copy(), cell], trace


def _still(valid, rows, steps):
    """Return for each step which of some rows stand still, an array of their numbers; None where none does."""
    if valid is None:
        return [None] * steps
    return [np.flatnonzero(row == 0) if not row.all() else None for row in valid[:, rows]]


def _forward(matrix, parameters, inputs, states, outputs, still):
    """Run over all steps of some rows; return [2 o, 2 i, 2 f, g, c_{t-1}], (T + 1, 5, N, H), and tanh(c), (T, N, H)."""
    steps, (rows, size) = len(inputs), states[0].shape
    seen = numpy_lstm.seen_of(inputs, states[0], matrix.shape[1])
    values, squashed = np.empty((steps + 1, 5, rows, size), inputs.dtype), np.empty((steps, rows, size), inputs.dtype)
    values[0, 4] = states[1]
    product, step = numpy_lstm.product_of(matrix, rows), numpy_lstm.step_of(numpy_lstm.peepholes_of(parameters, rows))
    for now, at_step, c, tanh_c, doubled, held in zip(seen, values, values[1:, 4], squashed, seen[1:, :, :size], still):
        product(now, at_step[:4])
        step(numpy_lstm.gates_of(at_step), c, tanh_c)
        np.multiply(tanh_c, at_step[0], out=doubled)
        if held is not None:
            c[held], doubled[held] = at_step[4][held], now[held, :size]
    np.divide(seen[1:, :, :size], 2, out=outputs)
    return values, squashed


def backward(trace, parameters, heads, final_heads):
    """Return the gradients of inputs, h, c, and {name: array} of those of the parameters.

    Parameters
    ----------
    trace : Trace
    parameters : dict
    heads : (T, N, H) array
        The gradient of the outputs.
    final_heads : [h, c], (N, H) each
    """
    inputs, begin = np.empty_like(trace.inputs), [np.empty_like(state) for state in trace.begin]
    sums = np.empty((*heads.shape[:2], 4, heads.shape[2]), heads.dtype)   # gradient of a: i, f, g, o
    matrix = np.concatenate([parameters["h2h_weight"], parameters["i2h_weight"]], axis=1)                # (4 H, H + C)

    def run(share):
        rows, values, squashed, still = share
        way = _WayBack(matrix, parameters, heads[:, rows], [head[rows] for head in final_heads])
        for block in way.blocks():
            way.through(block, (values[block.start:block.stop + 1], squashed[block], still[block]),
                        inputs[block, rows], sums[block, rows])
        begin[0][rows], begin[1][rows] = way.dh, way.dc
        return way.peepholes

    peepholes = sum(for_each(run, trace.shares))               # in their order: the same bits every time
    of_peepholes = dict(zip(("peephole_o", "peephole_i", "peephole_f"), peepholes))
    return inputs, *begin, dict(_of_weights(trace, sums.reshape(-1, sums.shape[2] * sums.shape[3])), **of_peepholes)


def _of_weights(trace, sums):
    """Return {name: array}, from the gradient of all gates' sums, (T * N, 4 H)."""
    size, width = trace.outputs.shape[2], trace.inputs.shape[2]
    seen = np.ones((*trace.outputs.shape[:2], size + width + 1), sums.dtype)              # [x; h; 1] of every step
    seen[:, :, :width], seen[0, :, width:-1], seen[1:, :, width:-1] = trace.inputs, trace.begin[0], trace.outputs[:-1]
    seen = seen.reshape(len(sums), -1)
    # Not a product on all of BLAS's threads, which then wait actively for the next one: a third of the time of a step.
    found = sum(for_each(lambda rows: sums[rows].T.dot(seen[rows]), even_shares(len(sums), len(trace.shares))))
    bias = found[:, -1]
    return {"i2h_weight": found[:, :width], "h2h_weight": found[:, width:-1], "i2h_bias": bias, "h2h_bias": bias}


class _WayBack:
    """Through all steps of some rows, block by block from the last one: so many that their numbers stay in the cache.

    Parameters
    ----------
    matrix : (4 H, H + C) array
    parameters : dict
    heads : (T, N, H) array
        The gradient of the outputs.
    final_heads : [h, c], (N, H) each
    """

    def __init__(self, matrix, parameters, heads, final_heads):
        self._parameters, self._heads = parameters, heads
        _, rows, size = heads.shape
        self._product, self._width = _product(matrix, rows), matrix.shape[1]
        #: the gradients of h and c before the block, (N, H)
        self.dh, self.dc = (head.copy() for head in final_heads)
        #: of the peepholes o, i and f, (3, H)
        self.peepholes = np.zeros((3, size), heads.dtype)

    def blocks(self):
        """Return slices of the steps, the last ones first."""
        steps, rows, size = self._heads.shape
        length = max(1, _BLOCK // (rows * size))
        return [slice(begin, min(begin + length, steps)) for begin in range(0, steps, length)][::-1]

    def through(self, block, trace, inputs, das):
        """Go through a block of S steps.

        Parameters
        ----------
        block : slice
        trace : tuple
            Of these steps: values (S + 1, 5, N, H), tanh(c) (S, N, H), and which rows stand still, a list of S.
        inputs, das : (S, N, C) and (S, N, 4, H) arrays
            The gradients of inputs and of a, in the order i, f, g, o: to be filled.
        """
        values, squashed, still = trace
        of_c, keep = _factors(values, squashed, self._parameters, das)
        seen = np.empty((*squashed.shape[:2], self._width), das.dtype)
        self._steps(self._heads[block], das, of_c, keep, seen, still)
        inputs[...] = seen[:, :, squashed.shape[2]:]
        before, after = values[:-1, 4], values[1:, 4]
        for place, (gate, cell) in enumerate(((3, after), (0, before), (1, before))):    # what o, i and f see
            self.peepholes[place] += np.einsum("tnh,tnh->h", das[:, :, gate], cell)

    def _steps(self, heads, das, of_c, keep, seen, still):
        """Turn `das` from factors into gradients, and fill `seen` (S, N, H + C), the gradient of h_{t-1} and x_t."""
        product, dh, dc, more = self._product, self.dh, self.dc, np.empty_like(self.dc)
        size = dc.shape[1]
        for head, da, of_dh, kept, found, held in zip(*(each[::-1] for each in (heads, das, of_c, keep, seen, still))):
            da_others, da_o = da[:, :3], da[:, 3]
            np.add(head, dh, out=dh)
            held_back = None if held is None else (dh[held], dc[held])
            np.multiply(of_dh, dh, out=more)
            np.add(dc, more, out=dc)
            np.multiply(da_o, dh, out=da_o)
            np.multiply(da_others, dc[:, np.newaxis], out=da_others)
            np.multiply(kept, dc, out=dc)
            if held is not None:
                da[held] = 0
            product(da, found)
            dh = found[:, :size]
            if held is not None:                                          # of states that were copied
                dh[held], dc[held] = held_back
        self.dh = dh


def _factors(values, squashed, parameters, das):
    """Fill `das` with what dh or dc is multiplied by at every step, and return what else they are multiplied by.

    Parameters
    ----------
    das : (S, N, 4, H) array
        For da: dh by the last of the order i, f, g, o, dc by the others.

    Returns
    -------
    of_c : (S, N, H) array
        dh, for what it adds to dc.
    keep : (S, N, H) array
        dc, for dc of the step before.
    """
    o, i, f, g, before = (values[:-1, place] for place in range(5))       # 2 o, 2 i, 2 f, g, c_{t-1}
    p_i, p_f, p_o = (parameters[f"peephole_{gate}"] for gate in "ifo")
    da_i, da_f, da_g, da_o = (das[:, :, gate] for gate in range(4))
    for da, gate, factor in ((da_o, o, squashed), (da_i, i, g), (da_f, f, before)):
        np.subtract(2, gate, out=da)
        da *= gate
        da *= factor
        da *= 0.25                                                        # twice the gate stands in both factors
    np.multiply(g, g, out=da_g)
    np.subtract(1, da_g, out=da_g)
    da_g *= i
    da_g *= 0.5
    of_c = squashed * squashed
    np.subtract(1, of_c, out=of_c)
    of_c *= o
    of_c *= 0.5
    of_c += da_o * p_o
    keep = f * 0.5
    keep += da_i * p_i
    keep += da_f * p_f
    return of_c, keep


def _product(matrix, rows):
    """Return a function that puts ``da @ matrix``, of (N, 4, H) and (4 H, H + C), into an array (N, H + C)."""
    height, width = matrix.shape
    step = max(16, numpy_lstm.SMALL // (height * rows) // 16 * 16)
    pieces = [(slice(begin, begin + step), np.ascontiguousarray(matrix[:, begin:begin + step]))
              for begin in range(0, width, step)]

    def product(da, found):
        flat = da.reshape(rows, height)
        for part, piece in pieces:
            np.matmul(flat, piece, out=found[:, part])

    return product
