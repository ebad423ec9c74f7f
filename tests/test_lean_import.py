"""`lean_import.py`: what MXNet's modules find where they import scikit-learn and SciPy's statistics."""
import importlib
import sys
import types

import mxnet as mx
import pytest

from gluon_rnn import lean_import

PROGRAM = """
try:
    from sklearn.base import BaseEstimator
except ImportError:
    BaseEstimator = object
try:
    import scipy.stats as ss
    from scipy import sparse
    from scipy import stats
except ImportError:
    ss = None


def late():
    from sklearn.base import BaseEstimator
    return BaseEstimator
"""
LIBRARIES = {"sklearn/__init__.py": "", "sklearn/base.py": "class BaseEstimator: pass", "scipy/__init__.py": "",
             "scipy/stats.py": "half = 0.5", "scipy/sparse.py": ""}


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """Have small libraries of both names in the place of the real ones, which are put back."""
    def loaded():
        return {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("sklearn", "scipy")}
    for name, text in LIBRARIES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    before = loaded()
    for name in before:
        del sys.modules[name]
    yield
    for name in loaded():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def load(tmp_path, libraries):
    """Return a function that runs `PROGRAM` as a module of MXNet's name."""
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(name):
        spec = lean_import._Finder.find_spec(name, (mx.contrib if "contrib" in name else mx).__path__)
        spec.loader.path = str(tmp_path / "program.py")
        module = types.ModuleType(name)
        spec.loader.exec_module(module)
        return module
    return run


def test_the_model_that_was_given_up_has_no_base(load):
    module = load("mxnet.model")
    assert module.BaseEstimator is object and not any(name.startswith("sklearn") for name in sys.modules)
    with pytest.raises(ImportError, match="loads faster"):
        module.late()


def test_scikit_learn_that_is_loaded_is_taken(load):
    base = importlib.import_module("sklearn.base")
    module = load("mxnet.model")
    assert module.BaseEstimator is module.late() is base.BaseEstimator


@pytest.mark.parametrize("name", ["mxnet.test_utils", "mxnet.contrib.quantization"])
def test_statistics_load_when_something_of_them_is_asked_for(load, name):
    module = load(name)
    assert "scipy.stats" not in sys.modules and module.sparse.__name__ == "scipy.sparse"
    assert module.ss.half == module.stats.half == 0.5
    assert "scipy.stats" in sys.modules
    with pytest.raises(AttributeError, match="no_such"):
        getattr(module.ss, "no_such")  # noqa: B009


def test_without_scipy_it_is_missing(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setattr(lean_import.importlib.util, "find_spec", lambda name: None)
    assert load("mxnet.test_utils").ss is None


def test_other_modules_are_left_alone_and_the_finder_is_there_once():
    assert lean_import._Finder.find_spec("mxnet.gluon", mx.__path__) is None
    before = list(sys.meta_path)
    lean_import.lighten_mxnet()
    assert sys.meta_path == before and sum(isinstance(one, lean_import._Finder) for one in before) == 1
