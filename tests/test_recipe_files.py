"""Packaged recipes are found by name and by path, in a checkout and in an installed package.

Tests `gluon_rnn/cli/recipes.py` too.
"""
import pathlib
import shutil

import pytest

from gluon_rnn import recipe_files, recipes, results
from gluon_rnn.cli.main import main
from gluon_rnn.cli.recipes import minutes
from gluon_rnn.config import ConfigError

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES_TDNN = ROOT / "configs" / "classify" / "names_tdnn.yaml"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Return an empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["classify/names_tdnn", "names_tdnn", "names_tdnn.yaml", "classify/names_tdnn.yaml",
                                  "configs/classify/names_tdnn.yaml", pathlib.Path("configs/classify/names_tdnn.yaml"),
                                  str(NAMES_TDNN)])
def test_every_spelling_of_a_name_finds_the_file(elsewhere, name):
    assert recipe_files.find(name) == NAMES_TDNN
    assert recipes.find is recipe_files.find and recipes.load(name) == recipes.load(NAMES_TDNN)


def test_a_file_goes_before_a_packaged_recipe(elsewhere):
    (elsewhere / "names_tdnn.yaml").write_text("")
    assert recipe_files.find("names_tdnn.yaml") == pathlib.Path("names_tdnn.yaml")
    assert recipe_files.find("names_tdnn") == NAMES_TDNN


@pytest.mark.parametrize("wrong, near", [
    ("names_tdn", "'classify/names_tdnn'"), ("clasify/names_tdnn", "'classify/names_tdnn'"),
    ("quikstart", "'quickstart'"), ("my/names_tdnn", "'classify/names_tdnn'"), ("mine.yml", "'mine.yaml'")])
def test_a_wrong_name_is_answered_with_the_three_nearest(elsewhere, wrong, near):
    (elsewhere / "mine.yaml").write_text("")
    with pytest.raises(ConfigError, match=f"there is no recipe and no file '{wrong}'; did you mean .*{near}") as caught:
        recipe_files.find(wrong)
    assert str(caught.value).split("did you mean ")[1].split("?")[0].count("'") == 6 and "\n" not in str(caught.value)


@pytest.fixture
def installed(elsewhere, monkeypatch):
    """Return the folder of recipes of a package that is installed: they are inside it, and no setup.py is beside it."""
    package = elsewhere / "site-packages" / "gluon_rnn"
    for name in ("a/small", "b/small", "b/large"):
        path = package / "configs" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(NAMES_TDNN, path)
    monkeypatch.setattr(recipe_files, "__file__", str(package / "recipe_files.py"))
    return package / "configs"


def test_an_installed_package_has_its_own_recipes(installed):
    assert recipe_files.names() == ["a/small", "b/large", "b/small"]
    assert recipe_files.find("large") == installed / "b" / "large.yaml"
    with pytest.raises(ConfigError, match="several packaged recipes are called 'small'; pass one of a/small, b/small"):
        recipe_files.find("small")


def test_a_package_without_recipes_says_so_and_takes_no_foreign_folder(installed):
    shutil.move(installed, installed.parent.parent / "configs")           # as of another package in site-packages
    with pytest.raises(ValueError, match="the packaged recipes are neither in .*; install the package again"):
        recipe_files.names()


def test_the_table_has_every_recipe_with_the_figures_of_the_results(capsys):
    assert main(["recipes"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    files = {path.relative_to(ROOT / "configs").with_suffix("").as_posix(): path
             for path in (ROOT / "configs").rglob("*.yaml")}
    assert heading.split() == ["recipe", "task", "data", "minutes", "figures"]
    assert sorted(line.split()[0] for line in lines) == sorted(files)
    by_name = {line.split()[0]: line for line in lines}
    for name, path in files.items():
        assert by_name[name].split()[1] == recipes.load(path).task.name
    for row in results.read(ROOT / "configs" / "results.csv"):
        figure = f"{row['metric']} {row['value'].replace('+-', '±')}"
        assert row["variant"] or figure in by_name[row["recipe"]]


def test_the_table_says_data_and_minutes(capsys):
    main(["recipes"])
    cells = {line.split()[0]: line.split()[2:] for line in capsys.readouterr().out.splitlines()}
    assert cells["classify/poems_tdnn"][:2] == ["poems", "2"]             # a folder, read as a whole
    assert cells["identify/gas_furnace_narx"][:2] == ["sysid/gas_furnace", "<0.1"]
    assert cells["quickstart"] == ["generated:", "elman_grammar", "-", "-"]


@pytest.mark.parametrize("time, text", [("70 s", "1.2"), ("61 s", "1"), ("1 s", "<0.1"), ("25 min", "25"),
                                        ("38 min beside other programs (100 s an epoch alone)", "38")])
def test_minutes_of_a_time(time, text):
    assert minutes(time) == text


def test_a_recipe_is_printed_as_it_is(capsys):
    assert main(["recipes", "names_tdnn"]) == 0
    assert capsys.readouterr().out == NAMES_TDNN.read_text()
