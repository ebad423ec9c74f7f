"""The regression task: batches, losses, scores in the units of the file, a run from recipe to prediction, messages."""
import functools
import json
import pathlib

import mxnet as mx
import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn import export
from gluon_rnn.config import ConfigError
from gluon_rnn.metrics.values import value_scores
from gluon_rnn.recipes import build_task
from gluon_rnn.runs import evaluate_run, load_run
from gluon_rnn.tasks.regression.predictor import ValueAssets
from gluon_rnn.training import train
from scripts import evaluate, predict
from tests.recipes import changed
from tests.reference import rounding

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

# Of a scaled value, in float32: up to 6 steps of an LSTM of 8 units and 1 input, and the output layer. Six digits in a
# table of predictions are less.
ERROR = rounding("float32", 6 * 4 * (8 + 1) + 8)


@pytest.fixture
def make(tmp_path):
    """Return a function that gives a small recipe with dotted keys changed: rows with their sum and their length."""
    rng, lines = np.random.default_rng(0), []
    for _ in range(80):
        steps = rng.normal(5, 2, size=rng.integers(2, 7)).round(3)
        lines.append(",".join(map(str, [*steps, 100 * steps.sum().round(3), len(steps)])))
    (tmp_path / "rows.csv").write_text("\n".join(lines[:60]))
    (tmp_path / "test.csv").write_text("\n".join(lines[60:]))
    recipe = {
        "task": {"name": "regression"}, "output_dir": str(tmp_path / "runs"),
        "data": {"name": "trajectory_values", "train": str(tmp_path / "rows.csv"), "valid": 0.2,
                 "test": str(tmp_path / "test.csv"), "targets": ["mass", "size"], "batch_size": 8},
        "model": {"encoder": {"name": "lstm", "hidden_size": 8}},
        "training": {"epochs": 1, "optimizer": {"name": "adam", "learning_rate": 0.03}, "clip_norm": 1.0},
    }
    return functools.partial(changed, recipe)


def task_of(config):
    task = build_task(config)
    task.initialize([mx.cpu()])
    return task


def test_batches_hold_every_sequence_once_with_its_standardised_targets(make):
    task = build_task(make())
    seen = []
    for batch in task.train_batches(0):
        inputs, lengths, targets = (array.asnumpy() for array in batch.arrays)
        assert batch.axes == (1, 0, 0) and inputs.shape == (lengths.max(), batch.rows, 1) and batch.rows == batch.size
        seen += [(*inputs[:int(length), row, 0], *targets[row]) for row, length in enumerate(lengths)]
    raw = task.data.targets("train")
    scaled = ((raw - raw.mean(axis=0)) / raw.std(axis=0)).astype(np.float32)
    want = [(*steps[:, 0], *target) for steps, target in zip(task.data.inputs("train"), scaled)]
    assert len(seen) == 48 and sorted(seen) == sorted(want)
    order = [[batch.arrays[1].asnumpy().tolist() for batch in task.train_batches(epoch)] for epoch in (0, 0, 1)]
    assert order[0] == order[1] != order[2]
    assert "targets mass, size; padding" in task.describe()


@pytest.mark.parametrize("loss, delta, by_hand", [
    ("squared", 1.0, lambda e, d: e ** 2), ("absolute", 1.0, lambda e, d: abs(e)),
    ("huber", 1.0, lambda e, d: np.where(abs(e) <= d, e ** 2 / 2, d * (abs(e) - d / 2))),
    ("huber", 0.3, lambda e, d: np.where(abs(e) <= d, e ** 2 / 2, d * (abs(e) - d / 2)))])
def test_losses_by_hand(make, loss, delta, by_hand):
    task = task_of(make({"task.loss": loss, "task.delta": delta}))
    batch = next(iter(task.train_batches(0)))
    errors = (task.model(batch.arrays[0], None, batch.arrays[1]) - batch.arrays[2]).asnumpy().astype(np.float64)
    assert (abs(errors) > delta).any() and (abs(errors) < delta).any()
    assert task.graph(*batch.arrays).asscalar() == pytest.approx(by_hand(errors, delta).mean(axis=1).sum(),
                                                                 rel=rounding("float32", 8 * 2 + 4))     # 16 terms


def test_scores_are_in_the_units_of_the_file_and_do_not_depend_on_batches(make):
    task = task_of(make())
    raw = task.data.targets("train")
    scaled = np.concatenate([task.model(mx.nd.array(steps[:, None])).asnumpy() for steps in task.data.inputs("test")])
    values, targets = scaled * raw.std(axis=0) + raw.mean(axis=0), task.data.targets("test")
    found = task.evaluate("test")
    assert list(found)[:5] == ["loss", "mse_mass", "rmse_mass", "mae_mass", "r2_mass"]
    want = value_scores(targets, values, ["mass", "size"])
    assert {name: found[name] for name in want} == pytest.approx(want, rel=2 * ERROR, abs=2 * ERROR)
    assert found["loss"] == pytest.approx(np.mean(((values - targets) / raw.std(axis=0)) ** 2), rel=2 * ERROR)
    rows, _, some = task.values("test", limit=1)
    assert len(rows) == len(some) == 20


def test_a_run_from_recipe_to_prediction(make, tmp_path, capsys):
    changes = {"training.epochs": 60, "training.eval_interval": 20, "training.schedule.name": "cosine",
               "training.report": True}
    path = train(build_task(make(changes)), "rows")
    results = json.loads((path / "results.json").read_text())
    scores, others = results["scores"], results["baselines"]
    assert results["split"] == "test" and scores["r2_mass"] > 0.8 and scores["r2_size"] > 0.8
    assert set(others) == {"mean of the training targets", "linear regression on summaries"}
    assert others["mean of the training targets"]["rmse_mass"] > 2 * scores["rmse_mass"] > 20    # hundreds, not 0.4
    table = pd.read_csv(path / "predictions.csv", index_col="row")
    assert table.index.tolist() == list(range(20))
    errors = table["mass_estimated"] - table["mass"]
    assert np.sqrt((errors ** 2).mean()) == pytest.approx(scores["rmse_mass"], rel=ERROR)
    assert evaluate_run(path).startswith(f"test loss {scores['loss']:.4g}, mse_mass ")

    rows = [line.rsplit(",", 2)[0] for line in (tmp_path / "test.csv").read_text().splitlines()]
    (tmp_path / "rows.csv").unlink()                                      # the run folder is enough
    run = load_run(path)
    answers = run.predict(rows)
    np.testing.assert_allclose([answer["mass"] for answer in answers], table["mass_estimated"], rtol=ERROR)
    assert run.predict(rows[3]) == pytest.approx(answers[3], rel=ERROR) and run.predict([]) == []
    assert run.predict(tuple(map(float, rows[3].split(",")))) == run.predict(rows[3])
    assert predict.main([str(path), rows[0]]) == 0
    assert capsys.readouterr().out == f"mass {answers[0]['mass']:.6g}, size {answers[0]['size']:.6g}\n"
    export.export_run(run, tmp_path / "export")
    bundle = export.load(tmp_path / "export")
    assert bundle.predict(rows[0]) == pytest.approx(answers[0], rel=ERROR)


def test_streamed_values_are_those_of_the_sequence_so_far(make, capsys):
    path = train(build_task(make()), "rows")
    run, row = gluon_rnn.load(path), [4.0, 6.5, 3.0]
    streamed = list(run.stream(run.assets.reader(tuple(row))))
    for count, found in enumerate(streamed, start=1):
        assert found == pytest.approx(run.predict(tuple(row[:count])), rel=ERROR)
    assert predict.main([str(path), "4.0,6.5,3.0", "--stream"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"2\tmass {streamed[1]['mass']:.4g}"[:10])
    looks_ahead = gluon_rnn.load(train(build_task(make({"model.pooling": "mean"})), "mean", steps=2))
    with pytest.raises(ValueError, match="cannot answer step by step; train one with pooling last"):
        next(looks_ahead.stream([np.zeros(1)]))


def test_an_ensemble_answers_with_the_mean_of_its_values(make, capsys):
    paths = [str(train(build_task(make({"seed": seed, "training.report": True})), f"seed{seed}")) for seed in (0, 1)]
    alone = [gluon_rnn.load(path).predict("1,2,3") for path in paths]
    ensemble = gluon_rnn.load(paths[0], ensemble=paths[1:])
    assert ensemble.predict("1,2,3") == pytest.approx({name: np.mean([one[name] for one in alone])
                                                       for name in ("mass", "size")}, rel=rounding("float32", 2))
    assert alone[0]["mass"] != alone[1]["mass"]
    with pytest.raises(ValueError, match="one run streams, got an ensemble of 2"):
        next(ensemble.stream([np.zeros(1)]))
    evaluate.main([paths[0], "--ensemble", paths[1], "--save"])
    scores = json.loads((ensemble.path / "results.json").read_text())["scores"]
    table = pd.read_csv(ensemble.path / "predictions.csv")
    assert len(table) == 20 and {"rmse_mass_of_2", "loss_of_2", "rmse_mass"} <= set(scores)
    lines = pathlib.Path(ensemble.config.data.arguments["test"]).read_text().splitlines()
    together = [answer["mass"] for answer in ensemble.predict([line.rsplit(",", 2)[0] for line in lines])]
    assert np.sqrt(np.mean((together - table["mass"]) ** 2)) == pytest.approx(scores["rmse_mass_of_2"], rel=ERROR)


def test_resumed_is_uninterrupted(make):
    changes = {"model.dropout": 0.3, "task.baselines": False, "task.loss": "huber", "training.report": True}
    whole = train(build_task(make({**changes, "training.epochs": 4})), "whole")
    half = train(build_task(make({**changes, "training.epochs": 2})), "half")
    train(build_task(make({**changes, "training.epochs": 4})), "half", resume=half)
    rows = [pd.read_csv(path / "metrics.csv").drop(columns=["seconds", "sequences_per_second", "steps_per_second"])
            for path in (whole, half)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    assert set(json.loads((half / "results.json").read_text())["baselines"]) == {"mean of the training targets"}


def test_assets_survive_their_texts(make):
    assets = build_task(make()).assets
    again = ValueAssets.from_texts(assets.texts().__getitem__)
    assert again.texts() == assets.texts() and again.scaler == assets.scaler
    assert again.reader("1,2").tolist() == assets.reader("1,2").tolist()


def test_the_adding_problem_from_a_fresh_clone(make):
    config = make({"data": {"name": "adding_problem", "length": 5, "train": 400, "valid": 50, "test": 50},
                   "training.epochs": 12, "training.eval_interval": 6, "training.optimizer.learning_rate": 0.01,
                   "training.report": True})
    path = train(build_task(config), "adding")
    results = json.loads((path / "results.json").read_text())
    assert results["scores"]["mse"] < 0.05 < 0.1 < results["baselines"]["mean of the training targets"]["mse"]
    assert list(gluon_rnn.load(path).predict("0.5 0 0.5 1 0.25 1".replace(" ", ","))) == ["sum"]


@pytest.mark.parametrize("changes, message", [
    ({"task.loss": "squares"}, "task.loss: unknown loss 'squares'; did you mean 'squared'"),
    ({"task.delta": 0}, "task.delta: expected a number above 0, got 0"),
    ({"data": {"name": "trajectories", "train": "nowhere"}},
     "data.name: 'trajectories' has no real numbers as targets; known: adding_problem, trajectory_values"),
    ({"data.targts": ["a"]}, "data.targts: unknown key; did you mean 'targets'"),
    ({"model.num_values": 3}, "model.num_values: unknown key"), ({"model.pooling": "first"}, "pooling must be one of"),
    ({"data.num_buckets": 0}, "data.num_buckets: ")])
def test_mistakes_are_found_before_data_are_read(make, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make({"data.train": "nowhere.csv", **changes}))
