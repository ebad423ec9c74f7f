"""XOR in time: which bits of a stream a, b, a xor b a network foretells."""
import mxnet as mx
import numpy as np

from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.classic.pictures import axes_of, save
from gluon_rnn.data.bit_strings import xor_bits

__all__ = ["XorStream", "probabilities_of_one"]

_THREES, _SKIPPED, _SEED = 1100, 100, 77


def probabilities_of_one(model, ids):
    """Return p(next id is 1), (n - 1,) float64, behind each of `ids` (n,) but the last, by a model of two tokens."""
    tokens = mx.nd.array(ids[:-1, None], dtype="int32")
    scores = model(tokens, model.begin_state(1))[0].asnumpy()[:, 0].astype(np.float64)
    return 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))


@experiments.register("xor_stream")
class XorStream(Experiment):
    """See the module."""

    title = "XOR in time"
    source = "Elman (1990), Finding structure in time, section Exclusive-OR"
    year = 1990
    question = ("In a stream of a, b, a xor b without marks the third bits, and only they, can be foretold; that takes "
                "a state that counts to three, which a window of the last bits does not give.")
    columns = {"third": "share of third bits foretold, of 1,000 threes",
               "others": "share of the other bits, which are chance: 0.5",
               "error_third": "mean squared error of p at third bits; 0.25 is that of p = 1/2",
               "error_others": "the same at the other bits"}
    published = {"Elman's network of two hidden units": "the error falls at third bits, in a figure without numbers"}

    def cases(self):
        """Return the networks."""
        states = [Case(label, "classic/xor_stream", (f"model.encoder.name={name}",), (1, 2, 3))
                  for label, name in (("Elman RNN", "rnn"), ("LSTM", "lstm"))]
        windows = (("TDNN of 2 delays", "[-2,0]"), ("TDNN of 8 delays", "[-8,0]"), ("feed-forward net", "[0,0]"))
        return states + [Case(label, "classic/xor_stream_tdnn", (f"model.encoder.contexts=[{context}]",))
                         for label, context in windows]

    def measure(self, run, case):
        """Return shares and errors on a stream of its own, once the network has heard 100 threes."""
        predictor = run.predictor()
        bits = xor_bits(_THREES, np.random.default_rng(_SEED))
        table = predictor.assets.vocab.token_to_idx
        ids = np.array([table[str(bit)] for bit in bits])
        p = np.abs(probabilities_of_one(predictor.model, ids) - (table["1"] == 0))      # of the token "1"
        where = np.arange(1, len(bits))
        heard, third = where >= 3 * _SKIPPED, where % 3 == 2
        right, errors = (p > 0.5) == bits[1:], (p - bits[1:]) ** 2
        return {"third": right[heard & third].mean(), "others": right[heard & ~third].mean(),
                "error_third": errors[heard & third].mean(), "error_others": errors[heard & ~third].mean()}

    def draw(self, rows, path):
        """Draw the errors of each network as two bars."""
        rows = [row for row in rows if "error" not in row and row["seed"] == 1]
        axes = axes_of(7, 4, ylabel="mean squared error", title="XOR in time: every third bit can be foretold")
        places = np.arange(len(rows))
        axes.bar(places - 0.2, [row["error_third"] for row in rows], 0.4, label="third bits")
        axes.bar(places + 0.2, [row["error_others"] for row in rows], 0.4, label="other bits")
        axes.set_xticks(places, [row["label"] for row in rows], rotation=15)
        axes.axhline(0.25, color="black", linewidth=0.8, linestyle="--")
        axes.legend()
        save(axes, path)
