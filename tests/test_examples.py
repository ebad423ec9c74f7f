"""The examples of docstrings run and give what they show."""
import doctest
import importlib
import pkgutil

import pytest

from gluon_rnn import models, nn

MODULES = [f"{package.__name__}.{module.name}" for package in (nn, models)
           for module in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
