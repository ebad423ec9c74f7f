"""Folders of runs with a damaged file: what is answered is what was answered before, or a sentence."""
import shutil

from scripts.rough import Outcome
from scripts.rough.damages import damage
from scripts.rough.small_runs import RECIPES, answers, arrays, command

TITLE, COUNT = "damaged run folders", 500
# What is said of a damage that leaves something that may be meant: a recipe whose values are others.
_SAID = "changed since the checkpoint"
_ACTIONS = ("load", "evaluate", "resume", "report")


def prepare(folder):
    """Train each recipe twice, by two seeds, and note what each action answers on a whole folder."""
    recipes, found = RECIPES(folder), {}
    for name in recipes.names:
        path = recipes.write(name, folder)
        for seed in (0, 1):
            command("train", path, f"seed={seed}")
        for action in _ACTIONS:
            copy = folder / f"{name}-{action}"
            shutil.copytree(folder / f"{name}-1", copy, symlinks=True)
            found[name, action] = _answer(action, copy)[0]
    return folder, recipes.names, found


def attempt(shared, folder, random, number):
    """Damage one file of a run, and do something with the run."""
    source, names, found = shared
    name, action = names[number % len(names)], _ACTIONS[int(random.integers(len(_ACTIONS)))]
    run = folder / f"{name}-1"
    shutil.copytree(source / f"{name}-1", run, symlinks=True)
    what = f"{action} of {name}, {damage(run, source / f'{name}-2', random)}"
    try:
        answer, text = _answer(action, run)
    except (ValueError, OSError, RuntimeError) as error:
        return _judged(error, what)
    except Exception as error:
        return Outcome("traceback", f"{what}: {type(error).__name__}: {error}")
    if answer == found[name, action] or _SAID in text:
        return Outcome("passed")
    return Outcome("wrong", f"{what}: another answer, and nothing was said")


def _judged(error, what):
    """Return the outcome of a refusal: a sentence of ours with a file in it, or words of somebody else."""
    from gluon_rnn.training import TrainingError
    text = str(error)
    ours = isinstance(error, (OSError, TrainingError, ValueError))
    if not ours or "\n" in text or text.startswith("Expecting value"):
        return Outcome("traceback", f"{what}: {type(error).__name__}: {text[:200]}")
    return Outcome("passed")


def _answer(action, run):
    """Do something with a run; return what it answers, to be compared, and what it printed."""
    if action == "load":
        return answers(run), ""
    if action == "evaluate":
        text = command("evaluate", run)
        return text.splitlines()[-1], text
    if action == "report":
        command("report", run)
        return "", ""
    text = command("train", "--resume", run, "training.epochs=4")
    return arrays(run), text
