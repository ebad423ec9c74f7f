"""Standard streams that are closed, full or read in part, and locales without letters: as other tools do."""
import os
import subprocess
import sys

from scripts.rough import Outcome
from scripts.rough.small_runs import RECIPES, command

TITLE = "closed streams"
# (shell command, statuses that are right, whether standard error must be silent); {train}, {predict}: command lines
_CASES = (
    ("{train} | head -1", (0,), True), ("set -o pipefail; {train} | head -1", (141,), True),
    ("{train} >&-", (1,), False), ("{train} 2>&-", (0,), True), ("{train} <&-", (0,), True),
    ("{train} >/dev/full", (1,), False), ("{train} 2>/dev/full", (0,), True), ("{train} <&- >&- 2>&-", (1,), True),
    ("{predict} >/dev/full", (1,), False), ("{predict} >&-", (1,), False), ("{predict} | head -1", (0,), True),
    ("{predict_pipe} <&-", (0,), True), ("echo aabo | {predict_pipe} | cat", (0,), True),
    ("{train} --help >/dev/full", (1,), False), ("{train} --dry-run >/dev/full", (1,), False),
    ("LC_ALL=C {predict}", (0,), True), ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {predict}", (0,), True),
    ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {train} {odd}", (2,), False),
    ("timeout -s HUP 3 {train} training.epochs=100000", (124, 129), None),
    ("timeout -s TERM 3 {train} training.epochs=100000", (124, 143), None),
)
COUNT = len(_CASES)


def prepare(folder):
    """Train a small classifier, whose classes have names with other letters."""
    recipes = RECIPES(folder)
    path = folder / "names.tsv"
    path.write_text(path.read_text().replace("\tx", "\t\u017eena").replace("\ty", "\tmu\u017e"), encoding="utf-8")
    recipe = recipes.write("classification", folder)
    command("train", recipe)
    return folder, recipe


def attempt(shared, folder, random, number):
    """Run one command line in a shell, and compare its status and what it says."""
    source, recipe = shared
    pattern, statuses, silent = _CASES[number % len(_CASES)]
    python = f"{sys.executable} -m gluon_rnn"
    odd = folder / "\u017e"
    line = pattern.format(train=f"{python} train {recipe} output_dir={folder}", odd=f"output_dir={odd}",
                          predict=f"{python} predict {source / 'classification-1'} aabo cdca",
                          predict_pipe=f"{python} predict {source / 'classification-1'}")
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=200, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    errors = done.stderr.decode(errors="replace")
    if "Traceback" in errors or "Logging error" in errors or "Exception ignored" in errors:
        return Outcome("traceback", f"{pattern}: {errors[-300:]}")
    one = len([line for line in errors.splitlines() if line.startswith("error: ")]) == 1
    said = not errors if silent else one if silent is False else True
    right = done.returncode in statuses and said and not list(folder.glob("**/partial-*"))
    return Outcome("passed" if right else "wrong", f"{pattern}: status {done.returncode}, {errors[-300:]!r}")
