"""Scores of a model on a split, in training and after it."""
import itertools

from gluon_rnn.distributed.alone import Alone

__all__ = ["in_words", "mean_loss"]


def mean_loss(graph, batches, device, states=(), limit=None, cluster=None):
    """Return the mean loss per unit over `batches`, states carried from one to the next where there are any.

    Parameters
    ----------
    graph : HybridBlock
        A task's loss graph.
    batches : iterable of gluon_rnn.tasks.task.Batch
    device : mxnet.Context
    states : list of arrays
        States before the first batch; empty for a task that carries none.
    limit : int, optional
        Only so many batches.
    cluster : gluon_rnn.distributed.cluster.Cluster, optional
        The workers whose shares `batches` are, each calling this function; sizes are those of the shares.

    Returns
    -------
    float
        The same for all workers.
    """
    total = size = 0
    for batch in itertools.islice(batches, limit):
        arrays = [array.as_in_context(device) for array in batch.arrays]
        loss, states = graph(*arrays, states) if states else (graph(*arrays), states)
        total += float(loss.asscalar())
        size += batch.size
    total, size = (cluster or Alone()).total([total, size])
    return total / size


def in_words(task, split, scores):
    """Return e.g. ``"test perplexity 7.19, the best possible is 7.02"``; the second half where it is known."""
    text = f"{split} {task.in_words(scores)}"
    if task.best_loss is None:
        return text
    return f"{text}, the best possible is {task.in_words({'loss': task.best_loss})}"
