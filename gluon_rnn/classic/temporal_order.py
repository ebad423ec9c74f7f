"""Temporal order: in which order two or three symbols came, far apart among a hundred others."""
from gluon_rnn.classic.experiment import Case, Experiment, experiments

__all__ = ["TemporalOrder"]


@experiments.register("temporal_order")
class TemporalOrder(Experiment):
    """See the module."""

    title = "Temporal order"
    source = "Hochreiter & Schmidhuber (1997), Long short-term memory, experiment 6"
    year = 1997
    question = ("How many strings does it take until a network tells in which order X and Y came, some 40 steps apart "
                "and 50 before the end? Chance is 0.25 for two of them and 0.125 for three.")
    columns = {"accuracy": "share of right classes on 2,560 test strings",
               "strings": "strings learnt from, each epoch's counted, until all of 500 validation strings were right; "
                          "mean over the trials that came so far"}
    published = {"LSTM, two symbols": "1 of 2,560 test strings wrong, after 31,390 strings",
                 "LSTM, three symbols": "2 of 2,560 test strings wrong, after 571,100 strings"}

    def cases(self):
        """Return the networks; gated ones have chrono biases, which begin with a memory of up to 100 steps."""
        zeros = "model.encoder.i2h_bias_initializer=zeros"
        rnn = ("model.encoder.name=rnn", "training.optimizer.learning_rate=0.002", zeros)
        changes = {"LSTM, two symbols": ((), (1, 2, 3)), "GRU, two symbols": (("model.encoder.name=gru",), (1, 2, 3)),
                   "LSTM, all biases 0, two symbols": ((zeros,), (1,)), "Elman RNN, two symbols": (rnn, (1, 2)),
                   "LSTM, three symbols": (("data.relevant=3",), (1, 2, 3))}
        return [Case(label, "classic/temporal_order", *each) for label, each in changes.items()]

    def measure(self, run, case):
        """Return the accuracy, and how many strings it took where training came to its end by it."""
        last = run.metrics.iloc[-1]
        size = run.config.data.arguments.get("train", 10000)
        strings = {"strings": float(last["epoch"] * size)} if last["valid_accuracy"] >= 1 else {}
        return {"accuracy": run.scores["accuracy"], **strings}
