"""Recipes with wrong keys and values: a sentence, or a recipe whose every number is one that its key can mean."""
import copy
import math
import os

from scripts.rough import Outcome
from scripts.rough.small_runs import RECIPES

TITLE, COUNT = "fuzzed configurations", 3000
_ODD = (None, True, False, 0, -1, 1, 2, 3, 0.3, 1.5, -0.5, 1e6, 1e30, math.inf, -math.inf, math.nan, "", "text", "0.1",
        [], [1], ["a"], [-1, 0], {}, {"name": "lstm"}, {"name": 3}, {"a": 1}, "lstm", "adam", 10**18, -(10**18),
        "\u00e9\u0000", [[1]])
_SMALL = {"data": {"name": "elman_grammar", "sentences": 60, "batch_size": 2, "bptt": 5, "eval_batch_size": 1},
          "task": {"name": "language_model", "samples": 1, "sample_length": 2},
          "model": {"embed_size": 3, "dropout": 0.1, "encoder": {"name": "gru", "hidden_size": 3, "num_layers": 1}},
          "training": {"epochs": 1, "optimizer": {"name": "adam", "learning_rate": 0.01}, "clip_norm": 1.0,
                       "schedule": {"name": "cosine", "warmup_steps": 1}, "report": False}}


def prepare(folder):
    """Return small recipes that can be trained, and the packaged ones, both as nested dicts."""
    from gluon_rnn import recipe_files, recipes
    own = RECIPES(folder)
    os.chdir(folder)                                                   # for recipes whose output_dir is any word
    return ([_SMALL, *(recipes.read(own.write(name, folder)) for name in own.names)],
            [recipes.read(name) for name in recipe_files.names()])


def attempt(shared, folder, random, number):
    """Change up to three keys of a packaged recipe, and check it; or one of a small recipe, and train by it."""
    from gluon_rnn import recipes
    small = number % 2 == 0
    known = shared[0 if small else 1]
    recipe = copy.deepcopy(known[int(random.integers(len(known)))])
    recipe["output_dir"] = str(folder)
    changes = [_change(recipe, random) for _ in range(1 if small else random.integers(1, 4))]
    try:
        config = recipes.from_dict(recipe)
        if small and _cheap(recipe):
            _train(config)
    except (ValueError, OSError, RuntimeError) as error:
        return _judged(error, changes)
    except Exception as error:
        return Outcome("traceback", f"{changes}: {type(error).__name__}: {str(error)[:200]}")
    bad = [key for key, value in _flat(config.model_dump()) if isinstance(value, float) and not math.isfinite(value)]
    bad += [change for change in changes if change.startswith("unknown ") and change[8:] in dict(_flat(recipe))]
    return Outcome("wrong" if bad else "passed", f"{changes}: accepted {bad}")


def _names():
    """Return the parts of a recipe that have names, and which."""
    from gluon_rnn.registry import datasets, models, tasks
    return tuple((part, sorted(registry.names())) for part, registry in
                 (("task", tasks), ("data", datasets), ("model", models)))


def _judged(error, changes):
    from gluon_rnn.training import TrainingError
    ours = isinstance(error, (ValueError, OSError, TrainingError)) and "\n" not in str(error)
    return Outcome("passed" if ours else "traceback", f"{changes}: {type(error).__name__}: {str(error)[:200]}")


def _change(recipe, random):
    """Change one key anywhere in a recipe, or add one that is unknown; return what was done."""
    sections = [("", recipe), *((key, value) for key, value in _flat(recipe, mappings=True) if isinstance(value, dict))]
    where, section = sections[int(random.integers(len(sections)))]
    where = f"{where}." if where else ""
    if random.integers(8) == 0 and where in ("", "data.", "model.", "training."):
        key = f"unknown_{random.integers(100)}"
        section[key] = 1
        return f"unknown {where}{key}"
    if random.integers(8) == 0:
        part, names = _names()[int(random.integers(3))]
        name = names[int(random.integers(len(names)))]
        recipe[part] = {**recipe[part], "name": name} if isinstance(recipe.get(part), dict) else {"name": name}
        return f"{part}.name={name}"
    keys = sorted(section, key=str) or ["name"]
    key = keys[int(random.integers(len(keys)))]
    if random.integers(6) == 0:
        section.pop(key, None)
        return f"without {where}{key}"
    section[key] = copy.deepcopy(_ODD[int(random.integers(len(_ODD)))])
    return f"{where}{key}={section[key]!r}"


def _cheap(recipe):
    """Return whether a recipe asks for no more than a small machine has."""
    return all(abs(value) < 100 for key, value in _flat(recipe) if isinstance(value, (int, float))
               and not isinstance(value, bool) and math.isfinite(value))


def _train(config):
    from gluon_rnn import recipes
    from gluon_rnn.training import train
    train(recipes.build_task(config), "fuzzed", steps=1)


def _flat(values, prefix="", mappings=False):
    """Yield (dotted key, value) of everything in nested dicts, of mappings too if asked for."""
    for key, value in values.items():
        if isinstance(value, dict):
            if mappings:
                yield f"{prefix}{key}", value
            yield from _flat(value, f"{prefix}{key}.", mappings)
        else:
            yield f"{prefix}{key}", value
