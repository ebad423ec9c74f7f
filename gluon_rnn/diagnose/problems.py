"""A batch of a task's data and the loss on it, as the instruments of gradients through time take them."""
import dataclasses
from typing import Callable, Optional

import mxnet as mx
import numpy as np

from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.data.windows import Windows
from gluon_rnn.diagnostics.unrolled import NotRecurrentError
from gluon_rnn.nn.conditioned import Conditioned
from gluon_rnn.tasks.forecasting.batches import collate
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from gluon_rnn.tasks.language_model.loss import LanguageModelLoss

__all__ = ["Problem", "problem_of", "steps_of"]

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
        raise NotRecurrentError(
            f"{type(model).__name__} has no recurrent states: what it looks back at are its lags; gradients by lag, "
            "Jacobians, gates and truncation are left out")
    if hasattr(model, "structure"):
        raise NotRecurrentError(
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


def steps_of(steps, bptt, room):
    """Return how many steps to look at, of `room` that there are."""
    if steps is not None and not 1 < steps <= room:
        raise ValueError(f"steps must be from 2 to the {room} that the data have room for, got {steps}")
    return min(room, max(2 * bptt, min(4 * bptt, STEPS))) if steps is None else steps


def _of_stream(task, split, steps):
    """Return the exact loss of a language model over the first chunk of `ROWS` streams, fewer of a short text."""
    ids, model = task.data.ids(split), task.model
    steps = steps_of(steps, task.config.data.bptt, len(ids) - 1)
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
    length = steps_of(steps, task.config.data.bptt, min(rooms))
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
