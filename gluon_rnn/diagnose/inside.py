"""The instruments that look inside states, on a task with trained parameters."""
import dataclasses
from typing import Optional

import numpy as np

from gluon_rnn import diagnostics
from gluon_rnn.diagnose.attribution import attribute
from gluon_rnn.diagnose.readings import batches, first_text, inner_encoder, names_of
from gluon_rnn.diagnostics.projection import NothingToShowError
from gluon_rnn.diagnostics.unrolled import in_place_of_calls
from gluon_rnn.diagnostics.watched import outputs_of, states_of

__all__ = ["Choices", "look_inside"]


@dataclasses.dataclass(frozen=True)
class Choices:
    """What the instruments look at; None: what suits the model.

    Parameters
    ----------
    words : list of str, optional
        Words, characters or labels of states and embeddings; default the most frequent ones.
    by : {"token", "label"}, optional
        What states are averaged by; default the label for taggers and for sequences without tokens, else the token.
    state : str, optional
        Whose units are coloured, such as "layer 2 c"; default that of the last layer.
    units : list of int, optional
        Units of this state; default those that follow something in the text, and those that vary most.
    map : {"pca", "tsne"}, default "pca"
        How vectors of words come into the plane.
    """

    words: Optional[list] = None
    by: Optional[str] = None
    state: Optional[str] = None
    units: Optional[list] = None
    map: str = "pca"


def look_inside(task, split, name, choices):
    """Return what one instrument finds: `name` is "states", "embeddings", "units" or "saliency".

    Raises
    ------
    NothingToShowError
        If the task or model has nothing for it.
    ValueError
        If a word, state or unit of the `Choices` does not exist.
    """
    task.graph.hybridize(False)
    return _INSTRUMENTS[name](task, split, choices)


def _states(task, split, choices):
    names, encoder = names_of(task), inner_encoder(task)
    by = choices.by or ("label" if task.config.task.name == "tagging" or not names.tokens else "token")
    known = {"token": names.tokens, "label": names.labels}[by]
    if not known and (names.tokens or names.labels):
        raise NothingToShowError(f"states by {by} need {by}s, and the task {task.config.task.name!r} on these data has "
                                 "none; leave by out")
    pairs = (_labelled(task, encoder, reading, by) for reading in batches(task, split))
    return diagnostics.mean_states(pairs, known, names.unit if by == "token" else "label", choices.words)


def _labelled(task, encoder, reading, by):
    """Return states (M, H) and ids (M,) of the valid steps of a reading, or of its sequences."""
    ids = reading.tokens if by == "token" else reading.labels
    if ids.ndim == 1:
        return _pooled(task.model.pooling, reading.run), ids
    outputs, lengths = outputs_of(encoder, reading.run)
    valid = np.arange(len(outputs))[:, None] < lengths
    return outputs[valid], ids[valid]


def _pooled(pooling, run):
    """Return what a classifier's output layer reads, (N, H)."""
    found, call = [], type(pooling).__call__

    def noted(sequence, *others):
        found.append(call(pooling, sequence, *others))
        return found[-1]

    with in_place_of_calls(pooling, noted):
        run()
    return found[-1].asnumpy()


def _embeddings(task, split, choices):
    model, axes = task.model, task.named_axes
    name = next((name for name in axes if "embedding" in name), None)
    if name is None:
        raise NothingToShowError(f"{type(model).__name__} reads numbers, not words: it has no embedding; embeddings "
                                 "are left out")
    (_, tokens), *_ = axes[name]
    parameters = model._collect_params_with_prefix()
    vectors = parameters[name].data() if name in parameters else model.embedding()
    return diagnostics.embeddings(vectors.asnumpy(), tokens, choices.words, method=choices.map)


def _units(task, split, choices):
    names, encoder = names_of(task), inner_encoder(task)
    reading, sequences = first_text(task, split)
    outputs, lengths = outputs_of(encoder, reading.run)
    try:
        values = states_of(encoder, first_text(task, split)[0].run)
    except diagnostics.NotRecurrentError:
        values = {"outputs": outputs}
    sequences = [tokens[:length] for tokens, length in zip(sequences, lengths)]
    values = {state: np.concatenate([rows[:len(tokens), number] for number, tokens in enumerate(sequences)])
              for state, rows in values.items()}
    signals = diagnostics.text_signals(sequences, names.unit == "character")
    return diagnostics.UnitActivations(sequences, values, signals, names.joiner).choose(choices.state, choices.units)


_INSTRUMENTS = {"states": _states, "embeddings": _embeddings, "units": _units,
                "saliency": lambda task, split, choices: attribute(task, split)}
