"""report.html at the end of a training, however it ends; and a page that fails does not make a training fail.

Tests `folder.py` where it writes the page, and `gluon_rnn/report/record.py` where a training begins.
"""
import json
import logging
import pathlib

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.recipes import build_task
from gluon_rnn.report import page
from gluon_rnn.training import Interrupted, TrainingError, loop, train
from tests.report import pages
from tests.training.test_loop import StopAfter

SETTINGS = {"training.epochs": 2, "data.sentences": 300, "training.report": True}


class Stopped(StopAfter):
    """A signal by number of steps, as the context manager that training opens."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def page_of(run):
    return pages.check((run / "report.html").read_text(encoding="utf-8"))


def test_a_run_that_was_stopped_has_a_page_and_a_resumed_one_another(make_config, monkeypatch):
    config = make_config(SETTINGS)
    monkeypatch.setattr(loop, "StopSignals", lambda: Stopped(3))
    with pytest.raises(Interrupted) as caught:
        train(build_task(config), "a")
    run = caught.value.path
    assert "stopped in epoch 1 of 2" in page_of(run).texts("p")[0] and not (run / "results.json").exists()
    monkeypatch.undo()
    train(build_task(config), "a", resume=run)
    assert "finished after 2 epochs" in page_of(run).texts("p")[0]
    parts = json.loads((run / "run.json").read_text())["parts"]
    assert [part["epochs_before"] for part in parts] == [0, 0] and parts[1]["steps_before"] > 0
    train(build_task(config), "a", resume=run)                                      # nothing is left to learn
    assert len(json.loads((run / "run.json").read_text())["parts"]) == 2


def test_what_is_known_when_a_run_begins(make_config):
    config = make_config(SETTINGS)
    task = build_task(config)
    run = train(task, "a")
    found, results = (json.loads((run / name).read_text()) for name in ("run.json", "results.json"))
    assert found["parameters"] == results["parameters"] and found["epochs"] == 2
    assert found["selection"] == ["loss", "min"]
    assert found["best_loss"] == task.best_loss and found["data"] == task.describe() and found["unit"] == task.unit


def test_a_run_that_diverged_has_a_page(make_config):
    config = make_config({"training.report": True, "training.clip_norm": None,
                          "training.optimizer": {"name": "sgd", "learning_rate": 1e38}})
    with pytest.raises(TrainingError):
        train(build_task(config), "a")
    run, = pathlib.Path(config.output_dir).glob("a-*")
    assert "stopped before its first evaluation" in page_of(run).texts("p")[0]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("a mistake in the page")])
def test_a_page_that_fails_is_a_warning_with_its_cause(make_config, monkeypatch, caplog, error):
    def fail(record):
        raise error

    monkeypatch.setattr(page, "report_of", fail)
    with caplog.at_level(logging.WARNING, "gluon_rnn"):
        run = train(build_task(make_config(SETTINGS)), "a")
    warning, = [record.getMessage() for record in caplog.records if "report.html" in record.getMessage()]
    assert str(error) in warning and f"gluon-rnn report {run} writes it anew" in warning
    assert (run / "results.json").is_file() and not (run / "report.html").exists()


def test_without_a_report_there_is_no_page_but_what_a_comparison_needs(make_config):
    run = train(build_task(make_config({**SETTINGS, "training.report": False})), "a")
    assert not (run / "report.html").exists() and (run / "run.json").is_file()
