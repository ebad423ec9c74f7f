"""The recurrent equations once more, as plain NumPy loops in float64 over one row at a time: the tests' reference."""
import numpy as np


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
