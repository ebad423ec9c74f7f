"""Trains the cases of experiments, each in a process of its own with one thread, some at a time; skips what is done."""
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gluon_rnn import recipe_files

__all__ = ["fingerprint", "finished", "folder_of", "read_rows", "run_all", "write_rows"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WHOLE = ("seed", "parameters", "updates")
_TEXTS = ("label", "error")


def run_all(experiments, jobs=1, say=lambda line: None):
    """Train and measure all cases of some experiments, and return the rows of each.

    Parameters
    ----------
    experiments : list of (Experiment, Path)
        Each with the folder of its own that runs and rows go to.
    jobs : int
        Processes at a time. All experiments share them, so that none waits for the last case of another.
    say : callable
        Is given a line behind each case.

    Returns
    -------
    list of list of dict
        In the order of the cases and their seeds. A case whose training diverged, or whose process failed, has the key
        "error"; the latter is tried again the next time.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs must be a whole number of at least 1, got {jobs!r}")
    items = [(experiment, case, seed, folder_of(Path(folder), case, seed)) for experiment, folder in experiments
             for case in experiment.cases() for seed in case.seeds]

    def one(item):
        experiment, case, seed, folder = item
        row = finished(case, seed, folder)
        state = "done before"
        if row is None:
            row = _in_a_process(*item)
            state = row.get("error") or f"{row['seconds']:.0f} s"
        say(f"{experiment.name}: {case.label}, seed {seed}: {state}")
        return experiment, row

    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(one, items))
    return [[row for owner, row in found if owner is experiment] for experiment, _ in experiments]


def fingerprint(case, seed):
    """Return a hash of all that a row comes from: the text of the recipe, its overrides and the seed."""
    recipe = recipe_files.find(case.recipe).read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([recipe, case.overrides, seed]).encode()).hexdigest()


def folder_of(folder, case, seed):
    """Return the folder of a case with one seed: its label in letters that every file system takes."""
    return folder / f"{re.sub('[^a-z0-9]+', '-', case.label.lower()).strip('-')}-seed{seed}"


def finished(case, seed, folder):
    """Return the row that stands in the folder of a case, None where there is none or one of another recipe."""
    path = folder / "row.json"
    if not path.is_file():
        return None
    saved = json.loads(path.read_text(encoding="utf-8"))
    return saved["row"] if saved["fingerprint"] == fingerprint(case, seed) else None


def _in_a_process(experiment, case, seed, folder):
    """Return the row of a case that a process of its own trains; what it prints goes to ``log.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "gluon_rnn.classic.worker", experiment.name, case.label, str(seed), str(folder)]
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False, env={
            **os.environ, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": os.pathsep.join(paths)}).returncode
    row = finished(case, seed, folder) if status == 0 else None
    if row is None:
        row = {"label": case.label, "seed": seed, "error": f"its process ended with status {status}; see "
                                                           f"{folder / 'log.txt'}"}
    return row


def write_rows(path, rows):
    """Write rows as a CSV file, whose columns are all keys that occur in them, errors last."""
    keys = list(dict.fromkeys(key for row in rows for key in row if key != "error"))
    ends = [key for key in ("parameters", "updates", "seconds") if key in keys]
    keys = [key for key in keys if key not in ends] + ends + ["error"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, keys, restval="")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path):
    """Return the rows that `write_rows` wrote; cells that are empty are left out."""
    with open(path, encoding="utf-8", newline="") as file:
        return [{key: _value(key, text) for key, text in row.items() if text != ""} for row in csv.DictReader(file)]


def _value(key, text):
    if key in _TEXTS:
        return text
    return int(text) if key in _WHOLE else float(text)
