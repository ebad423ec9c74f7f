"""Imports run one way: each room of the package imports from those above it in this list, and from no other."""
import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Rooms in one line do not know each other.
ORDER = [
    "lean_import openblas openblas_probe",
    "runtime registry fetch files params_file",
    "answers",
    "public_data report",
    "config",
    "recipe_files",
    "nn",
    "models",
    "data",
    "metrics",
    "optim",
    "inference",
    "diagnostics",
    "distributed",
    "parts training",
    "tasks",
    "recipes",
    "model_zoo",
    "runs",
    "diagnose reports vectors",
    "python_api",
    "estimators",
    "convert",
    "export results",
    "benchmark classic",
    "serve",
    "cli",
    "scripts",
]
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms.split()}


def room_of(name):
    """Return the room of a module's dotted name: ``gluon_rnn.nn.fused`` is in nn; None for other packages."""
    package, *rest = name.split(".")
    return "scripts" if package == "scripts" else rest[0] if package == "gluon_rnn" and rest else None


def imported(tree):
    """Yield the dotted names of all modules that a file imports, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports have absolute names"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted([*ROOT.glob("gluon_rnn/*/**/*.py"), *ROOT.glob("gluon_rnn/[!_]*.py"),
                                         *ROOT.glob("scripts/*.py")]), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_from_rooms_above_it_only(path):
    here = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        there = room_of(name)
        assert there in (None, here) or LEVELS[there] < LEVELS[here], f"{here} imports {name}"


def test_no_task_is_known_to_another_one():
    for path in ROOT.glob("gluon_rnn/tasks/*/*.py"):
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            parts = name.split(".")
            is_task = parts[:2] == ["gluon_rnn", "tasks"] and (ROOT.joinpath(*parts[:3]) / "task.py").exists()
            assert not is_task or parts[2] == path.parent.name, f"{path.parent.name} imports {name}"


def test_parts_of_the_package_are_attributes_and_load_when_they_are_asked_for():
    code = ("import sys, gluon_rnn\n"
            "assert 'mxnet' not in sys.modules and 'nn' in dir(gluon_rnn)\n"
            "assert gluon_rnn.nn.LSTM(3).hidden_size == 3 and 'mxnet' in sys.modules\n"
            "assert gluon_rnn.recipes.load and not hasattr(gluon_rnn, 'nnn')\n")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
