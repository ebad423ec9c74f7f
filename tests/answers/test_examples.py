"""The examples in the docstrings of all modules of `gluon_rnn/answers/` are right."""
import doctest
import importlib
import pkgutil

import pytest

from gluon_rnn import answers


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(answers.__path__)])
def test_examples(name):
    assert doctest.testmod(importlib.import_module(f"gluon_rnn.answers.{name}")).failed == 0
