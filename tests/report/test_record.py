"""What a folder says of a run: rows, scores, machines; damaged files cost a sentence. Tests `environment.py`."""
import json
import os

import numpy as np
import pytest

from gluon_rnn.report import environment
from gluon_rnn.report.record import Record, begin, flat, read

ROWS = ("epoch,step,train_loss,valid_loss,valid_accuracy,learning_rate,tokens_per_second,steps_per_second,seconds\n"
        "1,10,3.5,nan,0.25,0.01,100.0,5.0,2.0\n2,20,2.5,1.5,0.75,0.01,400.0,20.0,0.5\n"
        "3,30,2.0,1.75,0.5,0.01,200.0,10.0,1\n")


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "names-1"
    path.mkdir()
    (path / "config.yaml").write_text("task: {name: classification}\nmodel: {name: classifier}\ndata: {name: text}\n"
                                      "training: {}\n")
    (path / "metrics.csv").write_text(ROWS)
    return path


def test_a_folder_is_read_back(folder):
    begin(folder, {"selection": ("accuracy", "max"), "parameters": 7}, ["cpu(0)"], (0, 0))
    found = read(folder)
    assert (found.name, found.task, found.parameters, found.finished) == ("names-1", "classification", 7, False)
    assert found.best_row["epoch"] == 2 and found.rows[2]["valid_loss"] == 1.75
    assert np.isnan(found.rows[0]["valid_loss"])
    assert found.speed_column == "tokens_per_second" and found.seconds == 3.5
    assert found.speed == pytest.approx((100 * 2 + 400 * 0.5 + 200) / 3.5, rel=1e-12)     # of all tokens and seconds


def test_the_selecting_score_is_the_loss_where_nothing_else_is_known(folder):
    found = read(folder)
    assert found.best_row["epoch"] == 2 and found.parameters is None                       # nan is no score
    assert Record("a", found.recipe).best_row is None and Record("a", found.recipe).speed is None


@pytest.mark.parametrize("epochs, finished", [(3, True), (2, False)])
def test_a_run_that_has_gone_on_is_not_finished(folder, epochs, finished):
    (folder / "results.json").write_text(json.dumps({"epochs": epochs, "parameters": 9}))
    assert read(folder).finished is finished and read(folder).parameters == 9


def test_each_beginning_adds_a_machine(folder):
    begin(folder, {"epochs": 2}, ["cpu(0)"], (0, 0))
    begin(folder, {"epochs": 5}, ["gpu(0)", "gpu(1)"], (2, 20))
    found = json.loads((folder / "run.json").read_text())
    assert found["epochs"] == 5 and [part["steps_before"] for part in found["parts"]] == [0, 20]
    assert [part["devices"] for part in found["parts"]] == ["cpu(0)", "gpu(0), gpu(1)"]


def test_the_machine_and_versions(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = environment.environment(["cpu(0)"])
    assert found["mxnet"] == "1.9.1" and found["numpy"] == np.__version__ and "OMP_NUM_THREADS=3" in found["threads"]
    assert found["cores"].endswith(f"of {os.cpu_count()}") and all(isinstance(value, str) for value in found.values())
    assert environment._version("no such library") == "not known"


def test_names_of_hardware_are_read_from_files(tmp_path):
    (tmp_path / "information").write_text("Model: \t\t Card 9\nIRQ:   1\nModel: Card 10\n")
    assert environment._lines(tmp_path / "information", "Model") == ["Card 9", "Card 10"]
    assert environment._lines(tmp_path / "nothing", "Model") == []


@pytest.mark.parametrize("name, text, sentence", [
    ("results.json", "{", "results.json holds no JSON"), ("run.json", "[1,", "run.json holds no JSON"),
    ("metrics.csv", "epoch,step\n1,two\n", "metrics.csv has a row that is not all numbers"),
    ("metrics.csv", "epoch,step\n1\n", "metrics.csv has a row that is not all numbers")])
def test_a_damaged_file_is_named(folder, name, text, sentence):
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read(folder)


def test_nested_keys_are_joined():
    assert flat({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == {"a.b": 1, "a.c.d": [2], "e": {}}
