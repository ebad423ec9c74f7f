"""The copy memory problem: ten symbols again after 100 and more steps."""
from gluon_rnn.classic.bars import bars
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.data.copying import BLANK
from gluon_rnn.parts import build_data

__all__ = ["CopyMemoryExperiment", "symbols_right"]

_NETWORKS = {
    "RNN": ("model.encoder.name=rnn", "model.encoder.i2h_bias_initializer=zeros",
            "training.optimizer.learning_rate=0.001"),
    "LSTM": ("model.encoder.i2h_bias_initializer=null",),
    "LSTM, chrono": (),
    "GRU, chrono": ("model.encoder.name=gru",),
}


def symbols_right(gold, found):
    """Return the share of places with a symbol in `gold` that `found` names too; lists of rows of tags.

    >>> symbols_right([[".", "a", "b"], [".", "a", "a"]], [[".", "a", "a"], ["a", "a", "a"]])
    0.75
    """
    pairs = [pair for row, other in zip(gold, found) for pair in zip(row, other) if pair[0] != BLANK]
    return sum(tag == other for tag, other in pairs) / len(pairs)


@experiments.register("copy_memory")
class CopyMemoryExperiment(Experiment):
    """Who says ten symbols again after T blanks."""

    title = "Copy memory, T = 100 and 300"
    source = ("Arjovsky, Shah and Bengio 2016, section 4.1, after Hochreiter and Schmidhuber 1997; chrono biases as in "
              "Tallec and Ollivier 2018, section 3")
    question = ("Which network falls below 10 ln 8 / (T + 20) nats a step, the loss without memory, and says the ten "
                "symbols? T = 1,000 takes hours: gluon-rnn train classic/copy_memory data.delay=1000.")
    year = 2016
    columns = {"loss": "nats a step on the test rows", "memoryless": "10 ln 8 / (T + 20)",
               "of_memoryless": "their ratio", "symbols_right": "share of the symbols that are right; chance is 0.125"}
    published = {
        "LSTM of 2016": "hardly below that without memory, T = 100 to 500 (figure 1, not checked)"}

    def cases(self):
        """Return four networks at T = 100, and the best one at T = 300."""
        short = [Case(f"{name}, T = 100", "classic/copy_memory", overrides) for name, overrides in _NETWORKS.items()]
        return [*short, Case("GRU, chrono, T = 300", "classic/copy_memory", (
            "model.encoder.name=gru", "data.delay=300", "data.train=10000",
            "model.encoder.i2h_bias_initializer.max_time=450"))]

    def measure(self, run, case):
        """Return the loss beside that without memory, and the share of symbols that are right."""
        section = run.config.data
        data, loss = build_data(section), run.scores["loss"]
        words, gold = zip(*data.sequences("test"))
        found = [tagged.tags for tagged in run.predict([" ".join(row) for row in words])]
        return {"loss": loss, "memoryless": data.baseline, "of_memoryless": loss / data.baseline,
                "symbols_right": symbols_right(gold, found)}

    def draw(self, rows, path):
        """Draw the ratio of the loss to that without memory."""
        bars(path, rows, "of_memoryless", {"without memory": 1.0})
