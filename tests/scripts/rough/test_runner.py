"""What rough handling counts: parts have one form, damages change a folder, a crash is one, an answer is compared.

The parts themselves are run by "make rough", outside the suite. Tests `__main__.py`, `kills.py`, `folders.py`,
`configurations.py`, `disk.py`, `streams.py`, `damages.py`, `forked.py` and `small_runs.py` too.
"""
import importlib
import json
import sys

import numpy as np
import pytest

from scripts.rough import PARTS, Outcome, __main__, configurations, runner
from scripts.rough.damages import _KINDS, damage


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_form_of_a_part(name):
    module = importlib.import_module(f"scripts.rough.{name}")
    assert module.TITLE and module.COUNT > 0 and callable(module.prepare) and callable(module.attempt)


def tree(folder):
    return {path.relative_to(folder): path.is_symlink() or (path.read_bytes() if path.is_file() else None)
            for path in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path):
    """Return a function that makes a folder with the files of a run."""
    def make(name, text):
        checkpoint = tmp_path / name / "checkpoints" / "000001"
        checkpoint.mkdir(parents=True)
        for path in (checkpoint.parent.parent / "config.yaml", checkpoint / "config.yaml", checkpoint / "position.json",
                     checkpoint / "parameters.params", checkpoint / "training.params"):
            path.write_text(json.dumps({"name": text, path.name: 1}))
        for link in ("last", "best"):
            (tmp_path / name / link).symlink_to("checkpoints/000001")
        return tmp_path / name
    return make


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__[1:])
def test_a_damage_changes_the_folder_and_says_how(folder, kind):
    run, other = folder("run", "ours"), folder("other", "theirs")
    before, path = tree(run), run / "checkpoints" / "000001" / "training.params"
    assert kind(path, run, other, np.random.default_rng(1))
    assert tree(run) != before and tree(other) == tree(folder("third", "theirs"))


def test_damages_are_the_same_by_the_same_seed(folder):
    runs = [folder(name, "ours") for name in ("a", "b")]
    said = [damage(run, folder(f"{run.name}-other", "theirs"), np.random.default_rng(7)) for run in runs]
    assert said[0] == said[1] and tree(runs[0]) == tree(runs[1])


PART = '''
import os
from scripts.rough import Outcome, Skipped
TITLE, COUNT = "made up", 4
def prepare(folder):
    return 10
def attempt(shared, folder, random, number):
    assert shared == 10 and not list(folder.iterdir())
    if number == 1:
        os._exit(3)
    if number == 2:
        raise KeyError("oh")
    return Outcome("passed" if number == 0 else "wrong", f"number {number}")
'''


def test_every_attempt_is_counted_also_behind_a_crash(tmp_path, monkeypatch, capsys):
    """A part that passes, crashes, raises and is wrong, in processes of its own as always."""
    (tmp_path / "made_up.py").write_text(PART)
    shim = tmp_path / "site"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(f"import scripts.rough\nscripts.rough.__path__.append({str(tmp_path)!r})\n")
    root = str(runner.Path(runner.__file__).resolve().parent.parent.parent)
    monkeypatch.setenv("PYTHONPATH", f"{shim}:{root}")
    monkeypatch.setattr(importlib.import_module("scripts.rough"), "__path__",
                        [*importlib.import_module("scripts.rough").__path__, str(tmp_path)])
    monkeypatch.setattr(__main__, "PARTS", ("made_up",))
    monkeypatch.setattr(sys, "argv", ["rough", "--seed", "3"])
    assert __main__.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| made up | 4 | 1 | 1 | 1 | 1 |")
    assert ["crash" in lines[3], "KeyError: 'oh'" in lines[4], lines[5]] == [True, True, "made up 3: wrong: number 3"]


def test_a_fuzzed_recipe_is_accepted_or_refused_but_never_lets_a_number_through_that_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)                                           # where `prepare` goes, and never back
    shared = configurations.prepare(tmp_path)
    outcomes = [configurations.attempt(shared, tmp_path, np.random.default_rng([5, number]), number)
                for number in range(1, 60, 2)]
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert [outcome.note for outcome in outcomes if outcome.verdict != "passed"] == []
