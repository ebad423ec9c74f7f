"""Which answer of a task is attributed to which of its inputs, and what both are called."""
import dataclasses
import itertools
from typing import Callable, Optional

import mxnet as mx
import numpy as np
import pandas as pd

from gluon_rnn.data.windows import Windows
from gluon_rnn.diagnose.problems import STEPS
from gluon_rnn.diagnose.readings import names_of
from gluon_rnn.diagnostics.projection import NothingToShowError
from gluon_rnn.diagnostics.saliency import TOLERANCE, InputSaliency, input_saliency
from gluon_rnn.diagnostics.watched import with_inputs
from gluon_rnn.inference.simulate import closed_loop

__all__ = ["Attribution", "attribute"]

#: answers of a picture; windows and steps of a stream
ANSWERS, WINDOWS, STREAM = 6, 16, 40


@dataclasses.dataclass
class Question:
    """An answer, and inputs that it is attributed to.

    Parameters
    ----------
    answer : callable
        From inputs (T, N, C) to answers (N,).
    inputs : (T, N, C) NDArray
    lengths : (N,) int array
    titles : list of N str
    meaning : str
        What an answer is.
    channels : list of C str
        Of features; the dimensions of an embedding have no names, and are summed.
    tokens : list of N lists of str, optional
        Of texts.
    joiner : str
    """

    answer: Callable
    inputs: mx.nd.NDArray
    lengths: np.ndarray
    titles: list
    meaning: str
    channels: list = ()
    tokens: Optional[list] = None
    joiner: str = " "


@dataclasses.dataclass
class Attribution:
    """What a task's answers rest on: a `Question` and the `InputSaliency` that answers it."""

    question: Question
    found: InputSaliency

    @property
    def by_lag(self):
        """Whether every answer is one at the last step of a window of a series, so that lags can be compared."""
        return not self.question.titles

    def table(self):
        """Return a pandas.DataFrame: row, step, token or channel, input (of features), and both attributions."""
        return pd.concat([self._part(row, int(length)) for row, length in enumerate(self.question.lengths)],
                         ignore_index=True)

    def _part(self, row, length):
        asked, names = self.question, ("gradient_input", "integrated")
        values = {name: getattr(self.found, name)[:length, row] for name in names}
        if asked.tokens is not None:
            return pd.DataFrame({"row": row, "step": np.arange(length), "token": asked.tokens[row],
                                 **{name: each.sum(axis=1) for name, each in values.items()}})
        columns = len(asked.channels)
        return pd.DataFrame({"row": row, "step": np.repeat(np.arange(length), columns),
                             "channel": list(asked.channels) * length,
                             "input": asked.inputs.asnumpy()[:length, row].ravel(),
                             **{name: each.ravel() for name, each in values.items()}})

    def summary(self):
        """Return a sentence, and one on what most of the attributions go to."""
        found, gap = self.found, self.found.gap.max()
        sums = (f"sum to the difference from the baseline within {gap:.1g} of their absolute sum" if found.complete else
                f"miss the difference from the baseline by up to {100 * gap:.3g} % of their absolute sum, more "
                f"than {TOLERANCE:.0%}: shares of single inputs are uncertain")
        return (f"saliency of {len(self.question.lengths)} answers, {self.question.meaning}: integrated gradients with "
                f"{found.points} points {sums}{self._most()}")

    def _most(self):
        sizes = np.abs(self.found.integrated).mean(axis=1)                # (T, C)
        if self.by_lag:
            by_lag = np.cumsum(sizes.sum(axis=1)[::-1])
            half = int(np.searchsorted(by_lag, by_lag[-1] / 2))
            return f"; half of their size is within {half} steps of the prediction" + self._channels(sizes)
        return "" if self.question.tokens is not None else self._channels(sizes)

    def _channels(self, sizes):
        shares = sizes.sum(axis=0) / (sizes.sum() or 1.0)
        order = np.argsort(-shares, kind="stable")[:4]
        return "; of it " + ", ".join(f"{shares[index]:.0%} {self.question.channels[index]}" for index in order)


def attribute(task, split):
    """Return the `Attribution` of a task's answers on a split; NothingToShowError where it has none.

    Answers are the log-probability of the most probable class, label or next token, or a value or prediction in units
    of the data. The baseline is 0: of embeddings no token, of features their mean over the training split.
    """
    name = task.config.task.name
    ask = _QUESTIONS.get(name)
    if ask is None:
        raise NothingToShowError(f"input saliency is for classifiers, taggers, regression, forecasters and language "
                                 f"models, and the task here is {name!r}; saliency is left out")
    question = ask(task, split)
    return Attribution(question, input_saliency(question.answer, question.inputs))


def _chosen(task, split, differ=None):
    """Return arrays of some sequences of middle length, cut to `ANSWERS` rows; with `differ` of unlike entries there.
    """
    found = task.eval_batches(split)
    batch = next(itertools.islice(found, len(found) // 2, None))
    rows = range(batch.rows)
    if differ is not None:
        values = batch.arrays[differ].asnumpy()
        first = dict.fromkeys([int(np.flatnonzero(values == value)[0]) for value in dict.fromkeys(values.tolist())])
        rows = [*first, *(row for row in rows if row not in first)]
    rows = mx.nd.array(list(rows)[:ANSWERS], dtype="int32")
    return [mx.nd.take(array, rows, axis=axis).as_in_context(task.device)
            for array, axis in zip(batch.arrays, batch.axes)]


def _picked(logits, ids):
    """Return the log-probability (N,) of `ids`, of logits (N, K)."""
    return mx.nd.pick(mx.nd.log_softmax(logits, axis=-1), ids, axis=-1)


def _through(task, run, axis=None):
    """Return the inputs of the encoder in ``run()``, and a function from such inputs to the answer of `run`."""
    _, embedded = with_inputs(task.model.encoder, run)
    return embedded, lambda inputs: with_inputs(task.model.encoder, run, inputs)[0]


def _classes(task, split):
    inputs, valid_length, targets, _ = _chosen(task, split, differ=2)
    names, model, lengths = names_of(task), task.model, valid_length.asnumpy().astype(int)
    logits = model(inputs, None, valid_length)
    best = logits.argmax(axis=1)
    chances, found = mx.nd.softmax(logits).asnumpy(), best.asnumpy().astype(int)
    titles = [f"{names.labels[index]} with probability {row[index]:.2f}" + (
        "" if index == target else f" (is {names.labels[int(target)]})")
        for index, row, target in zip(found, chances, targets.asnumpy())]
    meaning = "log-probability of the most probable class"
    if names.tokens:
        embedded, answer = _through(task, lambda: _picked(model(inputs, None, valid_length), best))
        tokens = [[names.tokens[index] for index in ids[:length]]
                  for ids, length in zip(inputs.asnumpy().astype(int).T, lengths)]
        return Question(answer, embedded, lengths, titles, meaning, (), tokens, names.joiner)
    return Question(lambda x: _picked(model(x, None, valid_length), best), inputs, lengths, titles, meaning,
                    _feature_names(inputs.shape[2], task.assets.reader))


def _feature_names(count, reader):
    own = getattr(reader, "features", None)
    names = [f"feature {number + 1}" for number in range(count)]
    if isinstance(own, int) and count == 2 * own:                         # each step and its difference
        names = [*names[:own], *(f"{name}, difference" for name in names[:own])]
    return names


def _values(task, split):
    inputs, valid_length, targets = _chosen(task, split)
    scaler, model = task.assets.scaler, task.model
    name, scale = task.assets.target_names[0], float(np.ravel(scaler.scale)[0])
    found = scaler.inverse(model(inputs, None, valid_length).asnumpy())[:, 0]
    wanted = scaler.inverse(targets.asnumpy())[:, 0]
    return Question(lambda x: model(x, None, valid_length)[:, 0] * scale, inputs, valid_length.asnumpy().astype(int),
                    [f"{name} {value:.4g} (is {target:.4g})" for value, target in zip(found, wanted)],
                    f"{name} in units of the data", _feature_names(inputs.shape[2], task.assets.reader))


def _tags(task, split):
    """Ask for the label of the word in the middle of each sentence, by its own score, without transitions."""
    found = task.eval_batches(split)
    rows, batch = next(itertools.islice(zip(found.groups, found), len(found) // 2, None))
    words, valid_length, _, *spelling = (array.as_in_context(task.device) for array in batch.arrays)
    lengths, names = valid_length.asnumpy().astype(int), names_of(task)
    places = np.maximum(lengths - 1, 0) // 2
    place, numbers = mx.nd.array(places, ctx=task.device), np.arange(len(lengths))

    def scores():
        values = task.model(words, None, valid_length, *spelling)         # (T, N, K)
        return mx.nd.pick(values, mx.nd.broadcast_to(place.reshape((1, -1, 1)), (1, *values.shape[1:])), axis=0)

    best = scores().argmax(axis=1)
    embedded, answer = _through(task, lambda: _picked(scores(), best))
    tokens = [list(task.data.sequences(split)[row].words) for row in rows]
    titles = [f"{tokens[row][places[row]]!r} is {names.labels[int(index)]}"
              for row, index in zip(numbers, best.asnumpy())]
    return Question(answer, embedded, lengths, titles, "log-probability of the best label of the word in the middle",
                    (), tokens)


def _next_tokens(task, split):
    """Ask for the token that is most probable after each of some places of the text."""
    ids, names, model = np.asarray(task.data.ids(split)), names_of(task), task.model
    steps = min(STREAM, len(ids) // 2)
    starts = np.linspace(0, len(ids) - steps - 1, ANSWERS).astype(int)
    windows = np.stack([ids[start:start + steps] for start in starts], axis=1)
    tokens = mx.nd.array(windows, dtype="int32", ctx=task.device)
    begin = model.begin_state(windows.shape[1], ctx=task.device)
    scores = model.scores_after(tokens, begin)
    best, chances = scores.argmax(axis=1), mx.nd.softmax(scores).asnumpy()
    embedded, answer = _through(task, lambda: _picked(model.scores_after(tokens, begin), best))
    titles = [f"next: {names.tokens[int(index)]!r}, {row[int(index)]:.2f} (is {names.tokens[ids[start + steps]]!r})"
              for index, row, start in zip(best.asnumpy(), chances, starts)]
    return Question(answer, embedded, np.full(len(starts), steps), titles,
                    "log-probability of the most probable next token", (),
                    [[names.tokens[index] for index in column] for column in windows.T], names.joiner)


def _predictions(task, split):
    """Ask for the prediction at the last step of windows: in open loop, of a simulation model in its free run."""
    model, assets, washout = task.model, task.assets, task.assets.washout
    scaler = assets.scaler
    recordings = [scaler.transform(recording) for recording in task.data.recordings(split)]
    room = min(len(recording) - max(recording.start, washout) - model.horizon + 1 for recording in recordings)
    length = min(room, STEPS)
    stride = max(1, sum(len(recording) - length for recording in recordings) // WINDOWS)
    windows = Windows(recordings, length + model.horizon - 1, washout, stride)
    batch = windows.batch(np.arange(min(len(windows), WINDOWS)))
    inputs = np.concatenate([batch.x, batch.y], axis=2)[:washout + length]
    column = (model.horizon - 1) * model.output_size
    scale = float(scaler.inverse_deviations(np.ones(model.output_size))[0])
    predict = _in_open_loop(model) if getattr(model, "feedback", True) else _in_free_run(model, washout)
    ahead = f", {model.horizon} steps ahead" if model.horizon > 1 else ""
    channels = [*scaler.input_names, *(f"{name}, measured before" for name in scaler.target_names)]
    meaning = f"prediction of {scaler.target_names[0]}{ahead} at the last step of windows, in its units"
    return Question(lambda x: predict(x)[:, column] * scale, mx.nd.array(inputs, ctx=task.device),
                    np.full(inputs.shape[1], len(inputs)), [], meaning, channels)


def _in_open_loop(model):
    return lambda x: model.head.mean(mx.nd, model(x)[-1:])[0]


def _in_free_run(model, washout):
    closed = closed_loop(model)

    def predict(x):
        _, states = model(x[:washout], model.begin_state(x.shape[1], ctx=x.context))
        return model.head.mean(mx.nd, closed(x[washout:, :, :max(model.input_size, 1)], states)[0][-1:])[0]

    return predict


_QUESTIONS = {"classification": _classes, "regression": _values, "tagging": _tags, "language_model": _next_tokens,
              "forecasting": _predictions}
