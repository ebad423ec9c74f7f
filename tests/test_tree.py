"""Every source file has a test that answers for it, in the place where a reader looks for it."""
import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = sorted(path for folder in ("gluon_rnn", "scripts") for path in (ROOT / folder).rglob("*.py")
                 if path.name != "__init__.py")


def folder_of(source):
    """Return the tests' folder of a source file: that of the same name, ``tests/scripts`` for the commands."""
    inside = source.relative_to(ROOT).parent
    return ROOT / "tests" / (inside if inside.parts[0] == "scripts" else inside.relative_to("gluon_rnn"))


def docstring(path):
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


@pytest.fixture(scope="module")
def names():
    """Return {folder of tests: everything in backquotes in its test files' docstrings}."""
    found = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.setdefault(path.parent, set()).update(re.findall("`([^`]+)`", docstring(path)))
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_source_file_has_its_mirror_or_is_named_by_another_test(source, names):
    """In the docstring of a neighbour by its name, in that of a test elsewhere by its path or its folder's.

    A task is tested as a whole, from its recipe to its prediction, in the ``test_task.py`` of its folder.
    """
    folder, path = folder_of(source), source.relative_to(ROOT).as_posix()
    mirrors = [f"test_{source.name}", *(["test_task.py"] if source.parent.parent.name == "tasks" else [])]
    elsewhere = {path, f"{source.parent.relative_to(ROOT).as_posix()}/"}
    named = source.name in names.get(folder, ()) or any(elsewhere & every for every in names.values())
    assert named or any((folder / mirror).exists() for mirror in mirrors), (
        f"write {folder.relative_to(ROOT)}/test_{source.name}, or name `{source.name}` in the docstring of the file "
        f"beside it that tests it, or `{path}` in that of one elsewhere")


def functions(node):
    """Yield the functions and methods right below a module or class; to walk all statements takes long."""
    for each in node.body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield each
        elif isinstance(each, ast.ClassDef):
            yield from functions(each)


def lines_of(function):
    """Return how many lines the body of a function has, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("folder", ["gluon_rnn", "scripts", "tests"])
def test_files_have_at_most_400_lines_and_functions_at_most_45(folder):
    too_long = []
    for path in (ROOT / folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        too_long += [path.name] if text.count("\n") > 400 else []
        too_long += [f"{path.name}: {each.name}" for each in functions(ast.parse(text)) if lines_of(each) > 45]
    assert not too_long
