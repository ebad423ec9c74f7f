"""Runs a part in processes of its own: one dies, the attempt that it was at is a crash, and the next one goes on."""
import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scripts.rough import Outcome, Skipped

__all__ = ["Result", "run_part"]

# An attempt that takes so long hangs.
_SECONDS = 300


@dataclass
class Result:
    """Counts of a part, by verdict, and notes on what failed; `skipped` says why nothing was tried."""

    title: str
    counts: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)
    skipped: str = ""
    seconds: float = 0.0

    def add(self, number, outcome):
        """Count one outcome."""
        self.counts[outcome["verdict"]] += 1
        if outcome["verdict"] != "passed":
            self.failures.append(f"{self.title} {number}: {outcome['verdict']}: {outcome['note']}")


def run_part(name, count, seed):
    """Return the `Result` of `count` attempts of the part `name`, by default as many as it wants."""
    module = importlib.import_module(f"scripts.rough.{name}")
    result, number, begun = Result(module.TITLE), 0, time.monotonic()
    count = module.COUNT if count is None else count
    with tempfile.TemporaryDirectory(prefix="rough-") as folder:
        while number < count and not result.skipped:
            number = _one_process(result, (name, folder, seed, number, count))
    result.seconds = time.monotonic() - begun
    return result


def _one_process(result, words):
    """Take in the outcomes of one process, and return the number of the attempt that comes next."""
    number = words[3]
    command = [sys.executable, "-m", "scripts.rough.runner", *map(str, words)]
    with open(Path(words[1]) / "log", "ab") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log,
                                                                     text=True) as process:
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            found = json.loads(line)
            if "skipped" in found:
                result.skipped = found["skipped"]
                return number
            result.add(number, found)
            number += 1
    if process.returncode:
        log = (Path(words[1]) / "log").read_text(errors="replace").splitlines()
        result.add(number, vars(Outcome("crash", f"status {process.returncode}: {log[-1:]}")))
        number += 1
    return number


def _work(name, folder, seed, first, count):
    """Make attempts in this process, and print what comes of each as a line of JSON."""
    module, folder = importlib.import_module(f"scripts.rough.{name}"), Path(folder)
    shared_folder, own = folder / f"shared-{os.getpid()}", folder / "attempt"
    shared_folder.mkdir()
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)                                             # what commands print goes to the log
    try:
        shared = module.prepare(shared_folder)
    except Skipped as reason:
        print(json.dumps({"skipped": str(reason)}), file=channel)
        return
    for number in range(first, count):
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        print(json.dumps(vars(_tried(module, shared, own, seed, number))), file=channel)


def _tried(module, shared, folder, seed, number):
    try:
        return module.attempt(shared, folder, np.random.default_rng([seed, number]), number)
    except Exception as error:  # whatever kind it is: it is what is counted
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome("traceback", f"{type(error).__name__}: {str(error)[:200]} ({last.filename}:{last.lineno})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for word, kind in (("name", str), ("folder", str), ("seed", int), ("first", int), ("count", int)):
        parser.add_argument(word, type=kind)
    _work(**vars(parser.parse_args()))
