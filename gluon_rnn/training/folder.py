"""The folder of a run: making one, finding its recipe, and what is written into it."""
import json
import logging
import math
from pathlib import Path

from gluon_rnn.files import write_text
from gluon_rnn.registry import suggest
from gluon_rnn.report import page

__all__ = ["check_assets", "check_same_model", "create", "recipe_of", "write_page", "write_results"]

_log = logging.getLogger("gluon_rnn")

# Where the parameters began (beside the section embedding), and which of them the optimiser's state is of.
_FIXED = {"start_from", "start_names", "freeze", "thaw", "learning_rates", "algorithm"}
# By how much numbers of assets may differ: features are float32, means of them are sums of thousands.
_ROUNDING = 1e-6


def create(output_dir, name):
    """Make and return the folder ``output_dir/name-<n>``, n being the first number that is free."""
    number = 1
    while True:
        path = Path(output_dir) / f"{name}-{number}"
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1


def recipe_of(path):
    """Return the path of the effective recipe of the run in `path`; ValueError where there is no run."""
    path = Path(path)
    if not (path / "config.yaml").is_file():
        near = [str(folder.parent) for folder in path.parent.glob("*/config.yaml")] if path.parent.is_dir() else []
        hint = suggest(str(path), near) if near else "pass the folder that train printed last"
        raise ValueError(f"there is no run in {str(path)!r}; {hint}")
    return path / "config.yaml"


def check_assets(checkpoint, assets, whose):
    """Raise ValueError unless vocabulary, scaler and the like of `checkpoint` are `assets`, those of the data now.

    Numbers may differ by rounding: means of a spectrum come out otherwise on processors with other instructions. What
    an older version did not write down is what is read for it.
    """
    stored = type(assets).from_texts(checkpoint.read).texts()
    for name, text in assets.texts().items():
        if not _alike(stored[name], text):
            raise ValueError(f"{name} made from the data is not the one of {whose}: the data have changed, or are "
                             "others; use the data of that run, or start a new run")


def _alike(old, new):
    """Return whether two parts of assets are the same, texts that hold JSON by what they hold."""
    if isinstance(old, str) and isinstance(new, str):
        if old == new:
            return True
        try:
            old, new = json.loads(old), json.loads(new)
        except json.JSONDecodeError:
            return False
        return not isinstance(old, str) and _alike(old, new)
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    if type(old) is not type(new) or not isinstance(old, (dict, list)) or len(old) != len(new):
        return old == new
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_alike(old[key], new[key]) for key in old)
    return all(map(_alike, old, new))


def check_same_model(old, new):
    """Raise ValueError unless a resume has the model of the run, and what fine-tuning fixes at its start.

    Parameters
    ----------
    old : dict
        The run's recipe, as it stands in its folder.
    new : gluon_rnn.config.Config
    """
    fixed, new = type(new.training)().model_dump(include=_FIXED), new.model_dump()
    was, now = ({"embedding": recipe.get("embedding"),
                 **{f"model.{key}": value for key, value in _architecture(recipe["model"]).items()},
                 **{f"training.{key}": recipe["training"].get(key, default) for key, default in fixed.items()}}
                for recipe in (old, new))
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            raise ValueError(f"{key} is {now.get(key)!r} but the run to resume has {was.get(key)!r}; leave it as it "
                             "was, or start a new run")


def _architecture(section, prefix=""):
    """Return the keys that fix shapes and meaning, flat; dropout rates may change in a resume."""
    flat = {}
    for key, value in section.items():
        if isinstance(value, dict):
            flat.update(_architecture(value, f"{prefix}{key}."))
        elif "drop" not in key:
            flat[prefix + key] = value
    return flat


def write_results(path, results):
    """Write ``results.json`` of the run in `path`, whole or not at all."""
    write_text(Path(path) / "results.json", json.dumps(results, indent=1) + "\n")


def write_page(path):
    """Write ``report.html`` of the run in `path` from what its folder holds.

    A training that has come so far does not fail for a page: whatever goes wrong is logged as a warning with its cause.
    """
    try:
        page.write(path)
    except Exception as error:  # of any kind: a full disk, a damaged picture, a mistake in the page itself
        _log.warning("%s was not written (%s: %s); gluon-rnn report %s writes it anew", Path(path) / page.NAME,
                     type(error).__name__, error, path)
