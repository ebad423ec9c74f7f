"""Parity of bit strings, learnt on up to 20 bits and asked for 200."""
import numpy as np

from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.data.bit_strings import draw_bits, parity_tags

__all__ = ["Parity", "shares_right"]

LENGTHS = (20, 200)
_STRINGS = 200
_SEED = 77                                              # of the strings measured, which no recipe's data are drawn with


def shares_right(predict, length):
    """Return the shares of strings that are right at every place, and at the last one.

    Parameters
    ----------
    predict : callable
        From texts such as ``"0 1 1"`` to objects with `tags`: the `predict` of a tagger.
    length : int
        Bits of each string.
    """
    strings = draw_bits(_STRINGS, (length, length), np.random.default_rng([_SEED, length]))
    found = predict([" ".join(map(str, bits)) for bits in strings])
    right = np.array([np.array(each.tags) == parity_tags(bits) for each, bits in zip(found, strings)])
    return float(right.all(axis=1).mean()), float(right[:, -1].mean())


@experiments.register("parity")
class Parity(Experiment):
    """See the module."""

    title = "Parity of bit strings"
    source = "Elman (1990), Finding structure in time, section Exclusive-OR, has its shortest case"
    year = 1990
    question = ("A network with a state, trained on strings of 1 to 20 bits, has the parity right at all 200 places of "
                "strings ten times as long; a network that sees a window of places has not.")
    columns = {f"{what}_{length}": f"share of {_STRINGS} strings of {length} bits that are right at {where}"
               for length in LENGTHS for what, where in (("all", "every place"), ("last", "the last place"))}

    def cases(self):
        """Return the networks."""
        windows = {"feed-forward net on 20 bits": "[[-19,0]]", "TDNN, two layers of 5 delays": "[[-5,0],[-5,0]]"}
        states = [Case(label, "classic/parity", (f"model.encoder.name={name}",), (1, 2, 3))
                  for label, name in (("Elman RNN", "rnn"), ("LSTM", "lstm"), ("GRU", "gru"))]
        return states + [Case(label, "classic/parity_tdnn", (f"model.encoder.contexts={contexts}",))
                         for label, contexts in windows.items()]

    def measure(self, run, case):
        """Return the shares of right strings at both lengths, of the last checkpoint."""
        predict, found = run.predictor("last").predict, {}
        for length in LENGTHS:
            found[f"all_{length}"], found[f"last_{length}"] = shares_right(predict, length)
        return found
