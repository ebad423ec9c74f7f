"""What a model reads, and what its steps are called: ids of words, characters and labels beside runs of the model."""
import dataclasses
import itertools
from typing import Callable, Optional

import numpy as np

from gluon_rnn.data import TextReader
from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.diagnostics.projection import NothingToShowError
from gluon_rnn.nn.conditioned import Conditioned

__all__ = ["Names", "Reading", "batches", "first_text", "inner_encoder", "names_of"]

#: most steps whose states are averaged, and most steps and sequences of a text whose units are looked at
STEPS, TEXT, SEQUENCES = 20_000, {"character": 1000, "word": 300}, 24
#: rows and steps of a batch of a stream
_ROWS, _CHUNK = 16, 50
# Which of a batch's arrays are token ids, and labels.
_PLACES = {"classification": (0, 2), "tagging": (0, 2), "translation": (0, None),
           "conditional_language_model": (0, None)}


@dataclasses.dataclass
class Reading:
    """A batch.

    Parameters
    ----------
    run : callable
        Without arguments: runs the model on it.
    tokens : (T, N) int array, optional
        Ids.
    labels : (T, N) or (N,) int array, optional
        Ids.
    rows : list of int, optional
        Numbers of its sequences in the split.
    """

    run: Callable
    tokens: Optional[np.ndarray] = None
    labels: Optional[np.ndarray] = None
    rows: Optional[list] = None


@dataclasses.dataclass
class Names:
    """What ids stand for.

    Parameters
    ----------
    unit : str
        "word", "character", "subword"; what a token is.
    tokens, labels : list of str
        By id; empty where there are none.
    """

    unit: str
    tokens: list
    labels: list

    @property
    def joiner(self):
        """What stands between two tokens of a text."""
        return "" if self.unit == "character" else " "


def names_of(task):
    """Return the `Names` of a task; of one without tokens and labels both lists are empty."""
    assets, name = task.assets, task.config.task.name
    if name in ("language_model", "conditional_language_model"):
        boundary = [""] if name == "conditional_language_model" else []
        return Names(assets.unit, [*assets.vocab.idx_to_token, *boundary], [])
    if name == "translation":
        return Names(assets.tokenizer.unit, assets.source_vocab.idx_to_token, [])
    if name == "tagging":
        return Names("word", assets.encoder.words.idx_to_token, assets.encoder.tags)
    if name == "classification":
        reader = assets.reader
        text = (reader.unit, reader.vocab.idx_to_token) if isinstance(reader, TextReader) else ("step", [])
        return Names(*text, list(map(str, assets.labels)))
    return Names("step", [], [])


def inner_encoder(task):
    """Return the encoder that is called; NothingToShowError for a model without one."""
    model = task.model
    if not hasattr(model, "encoder"):
        raise NothingToShowError(f"{type(model).__name__} has no encoder: states and units are left out")
    return model.encoder.encoder if isinstance(model.encoder, Conditioned) else model.encoder


def batches(task, split, limit=STEPS):
    """Yield `Reading`s of a split until they have `limit` steps.

    NothingToShowError where steps have neither words nor labels.
    """
    names, name = names_of(task), task.config.task.name
    if not names.tokens and not names.labels:
        raise NothingToShowError("states are averaged by word or label, and the steps of the task "
                                 f"{name!r} have neither; states are left out")
    steps = 0
    for reading in _stream(task, split, _ROWS, _CHUNK) if name == "language_model" else _batches(task, split):
        yield reading
        steps += (reading.tokens if reading.tokens is not None else reading.labels).size
        if steps >= limit:
            return


def _stream(task, split, rows, chunk):
    """Yield chunks of a stream, whose states run on."""
    ids = task.data.ids(split)
    rows = min(rows, len(ids) - 1)
    states = [task.begin_states(rows, [task.device])[0]]
    for tokens, _ in BPTTBatches(ids, rows, min(chunk, (len(ids) - 1) // rows)):
        tokens = tokens.as_in_context(task.device)

        def run(tokens=tokens):
            states[0] = task.model.states_after(tokens, states[0])

        yield Reading(run, tokens.asnumpy())


def _batches(task, split):
    names, (tokens, labels) = names_of(task), _PLACES[task.config.task.name]
    found = task.eval_batches(split)
    for rows, batch in zip(found.groups, found):
        arrays = [array.as_in_context(task.device) for array in batch.arrays]
        yield Reading(lambda arrays=arrays: task.graph(*arrays), arrays[tokens].asnumpy() if names.tokens else None,
                      None if labels is None else arrays[labels].asnumpy().astype(int), list(rows))


def first_text(task, split):
    """Return a `Reading` of the beginning of a split's text, and its sequences of tokens, lists of str.

    Of a stream its first 1,000 characters or 300 words; else sequences of middle length, at most 24 of them, the first
    rows of the reading. NothingToShowError where the model reads no text.
    """
    names, name = names_of(task), task.config.task.name
    if not names.tokens:
        raise NothingToShowError(f"units are coloured over a text, and a model of the task {name!r} on these data "
                                 "reads none; units are left out")
    if name == "language_model":
        length = min(TEXT.get(names.unit, TEXT["word"]), len(task.data.ids(split)) - 1)
        reading = next(_stream(task, split, 1, length))
        return reading, [[names.tokens[index] for index in reading.tokens[:, 0]]]
    found = task.eval_batches(split)
    reading = next(itertools.islice(_batches(task, split), len(found) // 2, None))
    return reading, [_words(task, split, reading, row) for row in range(min(SEQUENCES, reading.tokens.shape[1]))]


def _words(task, split, reading, row):
    """Return the tokens of a row: as the text has them where they are words of a tagger, else as the vocabulary."""
    if task.config.task.name == "tagging":
        return list(task.data.sequences(split)[reading.rows[row]].words)
    names = names_of(task)
    return [names.tokens[index] for index in reading.tokens[:, row]]
