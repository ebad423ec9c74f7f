r"""All steps of a peephole LSTM in NumPy, without gradients: the equations of `gluon_rnn.nn.extended_cells` once more.

Written for speed, which three things bring. Arrays lie gate by gate, (4, N, H), so that each gate is in one piece;
products of one gate each, (N, K) and (K, H), are small enough for kernels of OpenBLAS that need no copies, and features
behind rows fill their registers, whatever the number of rows.
Inputs, h and a 1 for the bias stand in one array, so that one product is all, and h is written where it is read. And
sigmoid(a) = (1 + tanh(a / 2)) / 2, so that one call of tanh does for three gates; the halves are in the weights.

Where there is enough work, rows are dealt out to threads, each of which runs all steps for its own: rows have nothing
to do with each other, so that nothing waits, as the threads of a product would at every step. NumPy lets other threads
run during all of its calls here.
"""
import numpy as np

from gluon_rnn.nn.threads import even_shares, for_each, worth_having

__all__ = ["GATES", "SMALL", "KeptMatrix", "gates_of", "in_shares", "is_fast", "matrix_of", "peephole_lstm",
           "peepholes_of", "product_of", "seen_of", "step_of"]

#: where the gates o, i, f, g stand among i, f, g, o, the order of the parameters
GATES = (3, 0, 1, 2)

#: multiplications of a product up to which OpenBLAS needs no copies.
SMALL = 10**6
# Multiplications for each gate and step from which on a graph of MXNet's is as fast.
_MUCH = 2 * SMALL
# A thread is worth having for so many multiplications a gate and step; with half of them it is not.
_FOR_A_THREAD = 3 * 2**17


def is_fast(rows, hidden_size, input_size):
    """Return whether this is the fastest way."""
    return rows * hidden_size * (hidden_size + input_size + 1) <= _MUCH


def peephole_lstm(inputs, states, parameters, matrix=None):
    """Run over all steps.

    Parameters
    ----------
    inputs : (T, N, C) array
    states : [h, c], (N, H) each
    parameters : dict
        Those of `gluon_rnn.nn.PeepholeLSTMCell` by their names.
    matrix : (4, K, H) array, optional
        `matrix_of` them, where it is there already.

    Returns
    -------
    outputs : (T, N, H) array
    states : [h, c], (N, H) each
    """
    outputs, finals = np.empty((*inputs.shape[:2], states[0].shape[1]), inputs.dtype), list(map(np.empty_like, states))
    matrix = matrix_of(parameters, states[0].shape[1]) if matrix is None else matrix

    def run(rows):
        _run(matrix, parameters, inputs[:, rows], [state[rows] for state in states], outputs[:, rows],
             [final[rows] for final in finals])

    in_shares(run, len(states[0]), matrix[0].size)
    return outputs, finals


def in_shares(run, rows, width):
    """Return ``run(slice)`` for the share of `rows` of each thread that is worth having, a list in their order.

    `width` is the number of multiplications a row and gate.
    """
    return for_each(run, _shares(rows, width))


def _shares(rows, width):
    """Return a slice of the rows for each thread that is worth having, for `width` multiplications a row and gate."""
    return even_shares(rows, worth_having(rows, rows * width, _FOR_A_THREAD))


def _run(matrix, parameters, inputs, states, outputs, finals):
    """Run over all steps of some rows, into `outputs` (T, N, H) and `finals` [h, c]."""
    rows, size = states[0].shape
    seen = seen_of(inputs, states[0], matrix.shape[1])
    doubled = seen[:, :, :size]                                           # 2 h
    values = np.empty((5, rows, size), dtype=inputs.dtype)                # [o, i, f, g, c]
    gates, c = gates_of(values), values[4]
    c[...] = states[1]
    product, step = product_of(matrix, rows), step_of(peepholes_of(parameters, rows))
    for now, after in zip(seen, doubled[1:]):
        product(now, values[:4])
        step(gates, c, after)
        np.multiply(after, gates[0], after)
    np.divide(doubled[1:], 2, out=outputs)
    np.divide(doubled[-1], 2, out=finals[0])
    finals[1][...] = c


def matrix_of(parameters, size):
    """Return the weights of [2 h; x; 1], (4, K, H), the gates in the order o, i, f, g, all but g halved."""
    bias = parameters["i2h_bias"] + parameters["h2h_bias"]
    width = size + parameters["i2h_weight"].shape[1] + 1
    # Zeros make the width a multiple of 16, so that every row begins with a line of the cache.
    matrix = np.zeros((4, -(-width // 16) * 16, size), dtype=bias.dtype)
    for place, gate in enumerate(GATES):
        part, factor = slice(gate * size, (gate + 1) * size), 1.0 if gate == 2 else 0.5
        np.multiply(parameters["h2h_weight"][part].T, factor / 2, out=matrix[place, :size])
        np.multiply(parameters["i2h_weight"][part].T, factor, out=matrix[place, size:width - 1])
        np.multiply(bias[part], factor, out=matrix[place, width - 1])
    return matrix


class KeptMatrix:
    """`matrix_of` parameters that seldom change: to compare them takes a tenth of the time of making it.

    As large as the weights twice, for these are kept too.
    """

    def __init__(self):
        self._seen, self._matrix = None, None

    def of(self, parameters, size):
        """Return the matrix of the `parameters`, which is made anew where they have changed."""
        now = [parameters[f"{source}_{kind}"] for source in ("i2h", "h2h") for kind in ("weight", "bias")]
        if self._seen is None or not all(map(np.array_equal, self._seen, now)):
            self._seen, self._matrix = [array.copy() for array in now], matrix_of(parameters, size)
        return self._matrix


def peepholes_of(parameters, rows):
    """Return half of the peepholes of o, i and f for each row, (3, N, H)."""
    peepholes = np.stack([parameters[f"peephole_{gate}"] for gate in "oif"]) / 2
    return np.repeat(peepholes[:, np.newaxis], rows, axis=1)


def gates_of(values):
    """Return views into the `values` (5, N, H) of o, i, f, g and c before a step, as `step_of` takes them."""
    return values[0], values[1:3], values[1:4], values[3:], values[4]


def step_of(peepholes):
    """Return a function that goes on from a product in the gates, in place: ``step(gates_of(values), c, tanh_c)``.

    It leaves 2 o, 2 i, 2 f and g there, and puts c, whose place may be that of c before, and tanh(c).
    """
    of_o, of_i_and_f, seen = peepholes[0], peepholes[1:], np.empty_like(peepholes[1:])
    first, second = seen

    def step(gates, c, tanh_c):
        o, i_and_f, i_f_and_g, g_and_before, before = gates
        np.multiply(of_i_and_f, before, seen)
        np.add(i_and_f, seen, i_and_f)
        np.tanh(i_f_and_g, i_f_and_g)
        np.add(i_and_f, 1, i_and_f)                                       # 2 i, 2 f
        np.multiply(i_and_f, g_and_before, seen)
        np.add(first, second, c)
        np.multiply(c, 0.5, c)
        np.multiply(of_o, c, first)
        np.add(o, first, o)
        np.tanh(o, o)
        np.add(o, 1, o)                                                   # 2 o
        np.tanh(c, tanh_c)

    return step


def seen_of(inputs, h, width):
    """Return room for [2 h; x; 1] of every step and the last 2 h, (T + 1, N, K): `width` is K, and `h` the first."""
    (steps, rows, features), size = inputs.shape, h.shape[1]
    seen = np.empty((steps + 1, rows, width), inputs.dtype)
    seen[:-1, :, size:size + features] = inputs
    seen[:, :, size + features:] = 1
    np.multiply(h, 2, out=seen[0, :, :size])
    return seen


def product_of(matrix, rows):
    """Return a function that puts ``seen @ matrix``, of (N, K) and (G, K, H), into an array (G, N, H)."""
    gates, width, size = matrix.shape
    if rows == 1:                                                         # one product has less overhead than four
        flat = np.ascontiguousarray(matrix.transpose(1, 0, 2)).reshape(width, -1)
        return lambda seen, values: np.dot(seen, flat, out=values.reshape(1, -1))
    if size * width * rows <= SMALL:
        return lambda seen, values: np.matmul(seen, matrix, out=values)
    parts, rest = -(-size * width * rows // SMALL), np.empty((gates, rows, size), matrix.dtype)
    step = -(-width // (16 * parts)) * 16
    pieces = [(slice(begin, begin + step), np.ascontiguousarray(matrix[:, begin:begin + step]))
              for begin in range(0, width, step)]

    def product(seen, values):
        (part, piece), *others = pieces
        np.matmul(seen[:, part], piece, out=values)
        for part, piece in others:
            np.add(values, np.matmul(seen[:, part], piece, out=rest), out=values)

    return product
