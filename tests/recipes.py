"""A recipe small enough to train in a test, and recipes with some keys changed."""
import copy

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes

RECIPE = {
    "task": {"name": "language_model", "samples": 1, "sample_length": 5},
    "data": {"name": "elman_grammar", "sentences": 600, "batch_size": 8, "bptt": 10, "eval_batch_size": 2},
    "model": {"embed_size": 6, "encoder": {"name": "lstm", "hidden_size": 8, "num_layers": 2, "dropout": 0.2},
              "dropout": 0.2},
    "training": {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.01}, "clip_norm": 0.5},
}


def changed(recipe, changes=None, without_none=False):
    """Return a checked copy of `recipe`, a nested dict, with dotted keys changed, e.g. ``{"training.epochs": 1}``.

    With `without_none` a key that is changed to None is taken away. Where neither says so, runs have no report: to draw
    pictures takes longer than to train.
    """
    raw = copy.deepcopy(recipe)
    raw.setdefault("training", {}).setdefault("report", False)
    for path, value in (changes or {}).items():
        section = raw
        *above, key = path.split(".")
        for name in above:
            section = section.setdefault(name, {})
        section[key] = value
        if without_none and value is None:
            del section[key]
    return recipes.from_dict(raw)


@pytest.fixture
def make_config(tmp_path):
    """Return a function that gives the small recipe with dotted keys changed; see `changed`."""
    return lambda changes=None: changed({**RECIPE, "output_dir": str(tmp_path / "runs")}, changes)
