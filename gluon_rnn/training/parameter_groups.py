"""Which parameters learn in which epoch, and how fast: freezing, gradual thawing, a learning rate a group.

References
----------
Howard & Ruder (2018), Universal language model fine-tuning for text classification: gradual unfreezing (one more layer
an epoch, the last one first) and discriminative fine-tuning (lower learning rates for lower layers).
"""
import math
import re

from gluon_rnn.config import ConfigError
from gluon_rnn.registry import suggest

__all__ = ["ParameterGroups", "check_patterns"]


class ParameterGroups:
    """The first epoch of each parameter, and its factor of the learning rate, which becomes its `lr_mult`.

    A parameter that ``thaw`` names is frozen until the first epoch that an entry gives it; another one that ``freeze``
    names is frozen for good. A pattern is a regular expression that a name by structure begins with, as in Gluon's
    ``collect_params(select)``.

    Parameters
    ----------
    parameters : dict of str to gluon.Parameter
        By name in the model's structure.
    settings : gluon_rnn.config.Training

    Raises
    ------
    ConfigError
        If a pattern matches no parameter, or nothing is left to learn in the first epoch.
    """

    def __init__(self, parameters, settings):
        self._parameters = parameters
        frozen = [name for number, pattern in enumerate(settings.freeze)
                  for name in _matching(parameters, pattern, f"training.freeze.{number}")]
        first = dict.fromkeys(frozen, math.inf)
        thawed = [(entry.epoch - 1, name) for number, entry in enumerate(settings.thaw)
                  for name in _matching(parameters, entry.parameters, f"training.thaw.{number}.parameters")]
        first.update(sorted(((name, epoch) for epoch, name in thawed), reverse=True))    # the earliest is the last put
        self._first = {parameters[name]: epoch for name, epoch in first.items()}
        self._set_rates(settings.learning_rates)
        if all(parameter.grad_req == "null" or self.first_epoch(parameter) for parameter in parameters.values()):
            raise ConfigError("training.freeze: nothing is left that learns in epoch 1; let freeze and thaw name fewer "
                              f"of the parameters {', '.join(parameters)}")

    def _set_rates(self, factors):
        rates = {name: factor for pattern, factor in factors.items()
                 for name in _matching(self._parameters, pattern, "training.learning_rates")}
        for name, factor in rates.items():
            self._parameters[name].lr_mult = factor

    def first_epoch(self, parameter):
        """Return the epoch, counted from 0, from which on a Parameter learns; infinity for one that never does.

        The vector of a fused layer (`gluon_rnn.nn.flat_parameters`) stands for its parts, which are of one group.
        """
        return self._first.get(getattr(parameter, "parts", [parameter])[0], 0)

    def frozen(self, epoch):
        """Return the set of names of parameters that do not learn in `epoch`, counted from 0."""
        return {name for name, parameter in self._parameters.items() if self.first_epoch(parameter) > epoch}

    def thawed(self, epoch):
        """Return the names of parameters that learn from `epoch` on, counted from 0, and did not before."""
        return [name for name, parameter in self._parameters.items() if epoch and self.first_epoch(parameter) == epoch]


def check_patterns(settings):
    """Check what can be checked of the section `training` without a model; ConfigError with the YAML path."""
    patterns = {**{f"training.freeze.{number}": pattern for number, pattern in enumerate(settings.freeze)},
                **{f"training.thaw.{number}.parameters": entry.parameters
                   for number, entry in enumerate(settings.thaw)},
                **{f"training.learning_rates.{pattern}": pattern for pattern in settings.learning_rates}}
    for where, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise ConfigError(f"{where}: {pattern!r} is no regular expression: {error}") from error
    for number, entry in enumerate(settings.thaw):
        if entry.epoch > settings.epochs:
            raise ConfigError(f"training.thaw.{number}.epoch: epoch {entry.epoch} is after the last of "
                              f"training.epochs, {settings.epochs}; name these parameters in training.freeze instead")
    for pattern, factor in settings.learning_rates.items():
        if not factor > 0:
            raise ConfigError(f"training.learning_rates.{pattern}: expected a factor above 0, got {factor:g}; "
                              "training.freeze keeps parameters as they are")
    if settings.start_names and not settings.start_from:
        raise ConfigError("training.start_names: it says what names are in the model of training.start_from, which is "
                          "missing; give both or neither")


def _matching(parameters, pattern, where):
    """Return the names that begin with a pattern; ConfigError where there are none."""
    found = [name for name in parameters if re.match(pattern, name)]
    if not found:
        raise ConfigError(f"{where}: {pattern!r} matches no parameter; {suggest(pattern, list(parameters))} "
                          f"(all: {', '.join(parameters)})")
    return found
