"""Generated walking: the next frame of three joints, and who walks."""
import numpy as np

from gluon_rnn import recipes
from gluon_rnn.classic.bars import bars
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.metrics.baselines.classes import baselines
from gluon_rnn.parts import build_data

__all__ = ["GaitNextFrame", "GaitWalker", "identify_by_ar"]

LINEAR = "AR of each walker"
_RECIPE, _LAGS = "classic/gait_walker", 6


@experiments.register("gait_next_frame")
class GaitNextFrame(Experiment):
    """The next frame of eight walkers, by networks with states or delays and by a linear model."""

    title = "Walking: the next frame"
    source = "Generated, with the shapes of curves in Winter 1991; eight walkers, measurement noise of 0.5 degrees"
    question = "How far is the next frame of hip, knee and ankle from its prediction, in degrees, beside an AR model?"
    year = 1991
    columns = {"open_loop_rmse": "error one frame (40 ms) ahead, degrees; no less than the noise of 0.5",
               "free_run_rmse": "error of predictions that go on from themselves behind 50 frames, for 8 seconds"}

    def cases(self):
        """Return GRU, LSTM, NARX and AR."""
        return [Case("GRU", "classic/gait_next_frame"),
                Case("LSTM", "classic/gait_next_frame", ("model.encoder.name=lstm",)),
                Case("NARX of 12 frames", "classic/gait_narx"), Case("AR of 12 frames", "classic/gait_ar")]

    def measure(self, run, case):
        """Return the errors one frame ahead and in a free run, root mean squares over the three joints."""
        return {name: run.scores[name] for name in self.columns}

    def draw(self, rows, path):
        """Draw the errors one frame ahead beside the noise."""
        bars(path, rows, "open_loop_rmse", {"noise": 0.5})


@experiments.register("gait_walker")
class GaitWalker(Experiment):
    """Who walks: a class for each walker, by networks, and by the walker whose linear model errs least."""

    title = "Walking: who walks"
    source = ("Generated, with the shapes of curves in Winter 1991; eight walkers who differ little, pieces of 30 "
              "frames, about a stride from any phase on, measurement noise of 2 degrees")
    question = "Which of eight walkers is it, by a classifier, and by the walker whose own AR model predicts best?"
    year = 1991
    columns = {"accuracy": "share of 320 test pieces whose walker is right; guessing has 0.125"}

    def cases(self):
        """Return three networks."""
        return [Case(name.upper(), _RECIPE, (f"model.encoder.name={name}",)) for name in ("rnn", "lstm", "gru")]

    def measure(self, run, case):
        """Return the accuracy on the test pieces."""
        return {"accuracy": run.scores["accuracy"]}

    def rows(self, folder, jobs=1):
        """Return the rows of the networks, and those of linear models, which no process is needed for."""
        data = build_data(recipes.load(_RECIPE).data)
        simple = {LINEAR: identify_by_ar(data, _LAGS),
                  **{name: scores["accuracy"] for name, scores in baselines(data, "test").items()}}
        return [*super().rows(folder, jobs),
                *({"label": label, "seed": 0, "accuracy": accuracy} for label, accuracy in simple.items())]

    def draw(self, rows, path):
        """Draw accuracies beside that of guessing."""
        bars(path, rows, "accuracy", {"guessing": 1 / 8}, (0, 1))


def identify_by_ar(data, lags, split="test"):
    """Return the share of pieces that the linear model of their own class predicts with the smallest squared error.

    Each class has a vector autoregression of its own, x_t = b + sum_i A_i x_{t-i}, fitted by least squares to all
    pieces of the training split.

    Parameters
    ----------
    data : gluon_rnn.data.labelled.Labelled
        Of features (T, C).
    lags : int
    split : str, default "test"
    """
    models = [_fitted([data.inputs("train")[row] for row in np.flatnonzero(data.targets("train") == label)], lags)
              for label in range(len(data.labels))]
    errors = []
    for piece in data.inputs(split):
        past, now = _regression(piece, lags)
        errors.append([np.sum((past @ model - now) ** 2) for model in models])
    return float(np.mean(np.argmin(errors, axis=1) == data.targets(split)))


def _fitted(pieces, lags):
    pasts, nows = zip(*(_regression(piece, lags) for piece in pieces))
    return np.linalg.lstsq(np.concatenate(pasts), np.concatenate(nows), rcond=None)[0]


def _regression(piece, lags):
    """Return the past (T - lags, 1 + lags * C) and the present (T - lags, C) of a piece (T, C)."""
    piece = np.asarray(piece, dtype=np.float64)
    rows = len(piece) - lags
    past = [piece[lags - lag:lags - lag + rows] for lag in range(1, lags + 1)]
    return np.concatenate([np.ones((rows, 1)), *past], axis=1), piece[lags:]
