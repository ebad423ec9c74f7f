"""The forecasting task: whole runs on small systems, what they leave behind, and the mistakes of recipes.

It covers the files of the task's folder: loss, batches, predictor and report too.
"""
import csv
import functools
import json
import math
import pathlib

import mxnet as mx
import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn import recipes
from gluon_rnn.config import ConfigError
from gluon_rnn.data import SeriesFormat
from gluon_rnn.export import load
from gluon_rnn.recipes import build_task
from gluon_rnn.runs import evaluate_run
from gluon_rnn.tasks.forecasting.task import ForecastingTask
from gluon_rnn.training import folder, loop, train
from gluon_rnn.training.signals import StopSignals
from scripts import evaluate, export
from tests.recipes import changed
from tests.reference import EXACT, assert_rounded

#: roundings of float32 on the longest path: a free run of 50 steps of some ten inputs and units
TERMS = 50 * 10
CONFIGS = pathlib.Path(__file__).resolve().parents[3] / "configs"
RECIPES = [path for kind in ("forecast", "identify") for path in sorted((CONFIGS / kind).glob("*.yaml"))]


def system(rows, offset=0.0):
    """y_t = 0.5 y_{t-1} - 0.3 y_{t-2} + 0.8 u_{t-1} + 0.4 u_{t-2} + 0.1, without noise."""
    u, y = np.random.uniform(-1, 1, rows), np.zeros(rows)
    for t in range(2, rows):
        y[t] = 0.5 * y[t - 1] - 0.3 * y[t - 2] + 0.8 * u[t - 1] + 0.4 * u[t - 2] + 0.1
    return pd.DataFrame({"u": u + offset, "y": y + offset})


@pytest.fixture
def make_config(tmp_path):
    """Return a function that writes three files and gives a small recipe with dotted keys changed."""
    for name, rows in (("train", 300), ("valid", 60), ("test", 50)):
        system(rows).to_csv(tmp_path / f"{name}.csv", index=False)

    recipe = {"task": {"name": "forecasting"}, "output_dir": str(tmp_path / "runs"),
              "data": {"name": "time_series", "inputs": ["u"], "targets": ["y"], "batch_size": 8, "bptt": 10,
                       **{name: str(tmp_path / f"{name}.csv") for name in ("train", "valid", "test")}},
              "model": {"name": "narx", "input_lag": 1, "input_delay": 1, "output_lag": 2, "hidden_sizes": [4]},
              "training": {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.01}}}
    return functools.partial(changed, recipe, without_none=True)


GRU = {"name": "forecaster", "encoder": {"name": "gru", "hidden_size": 4}}


def task_of(config):
    return ForecastingTask(config, **config.task.arguments)


def everything(run, which="last"):
    """Return all arrays and numbers of a checkpoint, as bytes."""
    path = run / which
    arrays = {**mx.nd.load(str(path / "training.params")), **mx.nd.load(str(path / "parameters.params"))}
    return {name: array.asnumpy().tobytes() for name, array in arrays.items()}, (path / "position.json").read_text()


# ---- data ----------------------------------------------------------------------------------------------------------


def test_windows_never_mix_recordings(make_config, tmp_path):
    system(120, offset=1e6).to_csv(tmp_path / "poison.csv", index=False)
    files = [str(tmp_path / f"{name}.csv") for name in ("train", "poison", "train")]
    task = task_of(make_config({"data.train": files, "task.scaler": "none", "data.stride": 3}))
    poisoned = clean = 0
    for batch in task.train_batches(0):
        windows = batch.arrays[0].asnumpy()                              # (T, N, 2)
        above = windows > 5e5
        assert (above.all(axis=(0, 2)) | ~above.any(axis=(0, 2))).all()
        poisoned, clean = poisoned + above[0, :, 0].sum(), clean + (~above[0, :, 0]).sum()
    # the first target is row 2, windows of 2 + 10 rows, every 3 rows and the last
    assert (poisoned, clean) == (math.ceil(108 / 3) + 1, 2 * (math.ceil(288 / 3) + 1))


def test_windows_hold_the_rows_of_the_file(make_config):
    config = make_config()
    task = task_of(config)
    scaled = task.assets.scaler.transform(task.data.recordings("train")[0])
    rows = np.hstack([scaled.x, scaled.y]).astype("float32")
    seen = set()
    for batch in task.train_batches(0):
        for window in batch.arrays[0].asnumpy().swapaxes(0, 1):
            first, = np.flatnonzero(rows[:, 0] == window[0, 0])
            np.testing.assert_array_equal(window, rows[first:first + 12])
            seen.update(range(first + 2, first + 12))
    assert seen == set(range(2, 300))                                    # every row that can be is a target


def test_the_scaler_knows_the_training_rows_only(make_config, tmp_path):
    for name in ("valid", "test"):
        system(60, offset=50.0).to_csv(tmp_path / f"{name}.csv", index=False)
    scaler = task_of(make_config()).assets.scaler
    rows = pd.read_csv(tmp_path / "train.csv")
    np.testing.assert_allclose([scaler.x.offset[0], scaler.y.offset[0]], rows.mean(), rtol=1e-12)
    np.testing.assert_allclose([scaler.x.scale[0], scaler.y.scale[0]], rows.std(ddof=0), rtol=1e-12)


def test_scheduled_tosses_more_and_more_coins(make_config):
    task = task_of(make_config({"task.feedback": "scheduled", "training.epochs": 8}))
    shares = []
    for epoch in range(8):
        coins = [batch.arrays[1].asnumpy() for batch in task.train_batches(epoch)]
        again = [batch.arrays[1].asnumpy() for batch in task.train_batches(epoch)]
        assert all((first == second).all() for first, second in zip(coins, again))
        coins = np.concatenate(coins, axis=1)
        assert (coins[:2] == 0).all() and set(np.unique(coins)) <= {0, 1}
        shares.append(coins[2:].mean())
    # 300 coins an epoch: five standard deviations of a share are 0.15 at most
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1], abs=0.15) and shares[3:] == [1] * 5


# ---- whole runs ----------------------------------------------------------------------------------------------------


def test_a_linear_narx_finds_the_coefficients(make_config):
    config = make_config({"model.hidden_sizes": [], "task.scaler": "none", "data.stride": 1, "training": {
        "epochs": 3, "optimizer": {"name": "sgd", "learning_rate": 0.4, "momentum": 0.8}}})
    run = gluon_rnn.load(train(build_task(config), "linear"))
    # Without noise the equation is the one minimum. The tolerance is of the descent, which rounding of float32 ends at
    # about eps times the condition of the least squares problem, some ten here.
    np.testing.assert_allclose(run.model.x_weight.data().asnumpy(), [[0.8, 0.4]], atol=1e-5)
    np.testing.assert_allclose(run.model.y_weight.data().asnumpy(), [[0.5, -0.3]], atol=1e-5)
    np.testing.assert_allclose(run.model.bias.data().asnumpy(), [0.1], atol=1e-5)
    results = json.loads((run.path / "results.json").read_text())
    assert results["scores"]["free_run_nrmse"] < 1e-4
    assert results["baselines"]["linear ARX"]["free_run_nrmse"] < 1e-8
    assert results["baselines"]["persistence"]["free_run_nrmse"] > 0.9


@pytest.mark.parametrize("changes", [
    {"task.feedback": "scheduled"},
    {"task.feedback": "closed_loop", "model": {**GRU, "dropout": 0.2}, "task.washout": 5},
])
def test_two_runs_are_equal_and_so_is_a_resumed_one(make_config, changes):
    config = make_config({"training.report": True, **changes, "data.stride": 40})
    first = train(build_task(config), "a")
    again, broken = loop.Loop(build_task(config)), loop.Loop(build_task(config))
    for other, epochs in ((again, 2), (broken, 1)):           # the process of `broken` ends after one of two epochs
        other.start(folder.create(config.output_dir, "b"))
        other.epochs = epochs
        other.run(StopSignals())
    assert everything(first) == everything(again.path) != everything(broken.path)
    train(build_task(config), "b", resume=broken.path)
    assert everything(first) == everything(broken.path)
    assert (first / "predictions.csv").read_bytes() == (broken.path / "predictions.csv").read_bytes()


@pytest.fixture
def quick(make_config):
    """Return a function that trains for one short epoch and gives the run."""
    def make(changes=None):
        config = make_config({"data.stride": 40, "training.epochs": 1, **(changes or {})})
        return gluon_rnn.load(train(build_task(config), "quick"))
    return make


def arrays_of(tmp_path, name="test"):
    table = pd.read_csv(tmp_path / f"{name}.csv")
    return table[["u"]].to_numpy(copy=True), table[["y"]].to_numpy(copy=True)


@pytest.mark.parametrize("model", [None, GRU])
def test_a_run_predicts_what_its_report_says(quick, tmp_path, model):
    run = quick({"training.report": True, "task.steps_ahead": [5], "task.washout": 6,
                 **({"model": model} if model else {})})
    x, y = arrays_of(tmp_path)
    table = pd.read_csv(run.path / "predictions.csv")
    assert table["row"].tolist() == list(range(6, 50)) and table["y"].tolist() == y[6:, 0].tolist()
    for column, way in (("y_open_loop", 1), ("y_ahead_5", 5), ("y_free_run", None)):
        assert_rounded([run.predict(x, y, way)[:, 0]], [table[column].to_numpy()], TERMS)
    errors = table["y"] - table["y_free_run"]
    scores = json.loads((run.path / "results.json").read_text())["scores"]
    assert scores["free_run_rmse"] == pytest.approx(math.sqrt((errors ** 2).mean()), rel=EXACT["atol"])
    assert evaluate_run(run.path).startswith("test loss ")
    for name in ("forecast.png", "residuals.png"):
        assert (run.path / name).read_bytes().startswith(b"\x89PNG")


def test_an_ensemble_forecasts_the_median(quick, tmp_path, capsys):
    paths = [str(quick({"seed": seed}).path) for seed in range(3)]
    (x, y), runs = arrays_of(tmp_path), [gluon_rnn.load(path) for path in paths]
    ensemble = gluon_rnn.load(paths[0], ensemble=paths[1:])
    for way in (1, None):
        expected = np.median([run.predict(x, y, way) for run in runs], axis=0)
        np.testing.assert_array_equal(ensemble.predict(x, y, way), expected)
    evaluate.main([paths[0], "--ensemble", *paths[1:], "--save"])
    scores = json.loads((runs[0].path / "results.json").read_text())["scores"]
    assert scores["free_run_rmse_of_3"] == pytest.approx(math.sqrt(((expected - y[2:]) ** 2).mean()),
                                                         rel=EXACT["atol"])
    assert scores["free_run_nmse_of_3"] == pytest.approx(scores["free_run_nrmse_of_3"] ** 2, rel=EXACT["atol"])
    assert f"free_run_rmse_of_3 {scores['free_run_rmse_of_3']:.4g}" in capsys.readouterr().out
    scaled = str(quick({"task.scaler": "none"}).path)
    with pytest.raises(ValueError, match="form no ensemble: .*vocabulary or scaler, is another one"):
        gluon_rnn.load(paths[0], ensemble=[scaled])


def test_what_a_prediction_does_not_read_may_be_missing(quick, tmp_path):
    run = quick()
    x, y = arrays_of(tmp_path)
    whole = run.predict(x, y, None, start=40)
    y[40:] = np.nan
    np.testing.assert_array_equal(run.predict(x, y, None, start=40), whole)
    with pytest.raises(ValueError, match="row 40 of y is not finite, and this prediction reads the first 49 rows"):
        run.predict(x, y)
    with pytest.raises(ValueError, match="first row to predict is 1, and must be at least the run's washout of 2"):
        run.predict(x, y, start=1)
    with pytest.raises(ValueError, match="steps_ahead"):
        run.predict(x, y, 0)


def test_a_report_of_several_horizons(quick, tmp_path):
    run = quick({"model": {**GRU, "horizon": 4, "distribution": "gaussian"}, "task.washout": 6, "data.season": 6,
                 "training.report": True})
    results = json.loads((run.path / "results.json").read_text())
    steps = pd.read_csv(run.path / "horizons.csv")
    assert list(results["baselines"]) == ["persistence", "seasonal naive", "linear ARX"]
    for name, scores in {"model": results["scores"], **results["baselines"]}.items():
        part = steps[steps["predictor"] == name]
        assert part["step"].tolist() == [1, 2, 3, 4]
        assert part["mse"].mean() == pytest.approx(scores["horizon_mse"])
        assert part["mae"].mean() == pytest.approx(scores["horizon_mae"])
    assert 0 <= results["scores"]["horizon_coverage_90"] <= 1 and results["scores"]["horizon_pinball"] > 0
    table = pd.read_csv(run.path / "predictions.csv")
    x, y = arrays_of(tmp_path)
    assert_rounded([run.predict(x, y, 4)[:, 0]], [table["y_ahead_4"].to_numpy()], TERMS)
    assert (table["y_ahead_4_lower"] < table["y_ahead_4"]).all()
    assert (table["y_ahead_4"] < table["y_ahead_4_upper"]).all()
    assert (run.path / "forecast.png").exists()


def test_a_report_with_bands(quick):
    run = quick({"model": {**GRU, "distribution": "quantile"}, "task.washout": 6, "training.report": True})
    scores = json.loads((run.path / "results.json").read_text())["scores"]
    table = pd.read_csv(run.path / "predictions.csv")
    for way in ("open_loop", "free_run"):
        inside = table["y"].between(table[f"y_{way}_lower"], table[f"y_{way}_upper"])
        assert scores[f"{way}_coverage_80"] == pytest.approx(inside.mean()) and scores[f"{way}_pinball"] > 0


def test_assets_come_back(make_config, tmp_path):
    assets = task_of(make_config({"data.separator": ",", "data.season": 2, "task.washout": 3})).assets
    again = type(assets).from_texts(assets.texts().__getitem__)
    assert again == assets and again.season == 2 and again.washout == 3
    assert again.formats["test"] == SeriesFormat(("u",), ("y",))


# ---- export --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [None, GRU, {"name": "forecaster", "encoder": {
    "name": "tdnn", "hidden_size": 4, "contexts": [[-2, 0], [-1, 0]]}}])
def test_exported_step_by_step_is_the_free_run(quick, tmp_path, model):
    run = quick({"task.washout": 6, **({"model": model} if model else {})})
    assert export.main([str(run.path)]) == 0
    bundle = load(run.path / "export")
    x, y = arrays_of(tmp_path)
    stored = json.loads(bundle.read("scaler.json"))
    scaled = [(values - stored[key]["offset"]) / stored[key]["scale"] for key, values in (("x", x), ("y", y))]
    inputs = np.hstack(scaled)[:, None].astype("float32")                # (T, 1, 2)
    outputs, states = bundle(mx.nd.array(inputs[:6]), bundle.begin_state(1))
    found = []
    for t in range(6, len(x)):
        # what is predicted at t rests on y up to t - 1, so that a first call with any y gives the y for a second one
        predicted, _ = bundle(mx.nd.array(inputs[t:t + 1]), states)
        inputs[t, 0, 1] = predicted.asnumpy().item()
        _, states = bundle(mx.nd.array(inputs[t:t + 1]), states)
        found.append(inputs[t, 0, 1])
    predicted = np.array(found) * stored["y"]["scale"] + stored["y"]["offset"]
    assert_rounded([predicted], [run.predict(x, y, None)[:, 0]], TERMS)
    closed, _ = bundle.networks["closed_loop"](inputs[6:, :, :1], bundle(inputs[:6], bundle.begin_state(1))[1])
    assert_rounded([closed[:, 0, 0]], [np.array(found)], TERMS)           # the same in one call


# ---- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes, sentence", [
    ({"task.feedback": "closed"}, "task.feedback: must be one of open_loop, scheduled, closed_loop, got 'closed'; did"),
    ({"task.scaler": "minmx"}, "task.scaler: must be one of .* got 'minmx'; did you mean 'minmax'"),
    ({"task.steps_ahead": [1, 5]}, r"task.steps_ahead: each must be at least 2 .*got \[1, 5\]"),
    ({"task.steps_ahead": 5}, "task.steps_ahead: expected list, got 5"),
    ({"task.start": "least_square"}, "task.start: must be one of .* did you mean 'least_squares'"),
    ({"task.washot": 3}, "task.washot: unknown key; did you mean 'washout'"),
    ({"data": {"name": "elman_grammar"}}, "data.name: forecasting needs recordings of series, .*known: .*time_series"),
    ({"data.targets": []}, "data: targets is empty"),
    ({"model.input_lagg": 3}, "model.input_lagg: unknown key; did you mean 'input_lag'"),
    ({"data.bptt": 0}, "data.bptt"),
])
def test_mistakes_that_are_found_without_data(make_config, changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        task_of(make_config(changes))


@pytest.mark.parametrize("changes, sentence", [
    ({"task.washout": 1}, "task.washout: must cover the model's memory of 2 steps, got 1"),
    ({"task.washout": 60}, "task.washout: valid split, washout 60: .*choose smaller lags or a shorter washout"),
    ({"model": {"name": "ar", "output_lag": 2}}, "model.name: ar takes no inputs, and data.inputs has 1; use narx"),
    ({"data.valid": None}, "data: .*valid"),
    ({"data.bptt": 800}, "data.bptt: train split: .*too short for a window of 800 rows"),
    ({"data.season": 30}, "task.washout: .*SeasonalNaive baseline needs 30 rows"),
    ({"task.steps_ahead": [49]}, "task.steps_ahead: recording .*test.csv has 48 rows to predict, and 49 steps"),
    ({"task.select": "free_run_rms"}, "task.select: no score 'free_run_rms'; did you mean 'free_run_rmse'"),
    ({"model": {**GRU, "horizon": 3}, "task.feedback": "scheduled"}, "task.feedback: scheduled feeds back one step"),
    ({"model": {**GRU, "horizon": 3}, "task.steps_ahead": [2]}, "task.steps_ahead: a model with horizon 3 is scored"),
    ({"model": {**GRU, "horizon": 50}, "data.bptt": 2}, "model.horizon: recording .*test.csv has 49 rows"),
    ({"model": {"name": "forecaster", "encoder": {"name": "gru", "hidden_size": 4, "bidirectional": True}}},
     "model: a forecaster needs a causal encoder"),
    ({"data.targets": ["z"]}, "data: .*train.csv: no column 'z'"),
])
def test_mistakes_that_show_with_the_data(make_config, changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        task_of(make_config(changes))


@pytest.mark.parametrize("model, sentence", [
    ({"name": "narx", "input_lag": 1, "output_lag": 2}, "task.start: .*set skip to true"),
    (GRU, "task.start: least_squares needs a model with a linear path .*got forecaster"),
])
def test_a_start_from_least_squares_needs_a_linear_path(make_config, model, sentence):
    with pytest.raises(ConfigError, match=sentence):
        loop.Loop(build_task(make_config({"task.start": "least_squares", "model": model})))


@pytest.mark.parametrize("model", [{"hidden_sizes": []}, {"hidden_sizes": [4], "skip": True}])
def test_training_starts_at_the_least_squares_fit(make_config, model):
    config = make_config({"task.start": "least_squares"})
    config.model = config.model.model_copy(update=model)
    task = loop.Loop(build_task(config)).task
    found = task.evaluate("valid")
    assert found["free_run_nrmse"] < 1e-5 and found["loss"] < 1e-10          # float32; the system is linear


# ---- recipes -------------------------------------------------------------------------------------------------------


def recipe_files():
    for path in RECIPES:
        marks = [pytest.mark.slow, *([pytest.mark.real_data] if "data_root" in path.read_text() else [])]
        yield pytest.param(path, marks=marks, id=f"{path.parent.name}/{path.stem}")


@pytest.mark.parametrize("path", list(recipe_files()))
def test_dry_run_of_a_recipe(path, tmp_path, request):
    if request.node.get_closest_marker("real_data"):
        request.getfixturevalue("data_root")
    config = recipes.load(path, [f"output_dir={tmp_path}"])
    run = train(build_task(config), path.stem, steps=2)
    assert {"results.json", "predictions.csv", "forecast.png", "residuals.png"} <= {file.name for file in run.iterdir()}
    with open(run / "metrics.csv") as file:
        row, = csv.DictReader(file)
    selecting = gluon_rnn.load(run).config.task.arguments.get("select")
    assert selecting is None or f"valid_{selecting}" in row
    assert path.read_text().startswith("# ") and path.name.endswith(".yaml")


@pytest.mark.parametrize("changes, score", [
    ({}, "open_loop_rmse"), ({"task.feedback": "closed_loop"}, "free_run_rmse"),
    ({"task.feedback": "scheduled"}, "free_run_rmse"), ({"task.select": "free_run_nrmse"}, "free_run_nrmse"),
    ({"model": {**GRU, "feedback": False}}, "free_run_rmse"), ({"model": {**GRU, "horizon": 3}}, "horizon_mse")])
def test_what_is_trained_selects_the_checkpoint(make_config, changes, score):
    assert task_of(make_config(changes)).selection == (score, "min")


def test_the_log_says_which_score_selected(make_config, caplog):
    with caplog.at_level("INFO", "gluon_rnn"):
        path = train(task_of(make_config({"training.epochs": 1})), "a")
    best = pd.read_csv(path / "metrics.csv")["valid_open_loop_rmse"][0]
    assert f"epoch 1 was best, by valid open_loop_rmse {best:.4g}: test loss" in caplog.text


@pytest.mark.parametrize("model, sentence", [
    ({"name": "narx", "input_lag": 1, "output_lag": 1, "hidden_sizes": [0]}, "model: hidden_sizes"),
    ({"name": "ar", "lag": 3}, "model.lag: unknown key"),
    ({"name": "forecaster", "encoder": {"name": "lstm", "hidden_size": -1}}, "model.encoder: hidden_size")])
def test_a_wrong_key_of_a_model_is_said_before_data_are_read(model, sentence, tmp_path):
    """The file of the data is not there, and nobody has missed it yet."""
    with pytest.raises(ConfigError, match=sentence):
        build_task(recipes.from_dict({"task": "forecasting", "model": model, "data": {
            "name": "time_series", "path": str(tmp_path / "none.csv"), "targets": ["y"], "split": [0.5, 0.25, 0.25]}}))
