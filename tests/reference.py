"""What tests compare with: the recurrent equations as plain NumPy loops in float64, and how far rounding may move them.

Where both sides can be computed in float64 they are, and `EXACT` is the tolerance. Where they cannot (operators that
exist in float32 only, float32 itself under test), `rounding` derives it from the arithmetic, or `condition` measures
how strongly the function under test amplifies the rounding of its arguments. No tolerance is fitted to one processor.
"""
import numpy as np

#: Between two computations in float64. Rounding is 1e-16; what is left are six digits for sums in another order and for
#: functions that amplify, and no fault of an equation hides below 1e-10.
EXACT = dict(rtol=0, atol=1e-10)


def rounding(dtype, terms, scale=1.0):
    """Return the largest difference that rounding alone makes between two computations of one number.

    A number that rests on n rounded operations, on terms of at most `scale` in all, is off by at most n u scale with
    the unit roundoff u = eps / 2, whatever the order of its sums; two such computations differ by at most n eps scale
    (Higham, 2002, Accuracy and Stability of Numerical Algorithms, sections 3.1 and 4.2).

    Parameters
    ----------
    dtype : str
    terms : int
        n, counted along the longest path: for a recurrent network the steps times the terms of one step's sums.
    scale : float or array, default 1
        Size of the numbers that are added up.
    """
    return terms * np.finfo(dtype).eps * np.abs(scale).max()


def assert_rounded(got, want, terms, dtype="float32"):
    """Compare lists of arrays that differ by rounding alone; the scale of each is its largest number, 1 at least.

    In float64 `EXACT` is the tolerance and `terms` is not needed.
    """
    assert len(got) == len(want)
    for a, b in zip(got, want):
        a, b = (value if isinstance(value, np.ndarray) else value.asnumpy() for value in (a, b))
        scale = max(1.0, np.abs(b).max(initial=0))
        relative = EXACT["atol"] if dtype == "float64" else rounding(dtype, terms)
        np.testing.assert_allclose(a, b, rtol=0, atol=relative * scale)


def condition(call, variables, dtype="float32"):
    """Return the results of ``call()``, and how far each moves when every variable is rounded to `dtype` once.

    An algorithm that is as good as its format gives the exact result for slightly other arguments; what those make of
    the results is the error that nobody can avoid, and its size depends on the function (a normalisation of small
    numbers amplifies, a saturated gate does not). A computation in `dtype` may be off by as many of these as it rounds.

    Parameters
    ----------
    call : function without arguments
        Returns a list of float64 arrays of NumPy.
    variables : list of NDArray, float64
        All inputs and parameters that the call reads; changed for a moment and put back.

    Returns
    -------
    results : list of arrays of NumPy
    moves : list of float
        The largest change in each result under random signs, but one rounding of its scale at least.
    """
    exact, kept = call(), [variable.copy() for variable in variables]
    for variable in variables:
        signs = np.random.choice([-1.0, 1.0], size=variable.shape)
        variable[:] = variable.asnumpy() * (1 + np.finfo(dtype).eps * signs)
    moves = [max(rounding(dtype, 1, max(1.0, np.abs(before).max(initial=0))), np.abs(after - before).max(initial=0))
             for before, after in zip(exact, call())]
    for variable, value in zip(variables, kept):
        variable[:] = value
    return exact, moves


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(a, b, states, activation):
    h = {"tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda x: np.maximum(x, 0)}[activation](a + b)
    return [h]


def lstm_step(a, b, states, _):
    i, f, g, o = np.split(a + b, 4)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(a, b, states, _):
    (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(a, 3), np.split(b, 3)
    z = sigmoid(a_z + b_z)
    return [(1 - z) * np.tanh(a_n + sigmoid(a_r + b_r) * b_n) + z * states[0]]


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def run_row(name, parts, inputs, states, num_layers, directions, activation="tanh"):
    """Return outputs (T, D*H) and states [(L*D, H), ...] of one sequence `inputs` (T, C)."""
    step, finals = STEPS[name], []
    for layer in range(num_layers):
        columns = []
        for d, direction in enumerate("lr"[:directions]):
            w, r, bw, br = (parts[f"{direction}{layer}_{kind}"] for kind in
                            ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"))
            now = [state[layer * directions + d] for state in states]
            order = range(len(inputs)) if direction == "l" else reversed(range(len(inputs)))
            out = np.zeros((len(inputs), r.shape[1]))
            for t in order:
                now = step(w @ inputs[t] + bw, r @ now[0] + br, now, activation)
                out[t] = now[0]
            columns.append(out)
            finals.append(now)
        inputs = np.concatenate(columns, axis=1)
    return inputs, [np.stack(of_all) for of_all in zip(*finals)]


def run_batch(name, parts, inputs, states, lengths, **kwargs):
    """Row by row over a padded batch (T, N, C): outputs past a row's length are 0, an empty row keeps its states."""
    rows = [run_row(name, parts, inputs[:n, i], [s[:, i] for s in states], **kwargs) if n else
            (np.zeros((0, 1)), [s[:, i] for s in states]) for i, n in enumerate(lengths)]
    width = max(out.shape[1] for out, _ in rows)
    outputs = np.zeros((inputs.shape[0], len(rows), width))
    for i, (out, _) in enumerate(rows):
        outputs[:len(out), i] = out if len(out) else 0
    return outputs, [np.stack(of_all, axis=1) for of_all in zip(*(final for _, final in rows))]
