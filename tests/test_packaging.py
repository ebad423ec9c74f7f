"""The wheel has code, recipes, figures and the command, and what is inside works without the repository."""
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest
import setuptools

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(folder, *arguments, **variables):
    found = subprocess.run([sys.executable, *arguments], cwd=folder, text=True, capture_output=True, timeout=120,
                           env={**os.environ, **variables})
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of what it is made of; no network, and nothing is written into the repository."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("gluon_rnn", "configs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    run(copy, "setup.py", "--quiet", "bdist_wheel")
    found, = (copy / "dist").glob("gluon_rnn-*.whl")
    return zipfile.ZipFile(found)


def tracked(folder, pattern):
    """Return the files of a folder of the repository that match `pattern`, relative to it, without caches."""
    return {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob(pattern)
            if "__pycache__" not in path.parts}


def test_it_has_all_code_all_recipes_and_their_figures(wheel):
    wanted = {f"gluon_rnn/{name}" for name in tracked("gluon_rnn", "*.py")}
    wanted |= {f"gluon_rnn/configs/{name}" for name in tracked("configs", "*.yaml") | {"results.csv"}}
    wanted |= {"gluon_rnn/serve/page.html", *(f"gluon_rnn/{name}" for name in tracked("gluon_rnn", "templates/*"))}
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert wanted <= files
    assert {name.split("/")[0] for name in files} == {"gluon_rnn"}, "nothing beside the package"
    assert wheel.read("gluon_rnn/configs/results.csv") == (ROOT / "configs" / "results.csv").read_bytes()


def test_it_installs_the_command_and_names_what_it_needs(wheel):
    info = {name.rpartition("/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert "gluon-rnn = gluon_rnn.cli.main:start" in wheel.read(info["entry_points.txt"]).decode().splitlines()
    metadata = wheel.read(info["METADATA"]).decode()
    assert "Requires-Dist: mxnet" in metadata and "Requires-Dist: argcomplete" in metadata and "LICENSE" in info


def test_outside_the_repository_the_package_finds_its_recipes(wheel, tmp_path):
    wheel.extractall(tmp_path / "site")
    (tmp_path / "work").mkdir()
    code = ("import gluon_rnn, sys; from gluon_rnn import recipe_files as files\n"
            "print(gluon_rnn.__file__, files.find('configs/classify/names_tdnn.yaml'), *files.names(), sep='\\n')")
    package, recipe, *names = run(tmp_path / "work", "-c", code, PYTHONPATH=str(tmp_path / "site")).splitlines()
    site = tmp_path / "site" / "gluon_rnn"
    assert package == str(site / "__init__.py") and recipe == str(site / "configs" / "classify" / "names_tdnn.yaml")
    assert set(names) == {name[:-len(".yaml")] for name in tracked("configs", "*.yaml")}
    listed = run(tmp_path / "work", "-m", "gluon_rnn", "recipes", PYTHONPATH=str(tmp_path / "site"))
    assert len(listed.splitlines()) == 1 + len(names) and "accuracy 0.8365 ± 0.004" in listed


@pytest.mark.parametrize("build, wanted", [
    (None, ["mxnet==1.9.1"]), ("", ["mxnet==1.9.1"]), ("mxnet", ["mxnet==1.9.1"]), ("none", []),
    ("mxnet-cu112", ["mxnet-cu112==1.9.1"])])
def test_the_build_of_mxnet_is_a_choice(monkeypatch, build, wanted):
    assert [one for one in requirements(monkeypatch, build) if one.startswith("mxnet")] == wanted


def test_a_build_that_is_none_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="must be mxnet, a CUDA build such as .*, got 'cuda11'; set it"):
        requirements(monkeypatch, "cuda11")


def requirements(monkeypatch, build):
    """Return what setup.py says that the package requires, with this value of the variable."""
    found = {}
    monkeypatch.setattr(setuptools, "setup", lambda **metadata: found.update(metadata))
    monkeypatch.delenv("GLUON_RNN_MXNET", raising=False)
    if build is not None:
        monkeypatch.setenv("GLUON_RNN_MXNET", build)
    runpy.run_path(str(ROOT / "setup.py"))
    return found["install_requires"]
