"""Vanishing gradients, latching and remedies: closed forms, and each on networks of a few updates.

Tests `vanishing_gradient.py`, `latching.py` and `remedies.py`.
"""
import dataclasses

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import recipes
from gluon_rnn.classic import experiments, latching, remedies, vanishing_gradient
from gluon_rnn.classic.remedies import REMEDIES
from gluon_rnn.classic.vanishing_gradient import NETWORKS, shares_by_lag
from gluon_rnn.runs import Run
from gluon_rnn.training import TrainingError, train
from gluon_rnn.training.algorithms.norm_preserving import NormPreservingStep
from gluon_rnn.training.algorithms.settings import algorithm_of


def test_shares_are_a_gradient_by_lag(monkeypatch):
    """A linear network h_t = 0.5 h_{t-1} + W x_t has 0.5^k."""
    monkeypatch.setitem(NETWORKS, "linear", ("skip", {"delays": [1], "activation": "identity",
                                                      "h2h_weight_initializer": {"name": "identity", "scale": 0.5}}))
    np.testing.assert_allclose(shares_by_lag("linear", 1, steps=10), 0.5 ** np.arange(10), rtol=1e-5)
    assert np.isnan(shares_by_lag("LSTM, chrono", 1, steps=4)[0])         # of c, which begins at lag 1


def test_memories_are_in_the_order_of_the_papers(monkeypatch, tmp_path):
    kept = ["RNN, tanh", "IRNN", "LSTM, forget bias 0", "LSTM, forget bias 1", "LSTM, chrono", "NARX, 6 delays"]
    monkeypatch.setattr(vanishing_gradient, "NETWORKS", {label: NETWORKS[label] for label in kept})
    monkeypatch.setattr(vanishing_gradient, "STEPS", 95)
    experiment = experiments.get("vanishing_gradient")()
    rows = experiment.rows(tmp_path)
    memory = {row["label"]: row["memory"] for row in rows}
    assert memory["RNN, tanh"] < memory["NARX, 6 delays"]
    assert memory["LSTM, forget bias 0"] < memory["LSTM, forget bias 1"] < memory["LSTM, chrono"]
    assert memory["IRNN"] == 94
    assert set(rows[0]) == {"label", "seed", "memory", "left at 10", "left at 30", "left at 90", "seconds"}
    lines = (tmp_path / "norms.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(kept)
    for row, line in zip(rows, lines[1:]):
        label, _, values = line[1:].partition('",')
        shares = np.array(values.split(","), float)
        assert label == row["label"] and len(shares) == 95
        assert [shares[lag] for lag in (10, 30)] == pytest.approx([row["left at 10"], row["left at 30"]], rel=1e-5)
        assert shares[int(row["memory"])] >= 0.01 > max([0, *shares[int(row["memory"]) + 1:]])
    experiment.draw(rows, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").exists()


def test_latching_is_measured_by_length(monkeypatch, tmp_path):
    tried = []

    def solved(case, length, seed):
        tried.append((length, seed))
        return length < 200 or seed == 1

    monkeypatch.setattr(latching, "solved", solved)
    experiment = experiments.get("latching")()
    rows = [{"label": case.label, "seed": 1, **experiment.measure(None, case)} for case in experiment.cases()]
    assert tried[:16] == [(length, seed) for length in (50, 100, 200, 300) for seed in (1, 2, 3, 4)]
    assert rows[0] == {"label": "RNN", "seed": 1, "T = 50": 1, "T = 100": 1, "T = 200": 0.25, "T = 300": 0.25,
                       "longest": 100}
    experiment.draw([*rows, {"label": "lost", "seed": 1, "error": "?"}], tmp_path / "picture.png")
    assert (tmp_path / "picture.png").exists()


def test_what_is_solved(monkeypatch):
    case = experiments.get("latching")().case("NARX, 4 output delays")
    short = dataclasses.replace(case, overrides=(*case.overrides, "data.train=120", "data.valid=20", "data.test=20",
                                                 "training.optimizer.learning_rate=0.05"))
    assert latching.solved(short, 5, seed=1)
    monkeypatch.setattr(latching, "SOLVED", 1.01)
    assert not latching.solved(dataclasses.replace(short, overrides=(*short.overrides, "training.epochs=1")), 5, seed=1)

    def diverged(*_):
        raise TrainingError("loss is nan")

    monkeypatch.setattr(latching, "train", diverged)
    assert not latching.solved(short, 5, seed=1)


@pytest.mark.parametrize("label", REMEDIES)
def test_every_remedy_is_a_recipe_that_says_what_its_row_does(label, tmp_path, monkeypatch):
    latched = []
    monkeypatch.setattr(remedies, "solved", lambda case, length, seed: latched.append((case, length)) or seed == 1)
    experiment = experiments.get("remedies")()
    case = experiment.case(label)
    config = recipes.load(case.recipe, [*case.overrides, "data.train=6", "data.valid=4", "data.test=8",
                                        "data.length=6", "training.epochs=1", f"output_dir={tmp_path}",
                                        "training.report=false", "device=cpu"])
    task = recipes.build_task(config)
    task.initialize([mx.cpu()])
    step = algorithm_of(config).make_step(task.graph, [mx.cpu()], config.training)
    assert isinstance(step, NormPreservingStep) == label.startswith("norm-preserving")
    if label == "norm-preserving":                                        # one training for all of them
        run = Run(train(recipes.build_task(config), "run"))
        found = experiment.measure(run, case)
        variance = np.var(recipes.build_task(config).data.targets("test"))
        assert found == {"MSE": run.scores["mse"], "left": pytest.approx(run.scores["mse"] / variance),
                         "latching": 0.25}
        assert latched == [(dataclasses.replace(case, recipe="classic/latching", overrides=(
            "training.clip_norm=null", *case.overrides)), 200)] * 4
        recipes.load("classic/latching", latched[0][0].overrides)
        experiment.draw([{"label": label, "seed": 1, **found}], tmp_path / "picture.png")
        assert (tmp_path / "picture.png").exists()
