r"""A neural cache: words that a text has used lately, in a place like this one, become more probable.

    p(w) = (1 - lambda) p_model(w) + lambda p_cache(w)
    p_cache(w) = sum_i [x_{i+1} = w] exp(theta h_t . h_i) / sum_i exp(theta h_t . h_i),    i = t - size, ..., t - 1

h_t is the output of the encoder after x_t. Nothing is trained: theta and lambda are chosen on the validation split.

References
----------
Grave, Joulin and Usunier (2017), Improving neural language models with a continuous cache, equations 2 to 5.
"""
import dataclasses
import itertools

import mxnet as mx
import numpy as np

__all__ = ["SHARES", "THETAS", "CachedLoss", "cache_probabilities", "evaluate_with_cache"]

#: values that are tried on the validation split
THETAS = (0.1, 0.3, 0.5, 0.8, 1.2, 2.0)
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
_BLOCK = 256                                                              # steps whose similarities are in memory


def cache_probabilities(hidden, tokens, size, thetas):
    """Return the probability that a cache gives to each next token.

    Parameters
    ----------
    hidden : (T, H) array
        Outputs of the encoder after each of the first T tokens.
    tokens : (T + 1,) int array
        What was read, and the token behind it.
    size : int
        Places that the cache keeps.
    thetas : sequence of float

    Returns
    -------
    (len(thetas), T) float64 array; 0 at the first step, where nothing is kept.
    """
    steps, found = len(hidden), np.zeros((len(thetas), len(hidden)))
    hidden = np.asarray(hidden, dtype=np.float32)
    for begin in range(1, steps, _BLOCK):
        rows = np.arange(begin, min(begin + _BLOCK, steps))               # t
        kept = np.arange(max(0, begin - size), rows[-1])                  # i
        similar = hidden[rows] @ hidden[kept].T                           # (rows, kept)
        seen = (kept < rows[:, None]) & (kept >= rows[:, None] - size)
        same = seen & (tokens[kept + 1] == tokens[rows + 1][:, None])
        similar[~seen] = -np.inf
        for place, theta in enumerate(thetas):
            weights = np.exp(theta * (similar - similar.max(axis=1, keepdims=True)))
            found[place, rows] = np.where(same, weights, 0).sum(axis=1, dtype=np.float64) / weights.sum(
                axis=1, dtype=np.float64)
    return found


@dataclasses.dataclass
class CachedLoss:
    """The loss of a language model with a cache, in nats per token, and what was chosen on the validation split."""

    loss: float
    size: int
    theta: float
    share: float


def evaluate_with_cache(task, split, size):
    """Return the `CachedLoss` of a language-model task on a split.

    Parameters
    ----------
    task : gluon_rnn.tasks.language_model.LanguageModelTask
        Parameters loaded.
    split : str
    size : int
        Places that a cache keeps; ``data.eval_batch_size`` parts of the text are read side by side, each with its own.

    Raises
    ------
    ValueError
        If the size is below 1.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"a cache keeps a whole number of places of at least 1, got {size!r}")
    model, cached = _probabilities(task, "valid", size, THETAS)
    losses = {(place, share): _loss(model, cached[place], share)
              for place, share in itertools.product(range(len(THETAS)), SHARES)}
    place, share = min(losses, key=losses.get)
    if split != "valid":
        model, cached = _probabilities(task, split, size, THETAS[place:place + 1])
        return CachedLoss(_loss(model, cached[0], share), size, THETAS[place], share)
    return CachedLoss(losses[place, share], size, THETAS[place], share)


def _loss(model, cached, share):
    """Return the mean loss in nats; an empty cache, at the first step of each text, gives all words 0."""
    mixed = (1 - share) * model + share * cached
    return float(-np.log(mixed).mean())


def _probabilities(task, split, size, thetas):
    """Return the probabilities (n,) of each next token by the model, and (len(thetas), n) by the cache."""
    hidden, tokens, target, model = (np.concatenate(parts) for parts in zip(*_read(task, split)))
    cached = []
    for row in range(tokens.shape[1]):
        text = np.append(tokens[:, row], target[-1, row])
        cached.append(cache_probabilities(hidden[:, row], text, size, thetas))
    return model.T.ravel(), np.concatenate(cached, axis=1)


def _read(task, split):
    """Yield outputs of the encoder (T, N, H), tokens and targets (T, N), and the targets' probabilities (T, N)."""
    states = task.begin_states(task.config.data.eval_batch_size, [task.device])[0]
    for batch in task.eval_batches(split):
        tokens, target = (array.as_in_context(task.device) for array in batch.arrays[:2])
        hidden, scores, states = task.model.hidden_and_scores(tokens, states)
        probabilities = mx.nd.pick(mx.nd.log_softmax(scores), target).exp()
        yield hidden.asnumpy(), tokens.asnumpy(), target.asnumpy(), probabilities.asnumpy().astype(np.float64)
