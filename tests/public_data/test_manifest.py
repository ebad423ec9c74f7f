"""The manifest against the recipes that read it and the files that it describes."""
import pathlib
import re

import pytest

from gluon_rnn import recipe_files
from gluon_rnn.public_data import all_sets, data_root, get, readers, sets_of, verify_set
from gluon_rnn.public_data.prepare import STEPS

READ = re.compile(r"\$\{data_root\}/([^\s\"'},]+)")
RECIPES = {path: READ.findall(path.read_text(encoding="utf-8")) for path in recipe_files.folder().rglob("*.yaml")}


@pytest.mark.parametrize("path", [path for path, read in RECIPES.items() if read], ids=lambda path: path.stem)
def test_all_that_a_recipe_reads_is_in_the_manifest(path):
    for read in RECIPES[path]:
        names = sets_of(read)
        assert len(names) == 1, f"{read} is in the sets {names} of the manifest"
        recipe = path.relative_to(recipe_files.folder()).with_suffix("").as_posix()
        assert recipe in readers(recipe_files.folder())[names[0]]


def test_every_set_is_described():
    paths = [file.path for entry in all_sets().values() for file in entry.files]
    assert len(set(paths)) == len(paths)
    for entry in all_sets().values():
        assert entry.title and entry.licence and entry.cite and entry.size > 0
        assert {pathlib.PurePosixPath(file.path).parent.as_posix() for file in entry.files} == {entry.folder}
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0
            assert file.prepare.get("step", "gzip") in STEPS
            # at a commit, which cannot change: raw files, or the archive of a repository
            assert re.match(r"https://(raw\.githubusercontent\.com/[^/ ]+/[^/ ]+/[0-9a-f]{40}/[^ ]+"
                            r"|github\.com/[^/ ]+/[^/ ]+/archive/[0-9a-f]{40}\.zip)$", file.address)
            assert entry.repository in file.address


def test_packed_files_are_prepared():
    """Their content is known, not their bytes."""
    for entry in all_sets().values():
        assert all(file.prepare for file in entry.files if file.path.endswith((".gz", ".zip")))


@pytest.mark.real_data
@pytest.mark.parametrize("name", all_sets())
def test_the_manifest_describes_the_real_files(name, data_root):
    if not any((data_root / file.path).exists() for file in get(name).files):
        pytest.skip(f"the set {name} is not among the real data")
    assert verify_set(name, data_root) == {}


def test_an_address_is_quoted():
    assert "/Support%20files/" in get("laser").files[0].address


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="no data set 'nmes'; did you mean 'names'?"):
        get("nmes")


@pytest.mark.parametrize("path, names", [
    ("names", ["names"]), ("names/*.txt", ["names"]), ("names/Czech.txt", ["names"]), ("name", []), ("names/x.txt", []),
    ("univariate", ["laser", "air_passengers", "sunspots"]), ("../names/Czech.txt", []), (".", [])])
def test_sets_of_a_path(path, names):
    assert sets_of(path) == names


def test_the_root_is_the_environments(monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", "/somewhere")
    assert data_root() == "/somewhere"
    monkeypatch.delenv("GLUON_RNN_DATA")
    assert data_root() == str(pathlib.Path.home() / ".local" / "share" / "gluon_rnn")
