"""The results page is made from the CSV, and the one in the repository is up to date.

Tests `gluon_rnn/cli/results.py` too.
"""
import pathlib

import pytest

from gluon_rnn import config as configuration
from gluon_rnn import recipe_files, recipes, results
from gluon_rnn.cli.main import main
from gluon_rnn.runs import write_results

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "results.md"


def test_page_is_up_to_date():
    assert main(["results", "--check"]) == 0, "run: gluon-rnn results"


def make_row(**given):
    return {**{column: f"<{column}>" for column in results.COLUMNS}, **given}


def test_every_column_is_in_the_page():
    page = results.render([make_row(value="1.5 +- 0.5", seeds="3 (0, 1, 2)"), make_row()])
    shown = set(results.COLUMNS) - {"task"}
    assert all(f"<{column}>" in page for column in shown) and "## <task>" in page
    assert "<metric>: 1.5 ± 0.5 (3)" in page
    assert page.count("<command>") == page.count("<note>") == 1           # what two rows share stands once


def test_a_task_has_one_table_of_six_columns():
    page = results.render([make_row(task=task, recipe=f"{task}/{n}") for task in ("one_task", "other") for n in (1, 2)])
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert len(tables) == 2 * (2 + 2) and all(line.count("|") == 7 for line in tables)
    assert page.index("## One task") < page.index("`one_task/2`") < page.index("## Other") < page.index("`other/1`")


def test_every_figure_of_the_csv_is_in_the_page():
    page = PAGE.read_text(encoding="utf-8")
    rows = results.read(recipe_files.results_file())
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    found = [cell[1:] for cell in cells if cell[0].startswith("`")]
    wanted = [[f"{row['metric']}: {row['value'].replace('+-', '±')} ({row['seeds'].split()[0]})",
               row["baseline"].replace("), ", ")<br>"),
               *(row[column] for column in ("published", "parameters", "time"))] for row in rows]
    assert found == wanted


def test_other_columns_are_refused(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("recipe,value\na,1\n")
    with pytest.raises(ValueError, match="expected the columns task, recipe, variant"):
        results.read(path)


@pytest.fixture
def make_run(tmp_path):
    """Return a function that makes the folder of a finished run, without training."""
    def make(seed, value, epochs=3):
        config = recipes.from_dict({
            "seed": seed, "data": {"name": "elman_grammar", "sentences": 100}, "training": {"epochs": epochs},
            "model": {"encoder": {"name": "lstm", "hidden_size": 4}}})
        path = tmp_path / f"run-{seed}-{epochs}-{value}"
        path.mkdir()
        (path / "config.yaml").write_text(configuration.to_yaml(config))
        write_results(path, {"split": "test", "scores": {"loss": value}, "baselines": {"unigram": {"loss": 3.5}},
                             "seed": seed, "parameters": 1234, "epochs": 3, "best_epoch": 2, "seconds": 61.0})
        return path
    return make


def test_runs_become_mean_and_standard_deviation(make_run):
    row = results.collect([make_run(2, 1.5), make_run(0, 1.0), make_run(1, 2.0)], "language_model/x", "loss")
    assert row["value"] == "1.5 +- 0.5" and row["seeds"] == "3 (0, 1, 2)"   # sd of 1, 1.5, 2 with n - 1 is 0.5
    assert row["task"] == "language_model"
    assert row["baseline"] == "3.5 (unigram)" and row["parameters"] == "1,234" and row["time"] == "61 s"
    assert "configs/language_model/x.yaml seed=0" in row["command"]


@pytest.mark.parametrize("others", [[(0, 1.1, 3)], [(1, 1.1, 4)]])
def test_runs_of_other_settings_or_the_same_seed_are_refused(make_run, others):
    runs = [make_run(0, 1.0), *(make_run(*other) for other in others)]
    with pytest.raises(ValueError, match="are no repetitions"):
        results.collect(runs, "language_model/x", "loss")


def test_runs_may_differ_in_a_key_that_is_named(make_run):
    runs = [make_run(0, 1.0, epochs=4), make_run(0, 2.0, epochs=3)]
    row = results.collect(runs, "language_model/x", "loss", over="training.epochs")
    assert row["value"].startswith("1.5") and row["seeds"] == "2 (3, 4)"
    assert row["command"].endswith("training.epochs=3  (and 4)")


def test_what_runs_change_of_a_recipe_stands_in_the_command_if_they_do(make_run):
    runs = [make_run(0, 1.0, epochs=4)]
    row = results.collect(runs, "language_model/x", "loss", overrides=["training.epochs=4"])
    assert row["command"].endswith("configs/language_model/x.yaml training.epochs=4 seed=0")
    with pytest.raises(ValueError, match="--override training.epochs=5: .* has training.epochs=4; name what"):
        results.collect(runs, "language_model/x", "loss", overrides=["training.epochs=5"])
    with pytest.raises(ValueError, match="no key 'training.epoch'; --over names a key"):
        results.collect(runs, "language_model/x", "loss", over="training.epoch")


def test_a_score_that_is_not_there_is_refused(make_run):
    with pytest.raises(ValueError, match="has no score 'bleu'; it has loss"):
        results.collect([make_run(0, 1.0)], "language_model/x", "bleu")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Return a folder as of a clone, with an empty table of results and a folder of documentation."""
    for name in ("configs", "docs"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(recipe_files, "folder", lambda: tmp_path / "configs")
    results.write(tmp_path / "configs" / "results.csv", [])
    return tmp_path


def test_a_write_that_breaks_off_leaves_the_old_table_alone(clone):
    table = clone / "configs" / "results.csv"
    results.write(table, [make_row()])
    with pytest.raises(KeyError):
        results.write(table, [{"task": "no other column"}])
    assert list(table.parent.iterdir()) == [table] and results.read(table) == [make_row()]


def test_adding_replaces_the_row_of_the_same_recipe_and_variant(make_run, clone):
    for value, variant in ((1.0, "small"), (2.0, "small"), (3.0, "large")):
        main(["results", "--add", "a/b", "--metric", "loss", "--variant", variant, "--data", "d", "--note", "n",
              "--published", "0.5", "--source", "s", str(make_run(0, value))])
    rows = results.read(clone / "configs" / "results.csv")
    assert [(row["variant"], row["value"]) for row in rows] == [("large", "3"), ("small", "2")]
    page = (clone / "docs" / "results.md").read_text()
    assert "| `a/b` (small) | loss: 2 (1) | 3.5 (unigram) | 0.5 | 1,234 | 61 s |" in page
    assert "- `a/b` (large), `a/b` (small): d; test split; 2 cores, AVX-512; n; published: s" in page
    assert main(["results", "--check"]) == 0
    assert [path.name for path in (clone / "docs").iterdir()] == ["results.md"]
    (clone / "docs" / "results.md").write_text(page + "typed by hand")
    assert main(["results", "--check"]) == 1


def test_outside_a_clone_there_is_no_page(make_run, clone):
    (clone / "docs").rmdir()
    with pytest.raises(ValueError, match="docs is missing: .* in a clone of the repository only"):
        main(["results", "--add", "a/b", "--metric", "loss", str(make_run(0, 1.0))])
    assert not results.read(clone / "configs" / "results.csv")
