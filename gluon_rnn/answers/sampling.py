"""Sampling of tokens from a language model: one text token by token, or a batch of whole sequences.

    p(token) = softmax(logits / temperature), restricted to the `top_k` most probable tokens, then to the nucleus: the
    smallest set of most probable tokens with a total probability of at least `top_p`; the rest is renormalised to 1.

References
----------
Fan, Lewis, Dauphin (2018), Hierarchical neural story generation: top-k sampling.
Holtzman, Buys, Du, Forbes, Choi (2020), The curious case of neural text degeneration: nucleus sampling.
"""
import numpy as np

from gluon_rnn.answers.checks import check_sizes

__all__ = ["MAX_LENGTH", "check_end", "check_ids", "filter_logits", "generate", "sample"]

#: tokens of a sequence, the end token counted, where nobody says how many
MAX_LENGTH = 500


def filter_logits(logits, temperature=1.0, top_k=None, top_p=None):
    """Return the probabilities to draw the next token from.

    Parameters
    ----------
    logits : (V,) array
        Unnormalised log-probabilities; -inf rules a token out.
    temperature : float, >= 0, default 1
        Below 1 sharper, above 1 flatter; 0 is greedy: the first of the most probable tokens has probability 1.
    top_k : int, >= 1, optional
        Number of most probable tokens that are kept; more than V keeps all. Of equal ones the lower ids are kept.
    top_p : float in (0, 1], optional
        Probability of the nucleus, among the tokens that `top_k` keeps; at least one token is always kept.

    Returns
    -------
    (V,) float64 array, sum 1.

    Raises
    ------
    ValueError
        If an option is out of range, or the logits are not finite.
    """
    _check_options(temperature, top_k, top_p)
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 1 or np.isnan(logits).any() or not np.isfinite(logits.max(initial=-np.inf)):
        raise ValueError("logits must be one row of numbers, at least one finite and none NaN, got shape "
                         f"{logits.shape} with {int(np.isnan(logits).sum())} NaN; train with a lower learning rate "
                         "or clip_norm")
    order = np.argsort(-logits, kind="stable")   # most probable first; stable: equal ones by id
    if temperature == 0:
        return (np.arange(len(logits)) == order[0]).astype(np.float64)
    with np.errstate(over="ignore"):             # a tiny temperature sends the others to -inf, which is right
        ranked = np.exp((logits[order] - logits[order[0]]) / temperature)
    ranked[len(ranked) if top_k is None else int(top_k):] = 0
    if top_p is not None:
        before = np.cumsum(ranked) - ranked      # total of the more probable tokens
        # Rounding of the sum must not add a token where the more probable ones have exactly top_p.
        ranked[before >= top_p * ranked.sum() * (1 - 1e-12)] = 0
    probabilities = np.zeros_like(ranked)
    probabilities[order] = ranked / ranked.sum()
    return probabilities


# ---- one text, token by token ---------------------------------------------------------------------------------------


def sample(network, vocab, prefix_ids, length, *, temperature=1.0, top_k=None, top_p=None, seed=None, exclude=()):
    """Return an iterator over `length` token ids that continue a prefix; each is yielded as soon as it is drawn.

    Parameters
    ----------
    network : network of a language model
        Called with (1, 1) int32 tokens and states; its outputs are logits (1, 1, V).
    vocab : Vocabulary
        Of the V tokens; gluonnlp's will do.
    prefix_ids : sequence of int
        First inputs of the model; not returned. If empty, the model starts after the end of a line (the `eos_token` of
        the vocabulary, or a newline character); if the vocabulary has neither, the first token is drawn uniformly.
    length : int, >= 0
        Tokens to draw.
    temperature, top_k, top_p
        See `filter_logits`.
    seed : int, optional
        The same seed gives the same tokens; None draws a seed.
    exclude : sequence of int
        Ids never drawn, for example that of ``<unk>``.

    Raises
    ------
    ValueError
        If an option or a prefix id is out of range; raised by the call, not at the first token.
    """
    _check_options(temperature, top_k, top_p)
    prefix, exclude = _check_tokens(len(vocab), prefix_ids, length, exclude)
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    return _draw(network, vocab, prefix, int(length), options, np.random.default_rng(seed), exclude)


def _check_tokens(size, prefix_ids, length, exclude):
    """Return prefix and excluded ids as lists; ValueError where one or the length is out of range."""
    if isinstance(length, bool) or int(length) != length or length < 0:
        raise ValueError(f"length must be a whole number, at least 0, got {length!r}")
    prefix, exclude = check_ids("prefix_ids", prefix_ids, size), check_ids("exclude", exclude, size)
    if len(set(exclude)) == size:
        raise ValueError(f"exclude rules out all {size} tokens; leave at least one")
    return prefix, exclude


def _draw(network, vocab, prefix, length, options, rng, exclude):
    """Yield the drawn ids; see `sample`."""
    network = network.stepping(1)
    states = network.begin_state(1)
    tokens = prefix or _start(vocab)
    if not tokens and length:
        allowed = np.setdiff1d(np.arange(len(vocab)), exclude)
        tokens, length = [int(rng.choice(allowed))], length - 1
        yield tokens[0]
    for token in tokens[:-1] if length else ():
        _, states = network(_token(token), states)
    token = tokens[-1] if tokens else None
    for _ in range(length):
        logits, states = network(_token(token), states)
        row = np.array(logits).reshape(-1)                                # a copy: it is written to
        row[exclude] = -np.inf
        token = int(rng.choice(len(row), p=filter_logits(row, **options)))
        yield token


def _start(vocab):
    """Return the ids that precede a line: the end of the line before, if the vocabulary has one."""
    for token in (getattr(vocab, "eos_token", None), "\n"):
        if token is not None and token in vocab.token_to_idx:
            return [vocab.token_to_idx[token]]
    return []


def _token(token):
    return np.array([[token]], dtype=np.int32)                            # (1, 1)


# ---- whole sequences, a batch at a time -----------------------------------------------------------------------------


def generate(network, states, rows, begin, end, *, max_length=MAX_LENGTH, temperature=1.0, top_k=None, top_p=None,
             seed=None, exclude=()):
    """Draw one sequence for each of the `rows` of the states.

    Parameters
    ----------
    network : network of a language model
        Called with (1, N) int32 tokens and states; its outputs are logits (1, N, V).
    states : list
        States before the first token, such as those of the network "first" of a conditional language model.
    rows : int
        N.
    begin, end : int
        First input token of each row, and the token that ends a sequence.
    max_length : int, default 500
        Maximum number of tokens of a sequence, the end token counted.
    seed : int, optional
        Row n draws from (seed, n), so that fewer rows draw the same sequences.
    temperature, top_k, top_p, exclude
        As in `sample`.

    Returns
    -------
    list of (ids, finished) for each row: the tokens without begin and end, and whether the end token was drawn.

    Raises
    ------
    ValueError
        If an option or a token id is out of range, or `end` is among `exclude`.
    """
    check_sizes(max_length=max_length)
    check_end(end, exclude)
    generators, network = _generators(seed, rows), network.stepping(rows)
    drawn, finished = [[] for _ in range(rows)], [False] * rows
    token = np.full(rows, begin, dtype=np.int32)
    for _ in range(max_length):
        logits, states = network(token.reshape(1, -1), states)
        logits = _allowed(np.array(logits[0]), begin, end, exclude)
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


# ---- checks ---------------------------------------------------------------------------------------------------------


def check_ids(name, ids, size):
    """Return token ids as a list of int; ValueError if one lies outside a vocabulary of `size` tokens."""
    ids = [int(token) for token in ids]
    for token in ids:
        if not 0 <= token < size:
            raise ValueError(f"{name} has the id {token}, outside the vocabulary of {size} tokens (0 to {size - 1}); "
                             "encode the text with the vocabulary of this model")
    return ids


def check_end(end, exclude):
    """Raise ValueError if the token that ends a sequence may never be written."""
    if end in exclude:
        raise ValueError(f"the end token {end} is among the excluded tokens; take it out of exclude")


def _check_options(temperature, top_k, top_p):
    if not (temperature >= 0 and np.isfinite(temperature)):
        raise ValueError(f"temperature must be a finite number, at least 0 (0 is greedy), got {temperature!r}")
    if top_k is not None and (isinstance(top_k, bool) or int(top_k) != top_k or top_k < 1):
        raise ValueError(f"top_k must be a whole number, at least 1, got {top_k!r}; leave it out to keep all tokens")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {top_p!r}; leave it out to keep all tokens")
