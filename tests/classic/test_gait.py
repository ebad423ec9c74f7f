"""Experiments on walking: cases, and identification by linear models against systems that are known."""
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes
from gluon_rnn.classic.experiment import Experiment
from gluon_rnn.classic.gait import LINEAR, GaitNextFrame, GaitWalker, identify_by_ar
from gluon_rnn.data.labelled import Examples, Labelled


class Reader:
    def __call__(self, item):
        return np.array(item).reshape(-1, 1)


def oscillations(frequencies, count, rng):
    """Return labelled pieces of pure oscillations: x_t = 2 cos(w) x_{t-1} - x_{t-2} holds exactly, one w a label."""
    found = Examples()
    for name, frequency in frequencies.items():
        for phase in rng.uniform(0, 6, count):
            found.items.append(tuple(np.sin(frequency * np.arange(12) + phase)))
            found.labels.append(name)
    return found


def test_oscillations_are_told_apart_by_two_lags_and_not_by_chance():
    rng = np.random.default_rng(0)
    frequencies = {"slow": 0.3, "middle": 0.5, "fast": 0.9}
    data = Labelled({split: oscillations(frequencies, 6, rng) for split in ("train", "test")}, Reader())
    assert identify_by_ar(data, 2) == 1.0
    same = Labelled({"train": oscillations(frequencies, 6, rng), "test": oscillations({"slow": 0.5}, 6, rng)}, Reader())
    assert identify_by_ar(same, 2) == 0.0, "what is called slow moves like middle"


def test_next_frame_cases():
    names = {case.label: recipes.load(case.recipe, case.overrides).model for case in GaitNextFrame().cases()}
    assert [model.name for model in names.values()] == [None, None, "narx", "ar"] or \
        [model.name for model in names.values()] == ["forecaster", "forecaster", "narx", "ar"]
    assert names["LSTM"].arguments["encoder"]["name"] == "lstm"
    assert names["AR of 12 frames"].arguments["output_lag"] == names["NARX of 12 frames"].arguments["output_lag"] == 12


def test_linear_rows_stand_behind_those_of_networks(tmp_path, monkeypatch):
    trained = [{"label": "GRU", "seed": 1, "accuracy": 0.5}]
    monkeypatch.setattr(Experiment, "rows", lambda self, folder, jobs=1: list(trained))
    load = recipes.load
    monkeypatch.setattr("gluon_rnn.classic.gait.recipes.load", lambda name: load(name, [
        "data.walkers=2", "data.train=6", "data.valid=4", "data.test=10", "data.variety=1", "data.noise=0.1"]))
    rows = GaitWalker().rows(tmp_path)
    assert [row["label"] for row in rows[:3]] == ["GRU", LINEAR, "most frequent class"]
    assert rows[1]["accuracy"] == 1.0 and rows[2]["accuracy"] == 0.5
    GaitWalker().draw(rows, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("scores, experiment", [({"accuracy": 0.4, "loss": 1.0}, GaitWalker()),
                                                ({"open_loop_rmse": 0.7, "free_run_rmse": 9.0}, GaitNextFrame())])
def test_measures(scores, experiment):
    run = type("Run", (), {"scores": scores})
    assert experiment.measure(run, experiment.cases()[0]) == {key: scores[key] for key in experiment.columns}
