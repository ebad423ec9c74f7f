"""Training from Python: data in memory against the same data in files, bit for bit; resuming; mistakes; interruptions.

Tests `gluon_rnn/runs.py` too: `Run`.
"""
import io
import os
import pathlib
import signal

import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn import recipes
from gluon_rnn.cli import evaluate, train
from gluon_rnn.data import read_conllu
from gluon_rnn.training import loop
from tests.data.small_files import write_files
from tests.report import pages

LSTM = {"name": "lstm", "hidden_size": 4}
SMALL = {"batch_size": 2, "eval_batch_size": 2}
# Of each data set: a recipe of its task, the keys that name its file or files, and what divides it.
KINDS = {
    "characters": ("language_model", {"path": "prose", "split": [0.8, 0.1, 0.1], "bptt": 5}, {}),
    "words": ("language_model", {"train": "prose", "valid": "prose", "bptt": 5}, {}),
    "labelled_text": ("classification", {"path": "labels", "split": [0.5, 0.25, 0.25]}, {"embed_size": 3}),
    "trajectories": ("classification", {"train": "rows", "valid": 0.5, "test": "rows", "features": 2}, {}),
    "trajectory_values": ("regression", {"train": "rows", "valid": 0.5, "test": "rows"}, {}),
    "conllu": ("tagging", {"train": "conllu", "valid": "conllu", "unknown_alpha": 0.5}, {"embed_size": 3}),
    "parallel_text": ("translation", {"path": "pairs", "split": [0.5, 0.25, 0.25]}, {"decoder": LSTM}),
    "time_series": ("forecasting", {"path": "series", "split": [0.5, 0.25, 0.25], "inputs": ["u"], "targets": ["y"],
                                    "date": "day", "bptt": 3}, {"encoder": None, "input_lag": 1, "output_lag": 2}),
}
CONDITIONAL = ("conditional_language_model", {"path": "labels", "split": [0.5, 0.25, 0.25]}, {"embed_size": 3})


def content(name, path):
    """Return the content of a file as a user has it in memory, read without the package where its format allows it."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines()]
    rows = [list(map(float, line.split(","))) for line in text.splitlines()] if name.startswith("traj") else []
    if name == "conllu":
        return tuple(map(list, zip(*read_conllu(path))))
    return {"characters": lambda: text, "words": lambda: text.splitlines(),
            "labelled_text": lambda: tuple(map(list, zip(*lines))),
            "parallel_text": lambda: [tuple(line) for line in lines],
            "trajectories": lambda: ([np.reshape(row[:-1], (-1, 2)) for row in rows], [int(row[-1]) for row in rows]),
            "trajectory_values": lambda: (np.array(rows)[:, :-1, None], np.array(rows)[:, -1]),
            "time_series": lambda: pd.read_csv(io.StringIO(text), float_precision="round_trip")}[name]()


def recipe_of(name, kind, folder):
    task, data, model = kind
    model = {key: value for key, value in {"encoder": LSTM, **model}.items() if value}
    quick = {"language_model": {"samples": 1, "sample_length": 3},
             "conditional_language_model": {"samples": 2, "max_length": 5}}
    return {"task": {"name": task, **quick.get(task, {})}, "data": {"name": name, **SMALL, **data}, "model": model,
            "training": {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.01}},
            "output_dir": str(folder / "runs")}


def with_paths(recipe, files):
    sources = [key for key in ("path", "train", "valid", "test") if isinstance(recipe["data"].get(key), str)]
    data = {**recipe["data"], **{key: files[f"<{recipe['data'][key]}>"] for key in sources}}
    return {**recipe, "data": data}


def measured(run):
    """Return the columns of metrics.csv that are no times."""
    return run.metrics.drop(columns=[name for name in run.metrics if name == "seconds" or "per_second" in name])


def in_memory(name, recipe, files):
    """Return the data that the recipe names: one set, or by split."""
    found = {key: content(name, files[f"<{recipe['data'][key]}>"]) for key in ("path", "train", "valid", "test")
             if isinstance(recipe["data"].get(key), str)}
    return found.get("path", found)


@pytest.mark.parametrize("name", [*KINDS, "conditional"])
def test_data_in_memory_train_as_the_file_that_has_them(name, tmp_path):
    name, kind = ("labelled_text", CONDITIONAL) if name == "conditional" else (name, KINDS[name])
    files, recipe = write_files(tmp_path), recipe_of(name, kind, tmp_path)
    data = in_memory(name, recipe, files)
    from_files, from_memory = gluon_rnn.train(with_paths(recipe, files)), gluon_rnn.train(recipe, data)
    pd.testing.assert_frame_equal(measured(from_files), measured(from_memory), check_exact=True)
    assert from_files.scores == from_memory.scores
    assert from_memory.evaluate() == pytest.approx({key: from_memory.scores[key] for key in from_memory.evaluate()})
    assert "memory:sha256:" in (from_memory.path / "config.yaml").read_text()
    assert set(os.listdir(from_files.path)) == set(os.listdir(from_memory.path))
    check_page(from_memory)


def check_page(run):
    """Check the page of a run: all that its task names is there, and all that the task wrote is named."""
    page, files = pages.check((run.path / "report.html").read_text(encoding="utf-8")), run.results["files"]
    assert {each["title"] for each in files} <= {*page.texts("h3"), *page.texts("caption"), *page.texts("figcaption")}
    assert not any("not in the folder" in text for text in page.texts("p"))
    written = {path.name for path in run.path.iterdir() if path.is_file() and not path.is_symlink()}
    known = {"config.yaml", "metrics.csv", "results.json", "run.json", "report.html", "loss.png"}
    assert written - known - set(run.predictor().assets.texts()) == {each["file"] for each in files}


@pytest.mark.parametrize("name", ["labelled_text", "time_series"])
def test_a_resumed_run_equals_an_uninterrupted_one(name, tmp_path):
    recipe, files = recipe_of(name, KINDS[name], tmp_path), write_files(tmp_path)
    data = in_memory(name, recipe, files)
    recipe["training"]["report"] = False
    whole = gluon_rnn.train(recipe, data, training__epochs=4)
    half = gluon_rnn.train(recipe, data)
    resumed = gluon_rnn.train(None, in_memory(name, recipe, files), resume=half, training__epochs=4)
    assert resumed.path == half.path
    pd.testing.assert_frame_equal(measured(whole), measured(resumed), check_exact=True)
    assert whole.scores == resumed.scores


@pytest.fixture
def series():
    """Return inputs and outputs of a linear system."""
    u, y = np.random.uniform(-1, 1, (120, 2)), np.zeros(120)
    for t in range(1, 120):
        y[t] = 0.5 * y[t - 1] + u[t, 0] - 0.5 * u[t - 1, 1]
    return u, y


@pytest.fixture
def recipe(tmp_path):
    """Return a small recipe without names of columns or of a data set."""
    return {"task": "forecasting", "data": {"split": [0.6, 0.2, 0.2], "bptt": 10},
            "model": {"input_lag": 1, "output_lag": 1, "hidden_sizes": [3]}, "training": {"epochs": 1, "report": False},
            "output_dir": str(tmp_path / "runs")}


def test_a_run_says_what_it_is_and_predicts(recipe, series):
    run = gluon_rnn.train(recipe, series, model__hidden_sizes=[2], seed=np.int64(3), task__steps_ahead=[4])
    assert run.config.model.arguments["hidden_sizes"] == [2] and run.config.seed == 3
    assert "ahead_4_rmse" in run.scores and run.results["seed"] == 3 and list(run.metrics["epoch"]) == [1]
    assert "forecasting, narx; test loss" in repr(run) and str(run.path) in repr(run)
    assert np.array_equal(run.predict(*series, steps_ahead=None),
                          gluon_rnn.load(run.path).predict(*series, steps_ahead=None))
    assert gluon_rnn.Run(run.path, series).evaluate("valid") == run.evaluate("valid")
    assert run.predictor("last").position["position"]["epoch"] == 1
    assert run.path.name == "forecasting-1" and "Run" in dir(gluon_rnn)


def test_a_run_without_a_report_has_its_scores_and_draws_nothing(recipe, series):
    run, full = gluon_rnn.train(recipe, series), gluon_rnn.train(recipe, series, training__report=True)
    files = {path.name for path in full.path.iterdir()} - {path.name for path in run.path.iterdir()}
    assert files == {"loss.png", "forecast.png", "residuals.png", "predictions.csv", "report.html"}
    assert run.scores.items() <= full.scores.items() and not run.results["baselines"] and full.results["baselines"]


def test_what_the_command_says_of_data_that_were_in_memory(recipe, series, run_of_command):
    run = gluon_rnn.train(recipe, series)
    for command, words in ((evaluate, [str(run.path)]), (train, ["--resume", str(run.path)])):
        with pytest.raises(ValueError, match=r"data.path: the data were in memory .* gluon_rnn.Run\(RUN, data\)"):
            run_of_command(command, words)


@pytest.fixture
def run_of_command():
    """Return a function that runs a command in this process, its errors coming through."""
    import argparse

    def call(command, words):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        return command.run(parser.parse_args(words))
    return call


@pytest.mark.parametrize("change, words", [
    (lambda u, y: (u[:-1], y), "the data given: 119 rows of inputs and 120 of targets"),
    (lambda u, y: (np.where(u > 0.9, np.nan, u), y), "the data given, row .* has no value .* set missing"),
    (lambda u, y: (np.where(u > 0.9, np.inf, u), y), "the data given, row .* inf in column 'x_.' is not a finite"),
    (lambda u, y: (u, None), "the targets are None"),
    (lambda u, y: (u[None], y), "got the shape \\(1, 120, 2\\); pass several recordings as a list"),
    (lambda u, y: {"train": (u, y)}, "training needs a valid split|files are missing"),
    (lambda u, y: {"train": (u, y), "vlid": (u, y)}, "data has the part 'vlid'; did you mean 'valid'"),
    (lambda u, y: {"valid": (u, y)}, "train is missing"),
    (lambda u, y: "abc", "the targets must be numbers"),
])
def test_wrong_data_are_one_sentence(recipe, series, change, words, tmp_path):
    with pytest.raises(ValueError, match=words) as error:
        gluon_rnn.train(recipe, change(*series))
    assert "\n" not in str(error.value) and not (tmp_path / "runs").exists()


def test_other_data_are_refused_in_a_resume(recipe, series):
    u, y = series
    run = gluon_rnn.train(recipe, series)
    with pytest.raises(ValueError, match="the data given are not those of the run in"):
        gluon_rnn.train(None, (u, y + 1e-12), resume=run)
    with pytest.raises(ValueError, match="the data given are not those of the run in"):
        gluon_rnn.Run(run.path, (u + 1, y)).evaluate()
    with pytest.raises(ValueError, match="the data were in memory"):
        gluon_rnn.train(resume=run)


def test_a_run_on_files_takes_no_data(tmp_path, series):
    files, recipe = write_files(tmp_path), recipe_of("words", KINDS["words"], tmp_path)
    run = gluon_rnn.train(with_paths(recipe, files))
    assert list(gluon_rnn.train(resume=run.path, training__epochs=3).metrics["epoch"]) == [1, 2, 3]
    with pytest.raises(ValueError, match="read its data from files, and data in memory were given"):
        gluon_rnn.train(None, {"train": "a", "valid": "b"}, resume=run)


@pytest.mark.parametrize("arguments, words", [
    (dict(), "which recipe\\?"), (dict(recipe="classify/nmaes_tdnn"), "did you mean"),
    (dict(recipe="quickstart", data="a"), "'elman_grammar' takes no data from memory; set data.name to one of char"),
    (dict(recipe={"task": "frames"}, data=[np.zeros((3, 88))]), "'frames' takes no data from memory"),
    (dict(recipe={"task": "tagging"}, data=([["a"]], [["A"]])), "'conllu' divides nothing; pass {'train'"),
    (dict(recipe={"task": "translation"}, data=(["a"], ["b"])), "data.split: one set of data was given"),
    (dict(recipe={"task": "nonsense"}, data="a"), "unknown task 'nonsense'"),
    (dict(recipe={"task": "classification", "data": {"name": "labelled_text", "split": [0.5, 0.5]}},
          data=(np.zeros((4, 3)), [0, 1, 0, 1])), "text 0 must be a text"),
    (dict(recipe="quickstart", training__epoch=3), "training.epoch: unknown key; did you mean 'epochs'"),
])
def test_wrong_arguments_are_one_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        gluon_rnn.train(**arguments)


def test_overrides_are_dotted_keys_and_mappings_are_merged():
    raw = recipes.read("quickstart", {"model.encoder": {"hidden_size": 5}, "task.samples": 2})
    assert raw["model"]["encoder"] == {"name": "lstm", "hidden_size": 5}
    assert raw["task"] == {"name": "language_model", "sample_length": 40, "samples": 2}
    assert recipes.read({"task": "language_model"}, ["task.samples=1"])["task"] == {"name": "language_model",
                                                                                  "samples": 1}


@pytest.mark.parametrize("number, expected", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_an_interruption_is_saved_and_ends_the_program(recipe, series, monkeypatch, number, expected):
    whole = gluon_rnn.train(recipe, series, training__epochs=3)
    run_epoch = loop.Loop.run_epoch

    def interrupted(self, signals):
        if self.position.epoch == 1:
            os.kill(os.getpid(), number)
        return run_epoch(self, signals)
    monkeypatch.setattr(loop.Loop, "run_epoch", interrupted)
    with pytest.raises(expected) as error:
        gluon_rnn.train(recipe, series, training__epochs=3)
    monkeypatch.undo()
    run = gluon_rnn.Run(whole.path.with_name("forecasting-2"))
    assert "not finished" in repr(run)
    assert expected is SystemExit or f"gluon_rnn.train(resume={str(run.path)!r})" in str(error.value)
    assert expected is KeyboardInterrupt or error.value.code == 143
    with pytest.raises(ValueError, match="has not come to its end"):
        run.scores  # noqa: B018  a property that raises
    resumed = gluon_rnn.train(None, series, resume=run)
    assert resumed.scores == whole.scores                                 # no dropout: the same bits after a signal too
