"""How the gradient of a loss at the end fades on its way back, for all cells in one plot; nothing is trained."""
import time

import mxnet as mx
import numpy as np

from gluon_rnn import runtime
from gluon_rnn.classic.experiment import Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save
from gluon_rnn.diagnostics import gradient_through_time
from gluon_rnn.nn import OwnDefaults
from gluon_rnn.registry import encoders

__all__ = ["NETWORKS", "VanishingGradient", "shares_by_lag"]

STEPS, ROWS, UNITS, FEATURES = 100, 20, 32, 4
#: label -> name of an encoder and its arguments
NETWORKS = {
    "RNN, tanh": ("rnn", {"h2h_weight_initializer": "xavier"}),
    "RNN, orthogonal": ("rnn", {"h2h_weight_initializer": "orthogonal"}),
    "IRNN": ("rnn", {"activation": "relu", "h2h_weight_initializer": "identity"}),
    "LSTM, forget bias 0": ("lstm", {"i2h_bias_initializer": "zeros"}),
    "LSTM, forget bias 1": ("lstm", {}),
    "LSTM, chrono": ("lstm", {"i2h_bias_initializer": {"name": "chrono", "max_time": STEPS}}),
    "GRU": ("gru", {}),
    "GRU, chrono": ("gru", {"i2h_bias_initializer": {"name": "chrono", "max_time": STEPS}}),
    "Jordan": ("jordan", {"output_activation": "tanh"}),
    "skip 1, 10": ("skip", {"delays": [1, 10]}),
    "NARX, 6 delays": ("skip", {"delays": [1, 2, 3, 4, 5, 6]}),
}


def shares_by_lag(label, seed, steps=STEPS):
    """Return the median norm of dL_T/ds_{T-k} by lag k as a share of the first one, (steps,).

    The network is that of this label in `NETWORKS`, as it is initialised; s is its state, c of an LSTM, which begins at
    lag 1: NaN at lag 0.
    """
    name, options = NETWORKS[label]
    runtime.seed_all(seed)
    encoder = encoders.build(name, hidden_size=UNITS, input_size=FEATURES, **options)
    encoder.initialize(OwnDefaults())
    inputs, heads = mx.nd.random.normal(shape=(steps, ROWS, FEATURES)), mx.nd.random.normal(shape=(ROWS, UNITS))
    flow = gradient_through_time(encoder, lambda: (encoder(inputs)[-1] * heads).sum())
    norms = flow.quantile(list(flow.norms)[-1], 0.5)
    return norms / norms[np.flatnonzero(norms > 0)[0]]


@experiments.register("vanishing_gradient")
class VanishingGradient(Experiment):
    """The norm of dL_T/dh_t by lag, of networks as they are initialised."""

    title = "Vanishing gradients"
    source = "Bengio, Simard and Frasconi (1994), section 4; Pascanu, Mikolov and Bengio (2013), section 2"
    year = 1994
    question = ("How much of the gradient of a loss at the end comes to the states before? "
                f"{UNITS} units, {FEATURES} random inputs a step, {STEPS} steps, {ROWS} sequences, no training.")
    columns = {"memory": f"the furthest of {STEPS} steps back where the median norm is at least 1 % of that at the end",
               "left at 10": "share of the median norm that is left 10 steps back; 30 and 90 likewise"}

    def rows(self, folder, jobs=1):
        """Return a row for each network; the norms by lag are in ``norms.csv`` of the folder."""
        found, lines = [], ["label," + ",".join(map(str, range(STEPS)))]
        for label in NETWORKS:
            begun = time.monotonic()
            shares = shares_by_lag(label, 1, STEPS)
            lines.append(f'"{label}",' + ",".join(f"{share:.6g}" for share in shares))
            found.append({"label": label, "seed": 1, "memory": float(np.flatnonzero(shares >= 0.01)[-1]),
                          **{f"left at {lag}": float(shares[lag]) for lag in (10, 30, 90)},
                          "seconds": round(time.monotonic() - begun, 1)})
        (folder / "norms.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return found

    def draw(self, rows, path):
        """Draw the norms of ``norms.csv`` beside `path` by lag, a line for each network, on a log axis."""
        axes = axes_of(8, 5, yscale="log", ylim=(1e-12, 1e2), xlabel="lag T - t in steps",
                       ylabel="norm of dL_T / dh_t, that at T being 1", title="gradients of networks before training")
        for number, line in enumerate((path.parent / "norms.csv").read_text(encoding="utf-8").splitlines()[1:]):
            label, _, values = line[1:].partition('",')
            shares = np.array(values.split(","), float)
            style = "-" if number < 10 else "--"
            axes.plot(np.arange(len(shares)), shares, style, color=f"C{number % 10}",
                      label=label)
        axes.axhline(0.01, color="black", linewidth=0.8)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", ncols=2)
        save(axes, path)
