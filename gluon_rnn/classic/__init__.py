"""The classic experiments on recurrent networks: a few recipes each, what is measured on them, figures of the paper.

Every module here that defines an experiment registers it in `gluon_rnn.classic.experiment.experiments`, and all of them
are imported with this package.
"""
import importlib
import pkgutil

from gluon_rnn.classic.experiment import Case, Experiment, experiments

__all__ = ["Case", "Experiment", "chronological", "experiments"]


def chronological():
    """Return an instance of every experiment, those of the earliest papers first."""
    found = [experiments.get(name)() for name in experiments.names()]
    return sorted(found, key=lambda experiment: (experiment.year, experiment.name))


for _module in pkgutil.iter_modules(__path__):
    if _module.name != "worker":                                          # it is run as a program
        importlib.import_module(f"{__name__}.{_module.name}")
