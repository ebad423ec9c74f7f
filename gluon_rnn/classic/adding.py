"""The adding problem over 100, 400 and 1,000 steps, for five kinds of network."""
from gluon_rnn.classic.bars import bars
from gluon_rnn.classic.experiment import Case, Experiment, experiments

__all__ = ["IRNN", "Adding"]

#: overrides that make a recipe's encoder an IRNN of Le et al.: ReLU, an identity matrix, small weights from the inputs
IRNN = ("model.encoder={name: rnn, activation: relu, hidden_size: 64, h2h_weight_initializer: identity, "
        "i2h_weight_initializer: {name: normal, sigma: 0.03}}",)
_RATE = "training.optimizer.learning_rate="
_CHRONO = "model.encoder.i2h_bias_initializer={name: chrono, max_time: LENGTH}"
_TDNN = "model.encoder={name: tdnn, hidden_size: 32, contexts: [[-9, 0]]}"
_NETWORKS = {
    "RNN": ("model.encoder.name=rnn", f"{_RATE}0.001"),
    "IRNN": IRNN,
    "LSTM": ("model.encoder.name=lstm",),
    "LSTM, chrono": ("model.encoder.name=lstm", _CHRONO),
    "GRU": ("model.encoder.name=gru",),
    "GRU, chrono": ("model.encoder.name=gru", _CHRONO),
    "TDNN of 10 steps, last": (_TDNN,),
    "TDNN of 10 steps, mean": (_TDNN, "model.pooling=mean"),
}
# Rows to learn from and epochs, 20 rows an update: what lets all of it run in about twenty core minutes.
_SIZES = {100: (20000, 5), 400: (20000, 5), 1000: (10000, 6)}
_SEEDS = {100: (1, 2, 3), 400: (1,), 1000: (1,)}


@experiments.register("adding")
class Adding(Experiment):
    """Who finds two marked numbers in a row of T, and adds them."""

    title = "Adding problem, T = 100, 400, 1000"
    source = ("Hochreiter and Schmidhuber 1997, experiment 4; in the form of Le, Jaitly and Hinton 2015, section 4.1; "
              "chrono biases as in Tallec and Ollivier 2018")
    question = ("Which network adds two marked numbers of T, so that its squared error falls well below the 1/6 "
                "(papers print 0.1767) of always answering 1? 5,000 updates of 20 rows each, for T = 1000 3,000.")
    year = 1997
    columns = {"mse": "squared error on 1,000 test rows; 0.1667 is the variance of the sum",
               "of_variance": "that error by the variance of the test sums: 1 for always naming the mean"}
    published = {
        "LSTM of 1997": "T = 100 after 74,000 rows and T = 1000 after 853,000, when at most 1 of 2,560 test rows was "
                        "off by more than 0.04; numbers from -1 to 1, not checked",
        "IRNN and LSTM of 2015": "solve T = 150 and 200; T = 300 and 400 are harder for both (figure 1, not checked)"}

    def cases(self):
        """Return every network at every length."""
        return [_case(name, length) for length in _SIZES for name in _NETWORKS if length > 100 or "chrono" not in name]

    def measure(self, run, case):
        """Return the squared error, and its share of the variance of the sums."""
        return {"mse": run.scores["mse"], "of_variance": 1 - run.scores["r2"]}

    def draw(self, rows, path):
        """Draw squared errors beside 1/6."""
        bars(path, rows, "mse", {"always 1": 1 / 6}, logarithmic=True)


def _case(name, length):
    rows, epochs = _SIZES[length]
    overrides = tuple(text.replace("LENGTH", str(length)) for text in _NETWORKS[name])
    if name == "IRNN":
        # A step of Adam moves every weight by about the rate; what it adds to the largest eigenvalue is to the power T.
        overrides += (f"{_RATE}{0.1 / length:g}",)
    sizes = (f"data.length={length}", f"data.train={rows}", f"training.epochs={epochs}")
    return Case(f"{name}, T = {length}", "classic/adding", overrides + sizes, _SEEDS[length])
