"""The loss of a model on a split, in training and after it."""
import itertools

from gluon_rnn import runtime
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.training.language_model import score, score_text
from gluon_rnn.training.runs import config_of, load_run
from gluon_rnn.training.step import LossGraph

__all__ = ["evaluate", "evaluate_run", "in_words"]


def evaluate(graph, batches, states, limit=None):
    """Return the mean loss in nats per token over `batches`, the states carried from one to the next.

    Parameters
    ----------
    graph : LossGraph
    batches : iterable of (data, target), both (T, N)
    states : list of arrays
        States before the first batch; they say on which device to work.
    limit : int, optional
        Only so many batches.
    """
    total = tokens = 0
    device = states[0].context
    for data, target in itertools.islice(batches, limit):
        loss, states = graph(data.as_in_context(device), target.as_in_context(device), states)
        total += float(loss.asscalar()) * data.size
        tokens += data.size
    return total / tokens


def evaluate_run(path, split=None, which="best"):
    """Return the loss of a run's checkpoint on a split of its own data, as a sentence.

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
        If there is no such run, checkpoint or split.
    """
    device = runtime.devices(config_of(path).device)[0]
    run = load_run(path, which, device)
    task = tasks.get(run.config.task)(run.config)
    split = split or task.final_split
    if split not in task.data.splits:
        raise ValueError(f"the data of {str(path)!r} have no {split!r} split; {suggest(split, list(task.data.splits))}")
    if task.vocab.idx_to_token != run.vocab.idx_to_token:
        raise ValueError(f"the data that {str(path)!r} was trained on have changed: their vocabulary of "
                         f"{len(task.vocab)} tokens is not the run's of {len(run.vocab)}; put the old data back")
    graph = LossGraph(run.model)
    graph.hybridize()
    states = run.model.begin_state(run.config.data.eval_batch_size, ctx=device)
    return in_words(split, evaluate(graph, task.eval_batches(split), states), task.data)


def in_words(split, nats, data):
    """Return e.g. ``"test perplexity 7.19, the best possible is 7.02"``; the second half where it is known."""
    text = f"{split} {score_text(nats, data.unit)}"
    if data.entropy_rate is None:
        return text
    return f"{text}, the best possible is {score(data.entropy_rate, data.unit):.2f}"
