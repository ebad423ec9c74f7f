"""A trained model over HTTP: `open_model`, `build_app`, `running`, and the command ``gluon-rnn serve``.

FastAPI and uvicorn come with the extra ``serve``; they are imported when an application is built. Neither MXNet nor
model classes are imported for a bundle in ONNX.
"""
import importlib
import importlib.util

__all__ = ["Limits", "Served", "build_app", "check_installed", "open_model", "running"]

_PLACES = {"Limits": "limits", "Served": "opening", "build_app": "app", "open_model": "opening", "running": "server"}
_NEEDED = ("fastapi", "uvicorn", "websockets", "prometheus_client")


def check_installed():
    """Raise ValueError where a package of the extra ``serve`` is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"serving needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
                         "installed; pip install 'gluon_rnn[serve]'")


def __getattr__(name):
    if name in _PLACES:
        check_installed()
        return getattr(importlib.import_module(f"gluon_rnn.serve.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
