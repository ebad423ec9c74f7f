"""Runs beside each other: scores, speed, what differs, curves over each other, and what cannot be compared."""
import pathlib

import pytest

from gluon_rnn.report.compare import compare, names_of
from gluon_rnn.report.record import Record
from tests.report import pages

RECIPE = "task: {name: T}\ndata: {name: D, batch_size: 32}\nmodel: {name: m, encoder: {name: E}}\noutput_dir: O\n"


def row(epoch, loss, speed=100.0, seconds=2.0):
    return {"epoch": float(epoch), "step": 10.0 * epoch, "train_loss": loss + 1, "valid_loss": loss,
            "valid_accuracy": 0.5,
            "learning_rate": 0.01, "tokens_per_second": speed, "steps_per_second": 1.0, "seconds": seconds}


def record(name, task="classification", data="text", encoder="lstm", split="test", folder=None, **more):
    recipe = RECIPE
    for letter, value in (("T", task), ("D", data), ("E", encoder), ("O", f"runs/{name}")):
        recipe = recipe.replace(f": {letter}", f": {value}")
    results = {"split": split, "scores": {"loss": 1.5, "accuracy": 0.75}, "parameters": 1000, "epochs": 2,
               "best_epoch": 1}
    return Record(name, recipe, folder, **{"rows": [row(1, 3.0), row(2, 2.0, 400.0, 1.0)], "results": results, **more})


def test_scores_sizes_and_what_differs():
    machine = {"devices": "cpu(0)", "numpy": "1.26", "date": "today", "steps_before": 0, "epochs_before": 0}
    found = compare([record("a", beginning={"parts": [machine]}),
                     record("b", encoder="gru", beginning={"parts": [{**machine, "numpy": "1.24", "date": "then"}]}),
                     record("zoo", results={"split": "test", "scores": {"bleu": 20.5}, "parameters": 5}, rows=[])])
    assert found.scores.header == ["run", "split", "loss", "accuracy", "bleu"]
    assert found.scores.rows == [["a", "test", "1.5", "0.75", "–"], ["b", "test", "1.5", "0.75", "–"],
                                 ["zoo", "test", "–", "–", "20.5"]]
    assert found.sizes.rows[0] == ["a", "1,000", "2", "1", "3.0", "200 tokens/s"]            # (100 * 2 + 400) / 3
    assert found.sizes.rows[2] == ["zoo", "5", "–", "–", "–", "–"]
    recipes, machines = found.differences
    assert recipes.rows == [["model.encoder.name", "lstm", "gru", "lstm"]]
    assert machines.header == ["key", "a", "b"] and machines.rows == [["numpy", "1.26", "1.24"]]
    assert not found.notes


def test_curves_lie_over_each_other():
    other = record("b", rows=[row(1, 5.0), row(3, 4.0)])
    found = {chart.title: chart for chart in compare([record("a"), other]).charts}
    assert list(found) == ["Validation loss", "Training loss", "Validation loss over time", "Validation accuracy",
                           "Learning rate", "Tokens per second"]
    assert [line["name"] for line in found["Validation loss"].lines] == ["a", "b"]
    texts = [text for line in found["Validation loss over time"].lines for _, _, text in line["dots"]]
    assert texts == ["a, seconds of training 2: 3", "a, seconds of training 3: 2", "b, seconds of training 2: 5",
                     "b, seconds of training 4: 4"]
    assert not compare([record("a"), record("b", rows=[])]).charts, "one curve is beside none"


def test_a_column_of_one_run_has_no_chart():
    lonely = [{**row(1, 3.0), "valid_bleu": 1.0}]
    assert "Validation bleu" not in [chart.title for chart in compare([record("a"), record("b", rows=lonely)]).charts]


def test_a_run_without_scores_has_those_of_its_best_row():
    found = compare([record("a"), record("b", results=None, rows=[row(1, 2.0), row(2, 3.0)])])
    assert found.scores.rows[1] == ["b", "valid", "2", "0.5"] and found.notes == [
        "Scores are of other splits (test, valid): they are not of the same data.", "Not come to their end: b."]


@pytest.mark.parametrize("other, note", [({"task": "ctc"}, "other tasks (classification, ctc)"),
                                         ({"data": "names"}, "other data (text, names)"),
                                         ({"split": "valid"}, "other splits (test, valid)")])
def test_what_is_not_of_one_kind_is_said(other, note):
    found = compare([record("a"), record("b", **other)])
    assert len(found.notes) == 1 and note in found.notes[0] and found.text().startswith(found.notes[0])


def test_names_tell_runs_apart():
    first, second = record("x-1", folder=pathlib.Path("a/x-1")), record("x-1", folder=pathlib.Path("b/x-1"))
    assert names_of([first, second, record("y")]) == ["a/x-1", "b/x-1", "y"]
    assert names_of([first, first]) == ["a/x-1 (1)", "a/x-1 (2)"]


def test_one_run_is_no_comparison():
    with pytest.raises(ValueError, match="two runs or more, got 1; name another"):
        compare([record("a")])


def test_the_text_is_aligned():
    lines = compare([record("a", encoder="lstm"), record("longer", encoder="gru")]).text().splitlines()
    assert lines[:4] == ["Scores:", "  run     split  loss  accuracy", "  a        test   1.5      0.75",
                         "  longer   test   1.5      0.75"]


def test_the_page_has_all_of_it():
    found = pages.check(compare([record("a<b>"), record("b", task="ctc")]).page())
    assert found.texts("h2") == ["Scores and size", "Curves", "What differs"]
    assert found.texts("caption") == ["Scores", "Size and speed", "Keys of the recipes"]
    assert "a<b>" in found.texts("th") and any("other tasks" in text for text in found.texts("p"))
