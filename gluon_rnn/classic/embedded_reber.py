"""The embedded Reber grammar: the share of trials in which all symbols that may come are predicted, and how soon."""
from gluon_rnn.classic.experiment import Case, Experiment, experiments

__all__ = ["EmbeddedReber"]

_TRIALS = (1, 2, 3, 4, 5)


@experiments.register("embedded_reber")
class EmbeddedReber(Experiment):
    """See the module."""

    title = "Embedded Reber grammar"
    source = "Hochreiter & Schmidhuber (1997), Long short-term memory, experiment 1, tables 1 and 2"
    year = 1997
    question = ("How many trials end with every symbol that may come predicted, everywhere in 256 strings of training "
                "and 256 of test, and after how many strings?")
    columns = {"solved": "share of trials", "strings": "strings learnt from until then, mean over the trials solved",
               "right": "share of strings, of training and test, predicted without a mistake at the end"}
    published = {"LSTM": "4 blocks of 1 cell: 100 % after 39,740 at rate 0.1, 97 % after 9,500 at 0.5",
                 "Elman RNN": "15 units: 0 % after more than 200,000, the gradient cut after one step",
                 "LSTM, 3 blocks of 2 cells": "100 % after 21,730 strings at 0.1, 100 % after 8,440 at 0.5",
                 "RTRL, 12 units": "some trials, after 25,000 strings",
                 "what differs": "plain gradient descent and 30 trials there, Adam and the full gradient here"}

    def cases(self):
        """Return the networks; gated ones have chrono biases, which begin with a memory of up to 20 steps."""
        zeros = "model.encoder.i2h_bias_initializer=zeros"
        rnn = ("model.encoder.name=rnn", "model.encoder.hidden_size=15", zeros,
               "training.optimizer.learning_rate=0.005")
        changes = {"LSTM": (), "LSTM, all biases 0": (zeros,), "GRU": ("model.encoder.name=gru",), "Elman RNN": rnn}
        return [Case(label, "classic/embedded_reber", overrides, _TRIALS) for label, overrides in changes.items()]

    def measure(self, run, case):
        """Return whether the criterion was met at the end, and the strings that it took."""
        last = run.metrics.iloc[-1]
        solved = float(last["valid_solved"] >= 1)
        strings = {"strings": float(last["step"] * run.config.data.batch_size)} if solved else {}
        return {"solved": solved, **strings, "right": float(last["valid_solved"])}
