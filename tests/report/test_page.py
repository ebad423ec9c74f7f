"""The page of a run: what it shows and where, and that it needs nothing but itself.

Tests `sections.py` and `charts.py` too.
"""
import json

import pytest

from gluon_rnn.report import page
from gluon_rnn.report.charts import charts_of
from gluon_rnn.report.record import Record, begin, read
from tests.report import pages

ROWS = ("epoch,step,train_loss,valid_loss,valid_accuracy,learning_rate,grad_norm,param_norm,clipped,"
        "sequences_per_second,steps_per_second,seconds\n"
        "1,10,3.5,2.5,0.25,0.01,1.0,9.0,0.0,100.0,5.0,2.0\n2,20,2.5,1.5,0.75,0.001,0.5,9.5,0.0,400.0,20.0,0.5\n")
NASTY = '<script>alert("1")</script> & {{ 7 * 7 }}'
RESULTS = {"split": "test", "scores": {"loss": 1.25, "accuracy": 0.8125}, "baselines": {NASTY: {"accuracy": 0.5}},
           "parameters": 1234, "epochs": 2, "best_epoch": 2, "seconds": 2.5, "text": f"confusion {NASTY}",
           "files": [{"file": "confusion.png", "title": "Confusion", "description": "rows are true", "header": []},
                     {"file": "predictions.csv", "title": "Answers", "description": "", "header": []},
                     {"file": "gone.wav", "title": "A sound", "description": "", "header": []}]}


@pytest.fixture
def stopped(tmp_path):
    """Return the folder of a run that was stopped after two of five epochs."""
    path = tmp_path / "names-1"
    path.mkdir()
    (path / "config.yaml").write_text("task: {name: classification}\nmodel: {name: classifier}\ndata: {name: text}\n"
                                      "training: {}\n"
                                      f"seed: 3\nnote: '{NASTY}'\n")
    (path / "metrics.csv").write_text(ROWS)
    (path / "loss.png").write_bytes(b"drawn as curves")
    begin(path, {"data": f"text: {NASTY}", "selection": ("accuracy", "max"), "parameters": 1234, "epochs": 5,
                 "loss_label": "nats per name", "best_loss": 0.5}, ["cpu(0)"], (0, 0))
    return path


@pytest.fixture
def finished(stopped):
    (stopped / "results.json").write_text(json.dumps(RESULTS))
    (stopped / "confusion.png").write_bytes(b"\x89PNG one")
    (stopped / "later.png").write_bytes(b"\x89PNG two")
    (stopped / "predictions.csv").write_text(f'item,true,predicted\n"{NASTY.replace(chr(34), chr(34) * 2)}",a,b\n')
    return stopped


def cells_of(found, caption):
    """Return the texts of the cells of one table, in order."""
    begin_at = next(k for k, (tag, _, text) in enumerate(found.elements) if tag == "caption" and text == caption)
    cells = []
    for tag, _, text in found.elements[begin_at + 1:]:
        if tag in ("table", "section"):
            break
        cells += [text] if tag in ("th", "td") else []
    return cells


def test_the_page_of_a_finished_run(finished):
    path = page.write(finished)
    assert path == finished / "report.html" and not list(finished.glob(".*"))
    found = pages.check(path.read_text(encoding="utf-8"))
    assert found.texts("h1") == ["names-1"] and found.texts("h2") == [
        "Summary", "Curves", "Scores", "Pictures and answers", "Configuration", "Environment and hardware"]
    assert "finished after 2 epochs, epoch 2 was best." in found.texts("p")[0]
    assert dict(zip(found.texts("dt"), found.texts("dd"))) == {
        "test accuracy": "0.8125", "test loss": "1.25", "parameters": "1,234", "seconds of training": "2.5",
        "sequences a second": "160"}                                  # (100 * 2 + 400 * 0.5) / 2.5
    assert cells_of(found, "Scores on the test split") == [
        "", "loss", "accuracy", "this model", "1.25", "0.8125", NASTY, "–", "0.5", "best possible", "0.5", "–"]
    assert cells_of(found, "Answers") == ["item", "true", "predicted", NASTY, "a", "b"]
    assert [image["alt"] for image in found.attributes("img")] == [
        "rows are true", "later: later.png of the run, a picture without a description"]
    assert any("gone.wav is not in the folder" in text for text in found.texts("p"))
    assert [text for text in found.texts("pre") if NASTY in text] == [RESULTS["text"], read(finished).recipe.strip()]
    assert "cpu(0)" in cells_of(found, "Where the run was trained, by run.json")


def test_the_page_of_a_run_that_was_stopped(stopped):
    found = pages.check(page.write(stopped).read_text(encoding="utf-8"))
    assert f"stopped in epoch 2 of 5; gluon-rnn train --resume {stopped} goes on." in found.texts("p")[0]
    assert found.texts("h2") == ["Summary", "Curves", "Configuration", "Environment and hardware"]
    assert ("best validation accuracy, epoch 2", "0.75") in zip(found.texts("dt"), found.texts("dd"))


def test_scores_of_before_the_run_went_on_are_called_so(finished):
    (finished / "metrics.csv").write_text(ROWS + ROWS.splitlines()[-1].replace("2,20", "3,30", 1) + "\n")
    found = pages.check(page.report_of(read(finished)))
    assert any(text.startswith("The closing scores are of epoch 2") for text in found.texts("p"))


def test_an_empty_run_and_one_of_an_earlier_version(stopped):
    for name in ("metrics.csv", "run.json", "loss.png"):
        (stopped / name).unlink()
    found = pages.check(page.report_of(read(stopped)))
    assert "stopped before its first evaluation" in found.texts("p")[0]
    assert any("its folder has no run.json" in text for text in found.texts("p"))


def test_pictures_of_a_diagnosis_are_shown(stopped):
    (stopped / "diagnosis").mkdir()
    (stopped / "diagnosis" / "gradient.png").write_bytes(b"\x89PNG")
    found = pages.check(page.report_of(read(stopped)))
    assert "Diagnosis" in found.texts("h2") and found.attributes("img")[0]["alt"].startswith("gradient: ")


def test_machines_of_a_run_that_went_on_elsewhere_are_beside_each_other(stopped):
    begin(stopped, {"epochs": 5}, ["gpu(0)"], (2, 20))
    found = pages.check(page.report_of(read(stopped)))
    cells = cells_of(found, "Where the run was trained, by run.json")
    assert cells[:3] == ["", "from the beginning", "after step 20"]
    assert cells[cells.index("devices"):][:3] == ["devices", "cpu(0)", "gpu(0)"]


def test_the_curves_are_the_columns(stopped):
    found = {chart.title: chart for chart in charts_of(read(stopped))}
    assert list(found) == ["Loss", "Validation accuracy", "Learning rate", "Norm of the gradient",
                           "Norm of the parameters", "Sequences per second"]      # clipped is 0 throughout
    assert [line["name"] for line in found["Loss"].lines] == ["training", "validation"]
    assert found["Loss"].y_label == "nats per name" and found["Loss"].level["name"] == "best possible"
    assert found["Loss"].description.startswith("training goes from 3.5 at epoch 1 to 2.5 at 2;")
    assert found["Sequences per second"].description.startswith("Sequences per second goes from 100 at epoch 1 to 400")
    assert charts_of(Record("a", "task: {name: a}")) == []


def test_long_trainings_show_their_last_rows(stopped):
    row = ROWS.splitlines()[1]
    (stopped / "metrics.csv").write_text(ROWS.splitlines()[0] + "\n" + "".join(
        row.replace("1,10", f"{k},{10 * k}", 1) + "\n" for k in range(1, 131)))
    found = pages.check(page.report_of(read(stopped)))
    assert "The last 100 of 130 rows; all are in metrics.csv." in found.texts("p")
    cells = cells_of(found, "Numbers of the curves, from metrics.csv")
    assert (cells[12], cells[-12]) == ("31", "130")
