"""From the name of a model to what answers: a bundle, a run, or a model of the zoo."""
import dataclasses
import pathlib
from typing import Any

import gluon_rnn
from gluon_rnn.serve.limits import Limits
from gluon_rnn.serve.tasks import task_form

__all__ = ["Served", "open_model"]


@dataclasses.dataclass
class Served:
    """A model that is served.

    Parameters
    ----------
    predictor
        What answers: ``predict`` and ``stream``, such as a `gluon_rnn.export.Bundle` or what `gluon_rnn.load` gives.
    form : gluon_rnn.serve.tasks.TaskForm
        What clients send and get.
    name, kind, model : str
        What it was opened by; "bundle", "run" or "zoo model"; the class or the registered name of the network.
    """

    predictor: Any
    form: Any
    name: str
    kind: str = "run"
    model: str = "model"

    def about(self):
        """Return what ``/health`` says of the model, a dict."""
        return {"task": self.form.task, "name": self.name, "kind": self.kind, "model": self.model,
                "version": gluon_rnn.__version__}


def open_model(name, limits=None):
    """Return the `Served` of a bundle's folder, a run's folder, or the name of a model of the zoo.

    Parameters
    ----------
    name : str or Path
    limits : Limits, optional

    Raises
    ------
    ValueError
        If there is none, it is damaged, or it is a bundle of a block without a task.
    """
    from gluon_rnn.export.manifest import MANIFEST
    limits = limits or Limits()
    if (pathlib.Path(name) / MANIFEST).is_file():
        return _open_bundle(name, limits)
    return _open_run(name, limits)


def _open_bundle(directory, limits):
    from gluon_rnn.export import load
    bundle = load(directory)
    _ = bundle.pipeline                                                   # what is missing is said now, not later
    form = task_form(bundle.manifest["task"], bundle.read, limits)
    return Served(bundle, form, pathlib.Path(directory).resolve().name, "bundle", bundle.manifest["model"])


def _open_run(name, limits):
    predictor = gluon_rnn.load(name)
    texts = predictor.assets.texts()
    form = task_form(predictor.config.task.name, texts.__getitem__, limits)
    kind = "run" if pathlib.Path(name).is_dir() else "zoo model"
    return Served(predictor, form, pathlib.Path(name).resolve().name, kind, predictor.config.model.name)
