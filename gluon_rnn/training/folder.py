"""The folder of a run: making one, finding its recipe, and what is written into it."""
import contextlib
import json
import logging
import math
import shutil
from pathlib import Path

import yaml

from gluon_rnn.files import read_yaml, write_text
from gluon_rnn.registry import suggest
from gluon_rnn.report import page, record

__all__ = ["check_assets", "check_fits", "check_same_model", "check_whole", "create", "emptied", "recipe_of",
           "recipe_values", "write_page", "write_results"]

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


@contextlib.contextmanager
def emptied(path):
    """Take the new folder `path` away where the with-block, which fills it, fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def recipe_of(path):
    """Return the path of the effective recipe of the run in `path`; ValueError where there is no run."""
    path = Path(path)
    if not (path / "config.yaml").is_file():
        near = [str(folder.parent) for folder in path.parent.glob("*/config.yaml")] if path.parent.is_dir() else []
        hint = suggest(str(path), near) if near else "pass the folder that train printed last"
        raise ValueError(f"there is no run in {str(path)!r}; {hint}")
    return path / "config.yaml"


def recipe_values(path):
    """Return what is in an effective recipe, nested dicts; ValueError where it is damaged."""
    try:
        found = read_yaml(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path} is not readable as YAML ({' '.join(str(error).split())}); restore it: each "
                         "checkpoint has a copy") from error
    sections = found if isinstance(found, dict) else {}
    wrong = [key for key in ("model", "training") if not isinstance(sections.get(key), dict)]
    if wrong:
        raise ValueError(f"{path} has no section {wrong[0]!r}: it is damaged; restore it: each checkpoint has a copy")
    return found


def check_whole(path, values, own):
    """Raise ValueError where the recipe in the folder of a run lacks a key that its checkpoint's copy has.

    An effective recipe has all keys, so that one that lacks some was cut off.

    Parameters
    ----------
    path : Path
        Of the run.
    values, own : dict
        Its recipe, and the copy.
    """
    for where, there, here in (("", own, values), ("training.", own["training"], values["training"])):
        missing = [where + key for key in there if key not in here]
        if missing:
            raise ValueError(f"{Path(path) / 'config.yaml'} lacks {', '.join(missing)}, which the last checkpoint has: "
                             f"it is damaged; copy {Path(path) / 'last' / 'config.yaml'} over it")


def check_fits(path, config, checkpoint):
    """Raise ValueError where the recipe of the run in `path` says another task or model than its checkpoint's copy.

    Other data are logged: files may have moved.
    """
    copy = checkpoint.path / "config.yaml"
    if not copy.is_file():
        return
    own = recipe_values(checkpoint.file("config.yaml"))
    check_same_model(own, config, f"the checkpoint {copy.parent}")
    old, new = (record.flat(section) for section in (own.get("data") or {}, config.data.model_dump()))
    changed = [f"data.{key} {value!r} -> {new.get(key)!r}" for key, value in old.items()
               if new.get(key) != value and not key.endswith("batch_size")]
    if changed:
        _log.warning("changed since the checkpoint %s: %s", copy.parent, ", ".join(changed))


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


def check_same_model(old, new, whose="the run to resume"):
    """Raise ValueError unless a recipe has the task, the model and what fine-tuning fixes at its start of an older one.

    So has it the optimiser, but for its learning rate: a state is that of one optimiser.

    Parameters
    ----------
    old : dict
        The run's recipe, as it stands in its folder.
    new : gluon_rnn.config.Config
    whose : str
        For messages.
    """
    fixed, new = type(new.training)().model_dump(include=_FIXED), new.model_dump()
    was, now = ({"task.name": _task_of(recipe), "embedding": recipe.get("embedding"),
                 **{f"model.{key}": value for key, value in _architecture(recipe["model"]).items()},
                 **{f"training.{key}": recipe["training"].get(key, default) for key, default in fixed.items()},
                 **_optimizer_of(recipe["training"])}
                for recipe in (old, new))
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            raise ValueError(f"{key} is {now.get(key)!r} but {whose} has {was.get(key)!r}; leave it as it "
                             "was, or start a new run")


def _task_of(recipe):
    task = recipe.get("task", "language_model")
    return task.get("name") if isinstance(task, dict) else task


def _optimizer_of(training):
    """Return {YAML path: value} of the optimiser's keys that its state depends on; {} where the section is damaged."""
    section = training.get("optimizer")
    return {f"training.optimizer.{key}": value for key, value in (section if isinstance(section, dict) else {}).items()
            if key != "learning_rate"}


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
