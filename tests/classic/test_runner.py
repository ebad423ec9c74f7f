"""Cases in processes, rows on disk, what is skipped and what is done again, the page.

Tests `experiment.py`, `worker.py`, `page.py` and `gluon_rnn/cli/classic.py` too. What processes do is done in this one:
their command line and their environment are what is looked at.
"""
import subprocess
import types

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes
from gluon_rnn.classic import Case, Experiment, chronological, experiments, page, runner, worker
from gluon_rnn.cli.main import main
from gluon_rnn.training import TrainingError

TINY = ("data.train=20", "data.valid=4", "data.test=4", "training.epochs=1", "model.encoder.hidden_size=2")


@pytest.fixture
def experiment():
    """Return an experiment of two cases, the first with two seeds, which is registered while the test runs."""
    class Tiny(Experiment):
        """Two tiny networks."""

        title, source, question, year = "Tiny", "Nobody (2000)", "Does it run?", 2000
        published = {"B": "0.75", "elsewhere": "0.5"}
        columns = {"accuracy": "share of right tags"}

        def cases(self):
            return [Case("A (first)", "classic/parity", TINY, (1, 2)),
                    Case("B", "classic/parity", (*TINY, "model.encoder.name=gru"))]

        def measure(self, run, case):
            return {"accuracy": run.scores["accuracy"]}

    experiments.register("tiny")(Tiny)
    yield Tiny()
    del experiments._classes["tiny"]


@pytest.fixture
def processes(monkeypatch):
    """Have the work of processes done in this one; return the list of their arguments and environments."""
    started = []

    def run(command, *, env, **options):
        assert command[1:3] == ["-m", "gluon_rnn.classic.worker"]
        started.append((command[3:], env))
        worker.main(*command[3:])
        return types.SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return started


def test_each_case_is_trained_once_with_one_thread(experiment, processes, tmp_path):
    rows = experiment.rows(tmp_path)
    assert [(row["label"], row["seed"]) for row in rows] == [("A (first)", 1), ("A (first)", 2), ("B", 1)]
    assert [arguments[:3] for arguments, _ in processes] == [["tiny", "A (first)", "1"], ["tiny", "A (first)", "2"],
                                                             ["tiny", "B", "1"]]
    assert all(env["OMP_NUM_THREADS"] == env["OPENBLAS_NUM_THREADS"] == "1" for _, env in processes)
    assert all(row["updates"] == 1 and row["parameters"] > 0 and row["seconds"] > 0 for row in rows)
    assert rows[0]["parameters"] < rows[2]["parameters"], "the overrides of the case count"
    assert (tmp_path / "a-first-seed2" / "run-1" / "config.yaml").read_text().count("seed: 2") == 1
    assert experiment.rows(tmp_path) == rows and len(processes) == 3, "what is done is not done again"


def test_what_has_changed_is_trained_again(experiment, processes, tmp_path, monkeypatch):
    experiment.rows(tmp_path)
    case = experiment.case("B")
    assert runner.fingerprint(case, 1) != runner.fingerprint(case, 2)
    monkeypatch.setattr(type(experiment), "cases", lambda self: [Case("B", "classic/parity", TINY)])
    again, = experiment.rows(tmp_path)
    assert len(processes) == 4 and again["parameters"] < 200


def test_a_case_that_diverges_or_fails_is_a_row_that_says_so(experiment, processes, tmp_path, monkeypatch):
    def diverge(task, name):
        raise TrainingError("training diverged\nat step 3")

    monkeypatch.setattr(worker, "train", diverge)
    rows = experiment.rows(tmp_path)
    assert [row["error"] for row in rows] == ["training diverged at step 3"] * 3 and "accuracy" not in rows[0]
    assert experiment.rows(tmp_path) == rows and len(processes) == 3, "it would diverge again"
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: types.SimpleNamespace(returncode=1))
    failed = experiment.rows(tmp_path / "other")
    assert "its process ended with status 1; see " in failed[0]["error"]
    assert not (tmp_path / "other" / "b-seed1" / "row.json").exists(), "it is tried again the next time"


def test_several_experiments_share_the_processes_and_keep_their_rows(experiment, processes, tmp_path):
    said = []
    first, second = runner.run_all([(experiment, tmp_path / "x"), (type(experiment)(), tmp_path / "y")], 2, said.append)
    assert len(first) == len(second) == 3 and len(processes) == len(said) == 6
    with pytest.raises(ValueError, match="jobs must be a whole number of at least 1, got 0"):
        runner.run_all([], 0)
    with pytest.raises(ValueError, match="has no case 'A'; "):
        experiment.case("A")


ROWS = [{"label": "A", "seed": 1, "accuracy": 0.5, "parameters": 10, "updates": 4, "seconds": 2.0},
        {"label": "A", "seed": 2, "accuracy": 0.7, "parameters": 10, "updates": 6, "seconds": 4.0},
        {"label": "B", "seed": 1, "extra": 3.0, "error": "it diverged, at once", "seconds": 1.0}]


def test_rows_are_read_back_as_they_were(tmp_path):
    runner.write_rows(tmp_path / "new" / "rows.csv", ROWS)
    assert runner.read_rows(tmp_path / "new" / "rows.csv") == ROWS
    head = (tmp_path / "new" / "rows.csv").read_text().splitlines()[0]
    assert head == "label,seed,accuracy,extra,parameters,updates,seconds,error"


def test_the_table_has_means_deviations_and_the_papers_figures(experiment):
    lines = page.table(experiment, ROWS).splitlines()
    assert lines[0] == "|  | accuracy | extra | published | seeds | parameters | updates | seconds |"
    assert lines[2] == "| A | 0.6 ± 0.14 | - |  | 2 | 10 | 5 | 3 |"       # deviation of 0.5 and 0.7: 0.1 sqrt 2
    assert page.table(experiment, [{"label": "A", "seed": seed, "strings": 20480.0 * seed} for seed in (1, 2)]).count(
        "| 30,720 ± 14,482 |") == 1                                       # 20,480 / sqrt 2
    assert lines[3] == "| B | - | 3 | 0.75 | 1, 1 failed | - | - | 1 |"


def test_the_page_has_every_experiment_whose_rows_are_there(experiment, tmp_path):
    runner.write_rows(tmp_path / "tiny" / "rows.csv", ROWS)
    (tmp_path / "tiny" / "picture.png").write_bytes(b"")
    text = page.write_page(chronological(), tmp_path).read_text()
    assert text.startswith("# Classic experiments\n\n1 experiments, 0 core minutes")
    for part in ("## Tiny\n", "Nobody (2000). Does it run?", "- accuracy: share of right tags",
                 "![Tiny](tiny/picture.png)", "- Published, elsewhere: 0.5", "- B, seed 1: it diverged, at once"):
        assert part in text
    assert "Published, B" not in text and "Elman" not in text


def test_the_command(experiment, processes, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(type(experiment), "draw", lambda self, rows, path: path.write_bytes(b""))
    assert main(["classic", "tiny", "--output", str(tmp_path), "--jobs", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(tmp_path / "index.md") and "tiny: B, seed 1: " in printed[-2]
    assert len(runner.read_rows(tmp_path / "tiny" / "rows.csv")) == 3 and len(processes) == 3
    assert "tiny/picture.png" in (tmp_path / "index.md").read_text()
    with pytest.raises(ValueError, match="unknown experiment 'tinny'; did you mean 'tiny'"):
        main(["classic", "tinny"])
    with pytest.raises(SystemExit):
        main(["classic"])


@pytest.mark.parametrize("each", chronological(), ids=lambda each: each.name)
def test_every_experiment_says_what_it_is_and_has_recipes_that_are_valid(each, tmp_path):
    assert each.title and each.question and str(each.year) in each.source and each.name in experiments.names()
    cases = each.cases()
    folders = [runner.folder_of(tmp_path, case, seed) for case in cases for seed in case.seeds]
    assert len({case.label for case in cases}) == len(cases) and len(set(folders)) == len(folders)
    for case in cases:
        recipes.load(case.recipe, case.overrides)
