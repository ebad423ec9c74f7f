"""Kills at any moment, also at exact file events, and the run that is resumed beside one that was left alone."""
import time

from scripts.rough import Outcome
from scripts.rough.forked import kill_at_event, run
from scripts.rough.small_runs import RECIPES, arrays

TITLE, COUNT = "kills and resumes", 100
# So many file events a small run makes, at the least.
_EVENTS = 150


def prepare(folder):
    """Train each recipe twice, undisturbed; return the recipes, what came out and how long the shorter one took."""
    recipes, found = RECIPES(folder), {}
    for name in recipes.names:
        path = recipes.write(name, folder)
        seconds = min(_seconds(path, folder / "log") for _ in range(2))   # other programs may stretch one of them
        found[name] = arrays(folder / f"{name}-1"), seconds
    return recipes, found


def _seconds(path, log):
    begun = time.monotonic()
    if run(["train", path], log=log):
        raise RuntimeError(log.read_text())
    return time.monotonic() - begun


def attempt(shared, folder, random, number):
    """Kill a run up to three times, resume it each time, and compare its last checkpoint bit for bit."""
    recipes, found = shared
    name = recipes.names[number % len(recipes.names)]
    expected, seconds = found[name]
    words, tried, status = ["train", recipes.write(name, folder)], [], None
    for _ in range(random.integers(1, 4)):
        options = {"after": float(random.uniform(0, seconds))}
        if number % 2:
            event = int(random.integers(1, _EVENTS))
            options = {"prepare": lambda event=event: kill_at_event(folder, event)}
        tried.append(options.get("after", f"event {event}" if number % 2 else ""))
        status = run(words, log=folder / "log", **options)
        if status not in (0, -9):
            return Outcome("traceback", f"{name} killed at {tried}: {(folder / 'log').read_text()[-300:]}")
        words = _next(folder, name, words)
    status = run(words, log=folder / "log")
    log = (folder / "log").read_text()
    if status or "Traceback" in log:
        return Outcome("traceback", f"{name} killed at {tried}: {log[-300:]}")
    same = arrays(max(folder.glob(f"{name}-*"), key=_number)) == expected
    return Outcome("passed" if same else "wrong", f"{name} killed at {tried}: other parameters than undisturbed")


def _next(folder, name, words):
    """Return the command that goes on: a resume where there is a checkpoint, else from the start."""
    runs = [path for path in folder.glob(f"{name}-*") if (path / "last" / "position.json").is_file()]
    return ["train", "--resume", max(runs, key=_number)] if runs else words


def _number(path):
    return int(path.name.rpartition("-")[2])
