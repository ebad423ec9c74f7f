"""Two small runs that differ in their seed, and a zoo of their models in a folder of its own."""
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes
from gluon_rnn.model_zoo import entries
from gluon_rnn.model_zoo.add import add
from gluon_rnn.training import train

ABOUT = """
summary: Runs a system of order 10 freely.
recipe: identify/narma10_narx
metric: free_run_rmse
better: lower
data: {name: generated, licence: none, source: nowhere}
intended_use: For tests.
limits: [Knows nothing.]
tolerance: 0.01
"""
NAME = "narx_small"
CHANGES = ["data.steps=200", "data.train=1", "model.hidden_sizes=[8]", "training.epochs=2", "training.eval_interval=1"]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return the folders of two finished runs of one recipe, seeds 0 and 1."""
    folder = tmp_path_factory.mktemp("runs")
    return [train(recipes.build_task(recipes.load("configs/identify/narma10_narx.yaml", [
        *CHANGES, f"seed={seed}", f"output_dir={folder}"])), "small") for seed in (0, 1)]


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Return an empty folder that is the zoo's for the length of a test."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    monkeypatch.setattr(entries, "FOLDER", folder)
    monkeypatch.setenv("GLUON_RNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(entries.REPOSITORY, raising=False)
    return folder


@pytest.fixture
def about(tmp_path):
    """Return the path of a file with what is written by hand."""
    path = tmp_path / "about.yaml"
    path.write_text(ABOUT)
    return path


@pytest.fixture
def entry(zoo, about, runs):
    """Return the only model of the test's zoo."""
    return add(runs[0], NAME, about=about, seeds=runs[1:])
