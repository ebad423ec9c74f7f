"""The examples of docstrings run and give what they show; the code of docs/python_api.md runs from top to bottom."""
import doctest
import importlib
import pathlib
import pkgutil
import re

import pytest

from gluon_rnn import models, nn

MODULES = [f"{package.__name__}.{module.name}" for package in (nn, models)
           for module in pkgutil.iter_modules(package.__path__)]
DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.slow
def test_the_page_on_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / "python_api.md").read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, "python_api.md", "exec"), names)
    assert list(names["run"].metrics["epoch"]) == list(range(1, 9)) and names["run"].path.name == "forecasting-1"
    assert names["mood"].classes_.tolist() == [0, 1] and names["free_run"].shape == (300,)
