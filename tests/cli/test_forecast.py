"""``gluon-rnn forecast``: what it prints and writes, and the mistakes that cost one sentence and no file."""
import shutil

import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn import recipes
from gluon_rnn.config import Part
from gluon_rnn.data import Recording
from gluon_rnn.metrics import series as scores
from gluon_rnn.metrics.baselines.series import ARX
from gluon_rnn.tasks.forecasting.file import forecast_file
from gluon_rnn.tasks.language_model.predictor import LanguageModelPredictor
from gluon_rnn.training import train
from gluon_rnn.cli.main import main
from tests.processes import Command
from tests.reference import assert_rounded

#: roundings of float32 on the longest path: a free run of 80 steps of some ten inputs and units
TERMS = 80 * 10
HOURS = {"freq": "h", "start": "2021-03-01"}
NARX = {"name": "narx", "input_lag": 1, "output_lag": 3, "hidden_sizes": [4]}
GRU = {"name": "forecaster", "encoder": {"name": "gru", "hidden_size": 4}}


def series(rows, seed=0, **dates):
    """Return a table of a driven oscillation: when, u, y."""
    random = np.random.default_rng(seed)
    u, y = random.uniform(-1, 1, rows), np.zeros(rows)
    for t in range(2, rows):
        y[t] = 1.2 * y[t - 1] - 0.5 * y[t - 2] + 0.6 * u[t] + 0.05 * random.standard_normal()
    return pd.DataFrame({"when": pd.date_range(periods=rows, **{**HOURS, **dates}), "u": u, "y": y})


def trained(folder, name, data, model, **task):
    """Train for two epochs on files of `folder`, and return the run's folder."""
    table = series(200)
    for split, part in (("train", table[:140]), ("valid", table[140:])):
        part.to_csv(folder / f"{split}.csv", index=False)
    raw = {"task": {"name": "forecasting", **task}, "output_dir": str(folder), "model": model,
           "data": {"name": "time_series", "targets": ["y"], "date": "when", "batch_size": 8, "bptt": 20,
                    "train": str(folder / "train.csv"), "valid": str(folder / "valid.csv"), **data},
           "training": {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.01}}}
    return train(recipes.build_task(recipes.from_dict(raw)), name)


@pytest.fixture(scope="module")
def narx(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("narx"), "narx", {"inputs": ["u"]}, NARX)


@pytest.fixture(scope="module")
def gaussian(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("gru"), "gru", {"season": 8}, {**GRU, "distribution": "gaussian"}, washout=8)


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    model = {**GRU, "distribution": "quantile", "horizon": 6}
    return trained(tmp_path_factory.mktemp("direct"), "direct", {"inputs": ["u"]}, model, washout=8)


@pytest.fixture
def new(tmp_path):
    """Return a function that writes new rows into a file, the targets of the last `unknown` ones left empty."""
    def write(rows=80, unknown=0, change=None, **dates):
        table = series(rows, seed=1, **dates)
        table.loc[rows - unknown:, "y"] = np.nan
        table = table if change is None else change(table)
        table.to_csv(tmp_path / "new.csv", index=False)
        return tmp_path / "new.csv"
    return write


def predictions(folder):
    return pd.read_csv(folder / "predictions.csv", parse_dates=["time"])


def test_scores_files_and_the_folder_last(narx, new, tmp_path, capsys):
    path, folder = new(unknown=10), tmp_path / "found"
    assert main(["forecast", str(narx), "--data", str(path), "--horizon", "6", "--output", str(folder),
                          "--steps-ahead", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [f"{way}_{score}" for way in ("open_loop", "ahead_4", "free_run")
                                for score in ("rmse", "nrmse")]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["model", "persistence", "linear ARX"]
    assert lines[4] == "linear ARX: fitted on the run's training recordings" and lines[-1] == str(folder)
    assert {file.name for file in folder.iterdir()} == {"predictions.csv", "forecast.png", "residuals.png"}
    for name in ("forecast.png", "residuals.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    table, rows = predictions(folder), series(80, seed=1)
    assert table.columns.tolist() == ["time", "y", "y_open_loop", "y_ahead_4", "y_free_run", "y_forecast"]
    assert table["time"].tolist() == rows["when"][3:76].tolist()
    np.testing.assert_allclose(table["y"][:67], rows["y"][3:70])
    assert table.loc[67:, ["y", "y_open_loop", "y_ahead_4", "y_free_run"]].isna().all(axis=None)
    assert table.loc[:66, "y_forecast"].isna().all() and table.loc[67:, "y_forecast"].notna().all()


def test_an_ensemble_forecasts_the_median(narx, new, tmp_path, tmp_path_factory, capsys):
    other = trained(tmp_path_factory.mktemp("other"), "other", {"inputs": ["u"]}, {**NARX, "hidden_sizes": [3]})
    options = ["--data", str(new(unknown=10)), "--horizon", "6", "--output"]
    for run, folder, others in ((narx, "one", []), (other, "two", []), (narx, "both", ["--ensemble", str(other)])):
        assert main(["forecast", str(run), *options, str(tmp_path / folder), *others]) == 0
    assert "median of 2 models" in capsys.readouterr().out
    one, two, both = (predictions(tmp_path / folder) for folder in ("one", "two", "both"))
    for column in ("y_open_loop", "y_free_run", "y_forecast"):
        np.testing.assert_allclose(both[column], (one[column] + two[column]) / 2)


def test_the_table_is_what_the_library_predicts(narx, new):
    path, run = new(unknown=10), gluon_rnn.load(narx)
    found, rows = forecast_file(run, path, 6, steps_ahead=4), series(80, seed=1)
    x, y = rows[["u"]].to_numpy(), rows[["y"]].to_numpy(copy=True)
    y[70:] = np.nan
    for column, way in (("y_open_loop", 1), ("y_ahead_4", 4), ("y_free_run", None)):
        assert_rounded([found.table[column][:67].to_numpy()], [run.predict(x[:70], y[:70], way)[:, 0]], TERMS)
    want = run.predict(x[:76], y[:76], None, start=70)[:, 0]
    assert_rounded([found.table["y_forecast"][67:].to_numpy()], [want], TERMS)


def test_scores_stand_beside_those_of_trivial_methods(narx, new):
    found = forecast_file(gluon_rnn.load(narx), new()).scores
    train_rows, rows = series(200)[:140], series(80, seed=1)
    y = rows["y"].to_numpy()
    assert found.loc["persistence", "open_loop_rmse"] == pytest.approx(scores.rmse(y[3:, None], y[2:-1, None]))
    assert found.loc["persistence", "free_run_rmse"] == pytest.approx(scores.rmse(y[3:, None], np.full((77, 1), y[2])))
    as_recording = [Recording("", table[["u"]].to_numpy(), table[["y"]].to_numpy(), start)
                    for table, start in ((train_rows, 0), (rows, 3))]
    free = ARX(3, 1).fit(as_recording[:1])(as_recording[1], None)
    assert found.loc["linear ARX", "free_run_nrmse"] == pytest.approx(scores.nrmse(y[3:, None], free), rel=1e-6)


def test_bands_season_and_dates_that_go_on(gaussian, new, capsys):
    assert main(["forecast", str(gaussian), "--data", str(new(freq="MS")), "--horizon", "24", "--level", "0.8"]) == 0
    out = capsys.readouterr().out
    assert "seasonal naive" in out and "bands of 0.8: open_loop_coverage_80" in out
    assert out.splitlines()[-1] == str(gaussian / "forecast")
    table = predictions(gaussian / "forecast")
    assert len(table) == 80 - 8 + 24
    assert table["time"].tolist() == pd.date_range("2021-03-01", periods=104, freq="MS")[8:].tolist()
    for way in ("open_loop", "free_run", "forecast"):
        part = table[[f"y_{way}_lower", f"y_{way}", f"y_{way}_upper"]].dropna().to_numpy()
        assert len(part) == (24 if way == "forecast" else 72) and (np.diff(part, axis=1) > 0).all()


def test_a_model_of_several_horizons_forecasts_directly(direct, new):
    run, path = gluon_rnn.load(direct), new(unknown=1)
    found, rows = forecast_file(run, path, 6), series(80, seed=1)
    assert found.scores.columns.tolist() == ["horizon_mse", "horizon_mae"]
    assert found.scores.index.tolist() == ["model", "persistence", "linear ARX"]
    assert found.notes[0].startswith("bands of 0.8: horizon_coverage_80")
    y = np.pad(rows["y"].to_numpy()[:79], (0, 6), constant_values=np.nan)
    x = np.pad(rows["u"].to_numpy(), (0, 5), constant_values=np.nan)     # the input of the first row is all it sees
    want = run.predict(x, y, None, start=79)[:, 0]
    assert_rounded([found.table["y_forecast"].dropna().to_numpy()], [want], TERMS)
    errors = [(rows["y"][t - 1] - rows["y"][t:t + 6]) / run.assets.scaler.y.scale for t in range(8, 79 - 5)]
    assert found.scores.loc["persistence", "horizon_mae"] == pytest.approx(np.mean(np.abs(errors)))
    with pytest.raises(ValueError, match="horizon is 7, and this model forecasts 6 rows directly"):
        forecast_file(run, path, 7)


def test_a_dead_time_needs_fewer_inputs(tmp_path_factory, new):
    folder = tmp_path_factory.mktemp("delay")
    run = gluon_rnn.load(trained(folder, "delay", {"inputs": ["u"]}, {**NARX, "input_delay": 2}))
    assert forecast_file(run, new(), 2).table["y_forecast"].notna().sum() == 2
    with pytest.raises(ValueError, match="0 rows with inputs follow .* and a forecast of 3 rows needs 1; add rows"):
        forecast_file(run, new(), 3)
    longer, cut = (forecast_file(run, new(unknown=unknown), 2).table["y_forecast"].dropna() for unknown in (2, 0))
    assert len(longer) == len(cut) == 2 and forecast_file(run, new(unknown=1), 3).horizon == 3


def test_a_run_whose_data_are_gone_or_changed(narx, new, tmp_path):
    shutil.copytree(narx.parent, tmp_path / "moved", symlinks=True)
    run = gluon_rnn.load(tmp_path / "moved" / narx.name)
    run.config.data = run.config.data.model_copy(update={"train": str(tmp_path / "moved" / "train.csv")})
    assert forecast_file(run, new()).notes[0] == "linear ARX: fitted on the run's training recordings"
    series(150, seed=5).to_csv(tmp_path / "moved" / "train.csv", index=False)
    assert forecast_file(run, new()).notes[0] == (
        "linear ARX: fitted on the first 40 of the 80 measured rows of the file, as the run's training data have "
        "changed since")
    (tmp_path / "moved" / "train.csv").unlink()
    assert "as the run's training data cannot be read: data: " in forecast_file(run, new()).notes[0]
    assert forecast_file(run, new(rows=12)).notes[0].startswith("linear ARX: left out (an ARX model with 6 coeff")


def test_an_earlier_forecast_is_replaced_and_nothing_else(gaussian, new, tmp_path):
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / "predictions.csv").write_text("old")
    (folder / "mine.txt").write_text("mine")
    forecast_file(gluon_rnn.load(gaussian), new()).write(folder)
    assert len(predictions(folder)) == 72 and (folder / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found", "new.csv"]
    with pytest.raises(ValueError, match="cannot write to .*new.csv': it is a file"):
        forecast_file(gluon_rnn.load(gaussian), new()).write(tmp_path / "new.csv")


def test_columns_of_another_split(tmp_path, capsys):
    series(60, seed=3).rename(columns={"u": "uVal", "y": "yVal"}).to_csv(tmp_path / "valid.csv", index=False)
    valid = {"path": str(tmp_path / "valid.csv"), "inputs": ["uVal"], "targets": ["yVal"]}
    (tmp_path / "run").mkdir()
    run = trained(tmp_path / "run", "two", {"inputs": ["u"], "valid": valid}, NARX)
    assert main(["forecast", str(run), "--data", str(tmp_path / "valid.csv"), "--columns-of", "valid"]) == 0
    assert "y_free_run" in predictions(run / "forecast")
    with pytest.raises(ValueError, match="no column 'u'; known: uVal, when, yVal"):
        main(["forecast", str(run), "--data", str(tmp_path / "valid.csv")])
    with pytest.raises(ValueError, match="no files of its own for the split 'test'; known: train, valid"):
        main(["forecast", str(run), "--data", str(tmp_path / "valid.csv"), "--columns-of", "test"])


def blank(row):
    def change(table):
        table.loc[row, "y"] = np.nan
        return table
    return change


@pytest.mark.parametrize("rows, change, options, sentence", [
    (80, lambda table: table.rename(columns={"y": "yy"}), [], "new.csv: no column 'y'; did you mean 'yy'"),
    (80, blank(40), [], r"new.csv, line 42: column 'y' has no value \(1 missing in all.*set missing to"),
    (8, None, [], "new.csv: the file has 8 measured rows, of which the model's lags and washout take the first 3"),
    (80, lambda table: table.sample(frac=1, random_state=0), [], "does not come after .*; sort the file by date"),
    (80, None, ["--horizon", "5"], "0 rows with inputs follow the last measured target, and a forecast of 5"),
    (80, None, ["--horizon", "-1"], "horizon must be a whole number of rows, at least 0, got -1"),
    (80, None, ["--steps-ahead", "1"], "steps_ahead must be at least 2"),
    (80, None, ["--steps-ahead", "78"], "predictions 78 steps ahead need 78 rows after the history, got 77"),
    (80, None, ["--level", "0.9"], "point predictions have no bands; train with distribution"),
    (0, None, [], "the file has no rows of numbers below its header"),
])
def test_mistakes_cost_one_sentence_and_write_nothing(narx, new, tmp_path, rows, change, options, sentence):
    path, folder = new(rows, change=change), tmp_path / "above" / "found"
    with pytest.raises(ValueError, match=sentence) as caught:
        main(["forecast", str(narx), "--data", str(path), "--output", str(folder), *options])
    assert "\n" not in str(caught.value) and [file.name for file in tmp_path.iterdir()] == ["new.csv"]


def test_missing_values_are_filled_when_asked(narx, new):
    found = forecast_file(gluon_rnn.load(narx), new(change=blank(40)), missing="interpolate").table
    rows = series(80, seed=1)["y"]
    assert found["y"][37] == pytest.approx((rows[39] + rows[41]) / 2)


def test_irregular_dates_do_not_go_on(gaussian, new):
    def late(table):
        table.loc[[20, 33], "when"] += pd.Timedelta("7min")
        return table

    def without(table):
        return table.drop(index=[20, 33])
    with pytest.raises(ValueError, match="line 22: 2 h lie between .*; 2 such places in all; set gaps to fill"):
        forecast_file(gluon_rnn.load(gaussian), new(change=without), 4)
    with pytest.raises(ValueError, match="dates do not follow one another regularly, so that those of 4 forecast rows"):
        forecast_file(gluon_rnn.load(gaussian), new(change=late), 4)
    assert forecast_file(gluon_rnn.load(gaussian), new(unknown=4, change=late), 4).table["time"].notna().all()


def test_a_run_of_another_task_is_refused(narx, new):
    found = gluon_rnn.load(narx)
    config = found.config.model_copy(update={"task": Part(name="language_model")})
    run = LanguageModelPredictor(narx, config, found.model, found.assets)
    with pytest.raises(ValueError, match="is of the task 'language_model'; pass one of the task 'forecasting'"):
        forecast_file(run, new())


@pytest.mark.slow
def test_the_command_exits_with_a_sentence(narx, tmp_path):
    command = Command("gluon_rnn", "forecast", narx, "--data", tmp_path / "none.csv")
    output, errors = command.communicate()
    assert command.returncode == 2 and output == ""
    assert errors.startswith("error: ") and "none.csv: no such file" in errors
    assert errors.count("\n") == 1
