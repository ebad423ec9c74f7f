"""Scores of a bundle on the data of the run that it was made of: what an export, or its eight bits, costs."""
import itertools

import mxnet as mx
import numpy as np
import scipy.special

from gluon_rnn import recipes
from gluon_rnn.metrics import classes
from gluon_rnn.registry import suggest
from gluon_rnn.runs import load_run
from gluon_rnn.training.evaluation import in_words

__all__ = ["evaluate_bundle"]


def evaluate_bundle(bundle, run, split=None, limit=None):
    """Return the scores of a bundle on a split of the data of a run, as a sentence.

    Parameters
    ----------
    bundle : gluon_rnn.export.loaded.Bundle
        Of a classifier, a tagger or a language model.
    run : str or Path
        The folder of the run, or the name of a model of the zoo.
    split : str, optional
        By default "test" where there is one, else "valid".
    limit : int, optional
        Only so many batches.

    Raises
    ------
    ValueError
        If the bundle is of another task than the run, of a task that is not scored here, or there is no such split.
    """
    config = load_run(run).config
    name = config.task.name
    if bundle.manifest["task"] != name:
        raise ValueError(f"the bundle is of the task {bundle.manifest['task']!r}, and the run in {str(run)!r} of "
                         f"{name!r}; pass the run that was exported")
    if name not in SCORES:
        raise ValueError(f"bundles of the task {name!r} are not scored here, only those of {', '.join(SCORES)}; its "
                         "predict answers as the run does")
    task = recipes.build_task(config)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(run)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    return in_words(task, split, SCORES[name](bundle.network, task, split, limit))


def _classes(network, task, split, limit):
    """Return the scores of a classifier."""
    batches = task.eval_batches(split)
    logits = [network.outputs(*_arguments(task, batch)) for batch in itertools.islice(batches, limit)]
    indices = [index for rows in itertools.islice(batches.groups, limit) for index in rows]
    scores = scipy.special.log_softmax(np.concatenate(logits).astype(np.float64), axis=1)
    return classes.scores(task.data.targets(split)[np.array(indices)], scores)


def _arguments(task, batch):
    """Return inputs and lengths; of trees and graphs, which have no lengths, all that stands behind the targets."""
    if task.structure == "sequence":
        return _numpy(batch.arrays[:2])
    first, *others = _numpy(batch.arrays[2:])
    return first, None, *others


def _tags(network, task, split, limit):
    """Return the shares of right tags of a tagger."""
    batches, found = task.eval_batches(split), {}
    for indices, batch in itertools.islice(zip(batches.groups, batches), limit):
        words, valid_length, _, *spelling = _numpy(batch.arrays)
        outputs = network.outputs(words, valid_length, *spelling)
        best = outputs[1] if isinstance(outputs, tuple) else outputs.argmax(axis=2)
        found.update((index, best[:len(task.encoded[split][index][0]), row].astype(np.int32))
                     for row, index in enumerate(indices))
    return task.accuracies(split, found)


def _tokens(network, task, split, limit):
    """Return the loss of a language model in nats per token, and the customary score of the unit."""
    states, total, size = network.begin_state(task.config.data.eval_batch_size), 0.0, 0
    for batch in itertools.islice(task.eval_batches(split), limit):
        tokens, target = _numpy(batch.arrays[:2])
        logits, states = network(tokens, states)
        scores = scipy.special.log_softmax(logits, axis=2)
        total -= np.take_along_axis(scores, target.astype(np.int64)[..., None], axis=2).sum(dtype=np.float64)
        size += batch.size
    return task.scores_of(total / size)


SCORES = {"classification": _classes, "tagging": _tags, "language_model": _tokens}


def _numpy(arrays):
    return [array.asnumpy() if isinstance(array, mx.nd.NDArray) else np.asarray(array) for array in arrays]
