"""The instruments of `gluon_rnn.diagnostics` on a run or a model of the zoo: figures, tables and a few sentences."""
import dataclasses
from pathlib import Path
from typing import Callable, Optional

import mxnet as mx
import numpy as np

from gluon_rnn import diagnostics, runs
from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.data.windows import Windows
from gluon_rnn.nn.conditioned import Conditioned
from gluon_rnn.tasks.forecasting.batches import collate
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from gluon_rnn.tasks.language_model.loss import LanguageModelLoss

__all__ = ["Diagnosis", "Problem", "diagnose", "examine", "problem_of"]

#: most sequences of a batch, and most steps of a series that are looked at where a short bptt needs no more
ROWS, STEPS = 16, 256
# Where each step of a sequence has a loss of its own, of which that of the last one is taken.
_BY_STEP = ("language_model", "conditional_language_model", "tagging", "forecasting", "frames")


@dataclasses.dataclass
class Problem:
    """What instruments need of a model on a batch.

    Parameters
    ----------
    model : Block
    encoder : SequenceBlock
    loss : callable
        Without arguments; the summed loss.
    at_last : bool
        Whether the loss at the last step is meant; else it is one of the whole sequence.
    bptt : int, optional
        Steps that training goes back; None: whole sequences.
    lengths : (N,) int array, optional
        Steps of each row, where the model does not tell the encoder.
    """

    model: mx.gluon.Block
    encoder: mx.gluon.Block
    loss: Callable
    at_last: bool
    bptt: Optional[int] = None
    lengths: Optional[np.ndarray] = None


@dataclasses.dataclass
class Diagnosis:
    """What the instruments found; None for one that the model has nothing for, which `left_out` says.

    Parameters
    ----------
    gradient : gluon_rnn.diagnostics.GradientThroughTime
    jacobian : gluon_rnn.diagnostics.StateJacobian
    gates : gluon_rnn.diagnostics.GateSaturation
    truncation : gluon_rnn.diagnostics.Truncation
    left_out : list of str
        Sentences.
    """

    gradient: Optional[diagnostics.GradientThroughTime] = None
    jacobian: Optional[diagnostics.StateJacobian] = None
    gates: Optional[diagnostics.GateSaturation] = None
    truncation: Optional[diagnostics.Truncation] = None
    left_out: list = dataclasses.field(default_factory=list)

    @property
    def parts(self):
        """What was found, by name."""
        names = ("gradient", "jacobian", "gates", "truncation")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def summary(self):
        """Return all sentences, a line each."""
        return "\n".join([*(part.summary() for part in self.parts.values()), *self.left_out])

    def write(self, folder):
        """Write a picture ``NAME.png`` and a table ``NAME.csv`` of each part into a folder, which is made."""
        figures = {"gradient": diagnostics.gradient_figure, "jacobian": diagnostics.jacobian_figure,
                   "gates": diagnostics.gate_figure, "truncation": diagnostics.truncation_figure}
        folder = Path(folder)
        if self.parts:
            folder.mkdir(parents=True, exist_ok=True)
        for name, part in self.parts.items():
            figures[name](part, folder / f"{name}.png")
            part.table().to_csv(folder / f"{name}.csv", index=False)


def diagnose(path, split=None, output=None, which="best", *, steps=None):
    """Apply all instruments to a trained model, on a batch of its data.

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
        Length of the sequences of a language model or a forecaster, whose series have no end of their own; default
        4 times its ``bptt``, at most 256, at least 2 times, as far as the data go.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If there is no such run, checkpoint or split, or the data have no room for so many steps.
    """
    folder, task, split = runs.load_task(path, split, which)
    try:
        problem = problem_of(task, split, steps)
    except diagnostics.NotRecurrentError as error:
        return Diagnosis(left_out=[str(error)])
    found = examine(problem)
    found.write(folder / "diagnosis" if output is None else output)
    return found


def examine(problem):
    """Return the `Diagnosis` of a `Problem`, nothing being written."""
    encoder, loss, found = problem.encoder, problem.loss, Diagnosis()
    instruments = {
        "gradient": lambda: diagnostics.gradient_through_time(encoder, loss, problem.at_last, problem.lengths),
        "jacobian": lambda: diagnostics.state_jacobian(encoder, loss),
        "gates": lambda: diagnostics.gate_saturation(encoder, loss),
        "truncation": lambda: diagnostics.truncation(encoder, loss, problem.model, problem.bptt)}
    for name, measure in instruments.items():
        try:
            setattr(found, name, measure())
        except diagnostics.NotRecurrentError as error:
            if str(error) not in found.left_out:
                found.left_out.append(str(error))
    return found


def problem_of(task, split, steps=None):
    """Return the `Problem` of a task with trained parameters, on a batch of a split.

    Raises
    ------
    NotRecurrentError
        If the model has no encoder.
    ValueError
        If the data have no room for `steps`.
    """
    model, name = task.model, task.config.task.name
    if not hasattr(model, "encoder"):
        raise diagnostics.NotRecurrentError(
            f"{type(model).__name__} has no recurrent states: what it looks back at are its lags; gradients by lag, "
            "Jacobians, gates and truncation are left out")
    if hasattr(model, "structure"):
        raise diagnostics.NotRecurrentError(
            f"{type(model).__name__} has no states through time, for it takes {model.structure}s; gradients by lag, "
            "Jacobians, gates and truncation are left out")
    task.graph.hybridize(False)
    encoder = model.encoder.encoder if isinstance(model.encoder, Conditioned) else model.encoder
    at_last = name in _BY_STEP or getattr(model, "_pooling", None) == "last"
    if name == "language_model":
        return Problem(model, encoder, _of_stream(task, split, steps), at_last, task.config.data.bptt)
    if name == "forecasting":
        return Problem(model, encoder, _of_windows(task, split, steps), at_last, task.config.data.bptt)
    if steps is not None:
        raise ValueError(f"steps are for language models and forecasters, and the task here is {name!r}, whose "
                         "sequences have an end; leave steps out")
    arrays = _longest(task, split)
    lengths = arrays[2].asnumpy() if name == "conditional_language_model" else None
    return Problem(model, encoder, lambda: task.graph(*arrays), at_last, None, lengths)


def _steps(steps, bptt, room):
    """Return how many steps to look at, of `room` that there are."""
    if steps is not None and not 1 < steps <= room:
        raise ValueError(f"steps must be from 2 to the {room} that the data have room for, got {steps}")
    return min(room, max(2 * bptt, min(4 * bptt, STEPS))) if steps is None else steps


def _of_stream(task, split, steps):
    """Return the exact loss of a language model over the first chunk of `ROWS` streams, fewer of a short text."""
    ids, model = task.data.ids(split), task.model
    steps = _steps(steps, task.config.data.bptt, len(ids) - 1)
    rows = min(ROWS, (len(ids) - 1) // steps)
    tokens, target = (array.as_in_context(task.device) for array in next(iter(BPTTBatches(ids, rows, steps))))
    arrays = [mx.nd.array(array, dtype=array.dtype, ctx=task.device)
              for array in model.output.arrays(target.asnumpy(), 1, np.random.default_rng(0))]
    graph = LanguageModelLoss(model, exact=True)
    return lambda: graph(tokens, target, *arrays, model.begin_state(rows, ctx=task.device))[0]


def _of_windows(task, split, steps):
    """Return the loss of a forecaster over some windows: in open loop, of a simulation model on its free run."""
    model, scaler, washout = task.model, task.assets.scaler, task.assets.washout
    recordings = [scaler.transform(recording) for recording in task.data.recordings(split)]
    rooms = [len(recording) - max(recording.start, washout) - model.horizon + 1 for recording in recordings]
    length = _steps(steps, task.config.data.bptt, min(rooms))
    stride = max(1, sum(room - length for room in rooms) // ROWS)
    windows = Windows(recordings, length + model.horizon - 1, washout, stride)
    batch = collate(length, washout)(windows.batch(np.arange(min(len(windows), ROWS))), 0, None)
    graph = SeriesLoss(model, washout, length, "open_loop" if getattr(model, "feedback", True) else "closed_loop")
    inputs = batch.arrays[0].as_in_context(task.device)
    return lambda: graph(inputs)


def _longest(task, split):
    """Return the arrays of the batch with the longest sequences, of at most `ROWS` rows where it can be cut."""
    batch = max(task.eval_batches(split), key=lambda batch: batch.arrays[0].shape[1 - batch.axes[0]])
    if batch.rows > ROWS and all(array.shape[axis] == batch.rows for array, axis in zip(batch.arrays, batch.axes)):
        arrays = [mx.nd.slice_axis(array, axis=axis, begin=batch.rows - ROWS, end=batch.rows)
                  for array, axis in zip(batch.arrays, batch.axes)]
    else:
        arrays = batch.arrays
    return [array.as_in_context(task.device) for array in arrays]
