"""Sampling of whole sequences, a batch at a time, each until its end token."""
import mxnet as mx
import numpy as np

from gluon_rnn.inference.sampling import check_ids, filter_logits
from gluon_rnn.nn.checks import check_sizes

__all__ = ["generate"]


def generate(model, states, begin, end, *, max_length=500, temperature=1.0, top_k=None, top_p=None, seed=None,
             exclude=()):
    """Draw one sequence for each row of the states.

    Parameters
    ----------
    model : LanguageModel
    states : list of arrays
        States before the first token, such as those of ``ConditionalLanguageModel.states_for(classes)``.
    begin, end : int
        First input token of each row, and the token that ends a sequence.
    max_length : int, default 500
        Maximum number of tokens of a sequence, the end token counted.
    temperature, top_k, top_p
        See `gluon_rnn.inference.sampling.filter_logits`.
    seed : int, optional
        Row n draws from (seed, n), so that fewer rows draw the same sequences.
    exclude : sequence of int
        Tokens that are never drawn.

    Returns
    -------
    list of (ids, finished) for each row: the tokens without begin and end, and whether the end token was drawn.

    Raises
    ------
    ValueError
        If an option or a token id is out of range.
    """
    check_sizes(max_length=max_length)
    rows, ctx = states[0].shape[model.state_info(0)[0]["__layout__"].index("N")], states[0].context
    generators = _generators(seed, rows)
    drawn, finished = [[] for _ in range(rows)], [False] * rows
    token = np.full(rows, begin, dtype=np.int32)
    for _ in range(max_length):
        logits, states = model(mx.nd.array(token.reshape(1, -1), ctx=ctx, dtype="int32"), states)
        logits = _allowed(logits.asnumpy()[0], begin, end, exclude)
        for row in np.flatnonzero(~np.array(finished)):
            token[row] = _drawn(filter_logits(logits[row], temperature, top_k, top_p), generators[row])
            finished[row] = bool(token[row] == end)
            if not finished[row]:
                drawn[row].append(int(token[row]))
        if all(finished):
            break
    return list(zip(drawn, finished))


def _generators(seed, rows):
    """Return a generator for each row, that of row n the same however many rows there are."""
    source = np.random.SeedSequence(seed).entropy
    return [np.random.default_rng([source, row]) for row in range(rows)]


def _allowed(logits, begin, end, exclude):
    """Return logits (N, V) with those of the tokens in `exclude` at minus infinity; ValueError for ids out of range."""
    check_ids("begin, end and exclude", [begin, end, *exclude], logits.shape[1])
    logits[:, list(exclude)] = -np.inf
    return logits


def _drawn(probabilities, generator):
    """Return a token drawn from its probabilities (V,)."""
    return generator.choice(len(probabilities), p=probabilities)
