"""Networks with memory for MXNet Gluon: recurrent and delay networks, training from a YAML file, and export.

Importing any part of the package prepares the process for MXNet first (`gluon_rnn.runtime.prepare`), so import it
before MXNet itself. The parts are imported when they are first asked for: ``gluon_rnn.nn.LSTM(64)`` needs no other
import than ``import gluon_rnn``.
"""
import importlib
import warnings

from gluon_rnn import runtime

__version__ = "0.1.0"

_PARTS = ("answers", "benchmark", "classic", "config", "convert", "data", "diagnostics", "estimators", "export",
          "fetch", "inference", "metrics", "model_zoo", "models", "nn", "optim", "parts", "public_data", "python_api",
          "recipes", "registry", "report", "reports", "results", "runs", "serve", "tasks", "training")

runtime.prepare()


def load(path, which="best", ctx=None, ensemble=(), *, beside=None):
    """Return the predictor of a run from its folder, or of a model of the zoo from its name.

    ``load(path).predict(...)`` applies the trained model.

    See `gluon_rnn.runs.load_run`; the parts of the package that it needs are imported by this call.
    """
    from gluon_rnn.runs import load_run
    if beside is not None:
        warnings.warn("load(..., beside=) is now called load(..., ensemble=)", FutureWarning, stacklevel=2)
        ensemble = [*ensemble, *beside]
    return load_run(path, which, ctx, ensemble)


def get_model(name, pretrained=False, ctx=None, root=None):
    """Return a model of the zoo as a Gluon block; see `gluon_rnn.model_zoo.loading.get_model`."""
    from gluon_rnn.model_zoo import get_model as found
    return found(name, pretrained, ctx, root)


def list_models(pattern="*", pretrained=False, detail=False):
    """Return the names of the zoo's models, or what their cards say; see `gluon_rnn.model_zoo.loading.list_models`."""
    from gluon_rnn.model_zoo import list_models as found
    return found(pattern, pretrained, detail)


def train(recipe=None, data=None, *, resume=None, **overrides):
    """Train a model by a recipe, on files or on data in memory, and return its `Run`.

    See `gluon_rnn.python_api.train`; the parts of the package that it needs are imported by this call.
    """
    from gluon_rnn.python_api import train as train_run
    return train_run(recipe, data, resume=resume, **overrides)


def __getattr__(name):
    if name == "Run":
        return importlib.import_module("gluon_rnn.runs").Run
    if name in _PARTS:
        return importlib.import_module(f"gluon_rnn.{name}")
    raise AttributeError(f"module 'gluon_rnn' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_PARTS, "Run"})
