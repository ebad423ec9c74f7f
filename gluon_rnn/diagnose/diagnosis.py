"""All instruments one after another: what they find, what a model has nothing for, and the files of both."""
import dataclasses
from pathlib import Path
from typing import Any, Optional

from gluon_rnn import diagnostics, runs
from gluon_rnn.diagnose.files import write
from gluon_rnn.diagnose.inside import Choices, look_inside
from gluon_rnn.diagnose.problems import problem_of
from gluon_rnn.registry import suggest

__all__ = ["INSTRUMENTS", "Diagnosis", "diagnose", "examine"]

#: names of the instruments, in the order in which they are applied
THROUGH_TIME = ("gradient", "jacobian", "gates", "truncation")
INSTRUMENTS = (*THROUGH_TIME, "states", "embeddings", "units", "saliency")


@dataclasses.dataclass
class Diagnosis:
    """What the instruments found; None for one that was not asked for, or that the model has nothing for.

    Parameters
    ----------
    gradient : gluon_rnn.diagnostics.GradientThroughTime
    jacobian : gluon_rnn.diagnostics.StateJacobian
    gates : gluon_rnn.diagnostics.GateSaturation
    truncation : gluon_rnn.diagnostics.Truncation
    states : gluon_rnn.diagnostics.MeanStates
    embeddings : gluon_rnn.diagnostics.Embeddings
    units : gluon_rnn.diagnostics.UnitActivations
    saliency : gluon_rnn.diagnose.attribution.Attribution
    left_out : list of str
        Sentences on what the model has nothing for.
    """

    gradient: Optional[diagnostics.GradientThroughTime] = None
    jacobian: Optional[diagnostics.StateJacobian] = None
    gates: Optional[diagnostics.GateSaturation] = None
    truncation: Optional[diagnostics.Truncation] = None
    states: Optional[diagnostics.MeanStates] = None
    embeddings: Optional[diagnostics.Embeddings] = None
    units: Optional[diagnostics.UnitActivations] = None
    saliency: Any = None
    left_out: list = dataclasses.field(default_factory=list)

    @property
    def parts(self):
        """What was found, by name."""
        return {name: getattr(self, name) for name in INSTRUMENTS if getattr(self, name) is not None}

    def summary(self):
        """Return all sentences, a line each."""
        return "\n".join([*(part.summary() for part in self.parts.values()), *self.left_out])

    def write(self, folder):
        """Write pictures and tables of each part into a folder, which is made; ``NAME.png`` and ``NAME.csv`` first."""
        folder = Path(folder)
        if self.parts:
            folder.mkdir(parents=True, exist_ok=True)
        for name, part in self.parts.items():
            write(name, part, folder)

    def _try(self, name, measure):
        try:
            setattr(self, name, measure())
        except diagnostics.NothingToShowError as error:
            if str(error) not in self.left_out:
                self.left_out.append(str(error))


def diagnose(path, split=None, output=None, which="best", *, steps=None, only=None, choices=None):
    """Apply instruments to a trained model, on data of its recipe.

    Parameters
    ----------
    path : str or Path
        The run's folder, or the name of a model of the zoo.
    split : str, optional
        "train", "valid" or "test"; by default "test" where there is one, else "valid".
    output : str or Path, optional
        Where pictures and tables go; default ``diagnosis`` in the folder of the run, for a model of the zoo in
        ``runs/NAME``.
    which : {"best", "last"}
    steps : int, optional
        Through time: length of the sequences of a language model or a forecaster, whose series have no end of their
        own; default 4 times its ``bptt``, at most 256, at least 2 times, as far as the data go.
    only : list of str, optional
        Names of instruments out of `INSTRUMENTS`; default all.
    choices : Choices, optional
        Words, units and the like that are looked at.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If there is no such run, checkpoint, split, instrument, word or unit, or the data have no room for so many
        steps.
    """
    names = _checked(only)
    folder, task, split = runs.load_task(path, split, which)
    found = Diagnosis()
    through_time = [name for name in names if name in THROUGH_TIME]
    if through_time:
        try:
            found = examine(problem_of(task, split, steps), through_time)
        except diagnostics.NotRecurrentError as error:
            found.left_out.append(str(error))
    for name in names:
        if name not in THROUGH_TIME:
            found._try(name, lambda name=name: look_inside(task, split, name, choices or Choices()))
    found.write(folder / "diagnosis" if output is None else output)
    return found


def examine(problem, only=THROUGH_TIME):
    """Return the `Diagnosis` of a `Problem` by the instruments of gradients through time, nothing being written."""
    encoder, loss, found = problem.encoder, problem.loss, Diagnosis()
    instruments = {
        "gradient": lambda: diagnostics.gradient_through_time(encoder, loss, problem.at_last, problem.lengths),
        "jacobian": lambda: diagnostics.state_jacobian(encoder, loss),
        "gates": lambda: diagnostics.gate_saturation(encoder, loss),
        "truncation": lambda: diagnostics.truncation(encoder, loss, problem.model, problem.bptt)}
    for name in only:
        found._try(name, instruments[name])
    return found


def _checked(only):
    for name in only or ():
        if name not in INSTRUMENTS:
            raise ValueError(f"there is no instrument {name!r}; {suggest(name, list(INSTRUMENTS))}")
    return [name for name in INSTRUMENTS if only is None or name in only]
