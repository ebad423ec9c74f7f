"""Scores of a model on a split, in training and after it."""
import itertools
import json

from gluon_rnn import runtime
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training import checkpoints
from gluon_rnn.training.runs import check_assets, config_of, load_run, write_results

__all__ = ["evaluate_run", "evaluate_together", "in_words", "mean_loss"]


def mean_loss(graph, batches, device, states=(), limit=None):
    """Return the mean loss per unit over `batches`, states carried from one to the next where there are any.

    Parameters
    ----------
    graph : HybridBlock
        A task's loss graph.
    batches : iterable of gluon_rnn.training.task.Batch
    device : mxnet.Context
    states : list of arrays
        States before the first batch; empty for a task that carries none.
    limit : int, optional
        Only so many batches.
    """
    total = size = 0
    for batch in itertools.islice(batches, limit):
        arrays = [array.as_in_context(device) for array in batch.arrays]
        loss, states = graph(*arrays, states) if states else (graph(*arrays), states)
        total += float(loss.asscalar())
        size += batch.size
    return total / size


def evaluate_run(path, split=None, which="best"):
    """Return the scores of a run's checkpoint on a split of its own data, as a sentence.

    Parameters
    ----------
    path : str or Path
        The run's folder.
    split : str, optional
        "train", "valid" or "test"; by default "test" where there is one, else "valid".
    which : {"best", "last"}

    Raises
    ------
    ValueError
        If there is no such run, checkpoint or split, or the data have changed since.
    """
    config, checkpoint = config_of(path), checkpoints.load(path, which)
    task = tasks.get(config.task.name)(config, **config.task.arguments)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(path)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    check_assets(checkpoint, task.assets, f"the run in {str(path)!r}")
    task.model.load_parameters(checkpoint.parameters, ctx=runtime.devices(config.device)[0])
    task.graph.hybridize()
    return in_words(task, split, task.evaluate(split))


def evaluate_together(paths, split=None, which="best", *, save=False):
    """Return the scores that several runs of a recipe reach together, as a sentence.

    Parameters
    ----------
    paths : list of str or Path
        Folders of runs of one recipe, which answer together as `gluon_rnn.training.load_run` says.
    split, which
        As for `evaluate_run`.
    save : bool
        Whether the scores go into ``results.json`` of the first run too, beside those of the same split.

    Raises
    ------
    ValueError
        If a run is missing or does not fit to the first one, if models of their task do not answer together, or if
        another split's scores are to be saved.
    """
    path, *beside = paths
    run = load_run(path, which, beside=beside)
    task = tasks.get(run.config.task.name)(run.config, **run.config.task.arguments)
    check_assets(checkpoints.load(run.path, which), task.assets, f"the run in {str(path)!r}")
    split = split or task.final_split
    if save and split != task.final_split:
        raise ValueError(f"results.json holds scores of the {task.final_split} split, and those of {split} cannot be "
                         "saved beside them; leave save or split out")
    scores = task.evaluate_together(split, [run.model, *run.beside])
    if save:
        results = json.loads((run.path / "results.json").read_text(encoding="utf-8"))
        write_results(run.path, {**results, "scores": {**results["scores"], **scores}})
    return in_words(task, split, scores)


def in_words(task, split, scores):
    """Return e.g. ``"test perplexity 7.19, the best possible is 7.02"``; the second half where it is known."""
    text = f"{split} {task.in_words(scores)}"
    if task.best_loss is None:
        return text
    return f"{text}, the best possible is {task.in_words({'loss': task.best_loss})}"
