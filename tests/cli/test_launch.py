"""``gluon-rnn launch``: what is handed to the processes, and mistakes that start none."""
import re

import pytest

from gluon_rnn.cli.main import main
from gluon_rnn.distributed import commands

RECIPE = "data: {name: elman_grammar}\nmodel: {encoder: {name: lstm, hidden_size: 8}}\n"


@pytest.fixture
def words(monkeypatch):
    """Return a function from a command line to the words of each process."""
    def of(*line):
        found = []
        monkeypatch.setitem(commands.FORMS, "slurm", lambda node, words, hosts: found.append(words))
        assert main(["launch", "--print", "slurm", *map(str, line)]) == 0
        return found[0]
    return of


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "config.yaml").write_text(RECIPE)
    return tmp_path / "config.yaml"


def test_processes_get_the_command_line_and_a_kvstore(words, recipe):
    assert words("quickstart", "seed=3") == ["quickstart", "seed=3", "training.kvstore=dist_sync"]
    assert words(recipe, "training.kvstore=dist_async", "--dry-run") == [
        str(recipe), "training.kvstore=dist_async", "--dry-run"]
    recipe.write_text(RECIPE + "training: {kvstore: dist_async}\n")
    assert words(recipe) == [str(recipe)]


def test_a_resume_keeps_the_recipe_that_is_named(words, recipe):
    resume = ["--resume", str(recipe.parent)]
    assert words(*resume) == ["training.kvstore=dist_sync", *resume]
    assert words("quickstart", *resume) == ["quickstart", "training.kvstore=dist_sync", *resume]


@pytest.mark.parametrize("text, sentence", [
    ("a: [1", "config.yaml: not readable as YAML: "),
    ("- 1", "config.yaml: expected a mapping of keys to values at the top, got list"),
    ("", "config.yaml: expected a mapping of keys to values at the top, got an empty file")])
def test_what_is_no_recipe_is_refused_as_by_train(words, recipe, text, sentence):
    recipe.write_text(text)
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        words(recipe)
    assert "\n" not in str(caught.value)


def test_a_run_that_is_none_is_named(words, recipe):
    with pytest.raises(ValueError, match="there is no run in .*nope'; pass the folder that train printed last"):
        words("--resume", recipe.parent / "nope")


@pytest.mark.parametrize("training", ["{kvstore: '${none}'}", "[1]"])
def test_a_wrong_key_is_left_to_the_workers(words, recipe, training):
    recipe.write_text(f"{RECIPE}training: {training}\n")
    assert words(recipe) == [str(recipe)]
