"""``import mxnet`` without scikit-learn and SciPy's statistics, which take two fifths of its time in every process.

- ``mxnet.model`` imports ``sklearn.base``, where there is one, for the base class of a model that MXNet has given up.
  It is told that there is none.
- ``mxnet.contrib.quantization`` and ``mxnet.test_utils`` import ``scipy.stats`` for one function each. They get a
  stand-in that loads it at its first use.
"""
import builtins
import importlib.machinery
import importlib.util
import sys
import types

__all__ = ["lighten_mxnet"]


def lighten_mxnet():
    """Have a later ``import mxnet`` load neither; safe to call again.

    `mxnet.model.FeedForward`, which MXNet has replaced by Gluon, is no estimator of scikit-learn then, unless
    scikit-learn is loaded before. Nothing else changes: both libraries load wherever anybody else imports them.
    """
    if "mxnet" not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds three modules of MXNet's where Python finds them, and gives them a loader with an import of their own."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return the module's spec; None for all other modules."""
        if name not in _IMPORTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs a module with another ``__import__``, which holds for this module alone."""

    def exec_module(self, module):
        """Run the module."""
        module.__builtins__ = {**vars(builtins), "__import__": _IMPORTS[module.__name__]}
        super().exec_module(module)


class _Stand(types.ModuleType):
    """In the place of a module that is loaded when something of it is asked for."""

    def __getattr__(self, name):
        return getattr(importlib.import_module(self.__name__), name)


def _without_scikit_learn(name, *arguments, **words):
    if name == "sklearn.base" and name not in sys.modules:
        raise ImportError("left out, so that MXNet loads faster", name=name)
    return builtins.__import__(name, *arguments, **words)


def _with_late_statistics(name, globals=None, locals=None, fromlist=(), level=0):
    wanted = name == "scipy.stats" or name == "scipy" and tuple(fromlist or ()) == ("stats",)
    if wanted and "scipy.stats" not in sys.modules and importlib.util.find_spec("scipy") is not None:
        return types.SimpleNamespace(stats=_Stand("scipy.stats"))         # both forms take `stats` from what they get
    return builtins.__import__(name, globals, locals, fromlist, level)


_IMPORTS = {"mxnet.model": _without_scikit_learn, "mxnet.contrib.quantization": _with_late_statistics,
            "mxnet.test_utils": _with_late_statistics}
