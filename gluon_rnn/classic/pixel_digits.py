"""Digits read pixel by pixel, row by row."""
from gluon_rnn.classic.adding import IRNN
from gluon_rnn.classic.bars import bars
from gluon_rnn.classic.experiment import Case, Experiment, experiments

__all__ = ["PixelDigitsExperiment"]

_SLOW = "training.optimizer.learning_rate=0.001"
_NETWORKS = {"RNN": ("model.encoder.name=rnn", _SLOW), "IRNN": (*IRNN, _SLOW), "LSTM": (),
             "GRU": ("model.encoder.name=gru",)}
SEEDS = (1, 2)


@experiments.register("pixel_digits")
class PixelDigitsExperiment(Experiment):
    """Ten digits after 64 steps of one grey value."""

    title = "Digits pixel by pixel"
    source = "Le, Jaitly and Hinton 2015, section 4.2"
    question = ("Which network names a digit after having read its pixels one at a time, row by row? Here 64 "
                "pixels of scikit-learn's digits, 1,258 / 180 / 359 images; in the paper the 784 of MNIST.")
    year = 2015
    columns = {"accuracy": "share of 359 test images, each digit about a tenth"}
    published = {"RNN": "0.35 with tanh", "IRNN": "0.97", "LSTM": "0.63",
                 "figures": "784 steps of MNIST, a million updates, not checked; not to be compared one to one"}

    def cases(self):
        """Return the four networks."""
        return [Case(name, "classic/pixel_digits", overrides, SEEDS) for name, overrides in _NETWORKS.items()]

    def measure(self, run, case):
        """Return the accuracy on the test images."""
        return {"accuracy": run.scores["accuracy"]}

    def draw(self, rows, path):
        """Draw accuracies beside that of guessing."""
        bars(path, rows, "accuracy", {"guessing": 0.1}, (0, 1))
