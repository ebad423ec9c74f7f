r"""Beam search: an approximate search for the most probable sequences of a decoder; a beam of 1 is greedy search.

A sequence of L tokens after the begin token, the end token counted, has the score

    log p(y_1 ... y_L) / lp(L),    lp(L) = ((K + L) / (K + 1)) ** alpha

Without normalisation (alpha = 0) the search prefers short sequences, since each further token lowers the probability.
At each step the `beam_size` best of all continuations and of all sequences that ended before are kept; the search ends
when all that are kept have ended.

References
----------
Wu et al. (2016), Google's neural machine translation system, equation 14, with K = 5; alpha about 0.6 there.
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.2: the search itself.
"""
import dataclasses

import numpy as np

from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.sampling import check_end, check_ids

__all__ = ["Hypothesis", "beam_search", "length_penalty"]

# Score of what cannot be written; finite, since 0 times it occurs.
_IMPOSSIBLE = -1e18
# Tokens that are looked at together in the search for the best ones.
_GROUP = 64


@dataclasses.dataclass
class Hypothesis:
    """A sequence found by beam search.

    Attributes
    ----------
    ids : list of int
        Tokens without begin and end token.
    score : float
        log p / lp(L), in nats.
    finished : bool
        Whether the sequence ended with the end token; False if it was cut off at `max_length`.
    """

    ids: list
    score: float
    finished: bool


def length_penalty(length, alpha, k=5.0):
    """Return lp(L), by which the log-probability of a sequence of `length` tokens is divided.

    >>> length_penalty(1, 0.6), length_penalty(7, 1.0)
    (1.0, 2.0)
    """
    return ((k + length) / (k + 1)) ** alpha


def beam_search(step, states, begin, end, *, beam_size=5, max_length=50, alpha=1.0, k=5.0, exclude=()):
    """Return the best sequences of each row, the most probable first.

    Parameters
    ----------
    step : network
        ``logits, states = step(token, states)`` with token (N,) int32 and logits (N, V), such as the network "step" of
        a translation model; ``step.rows(states, indices)`` takes rows of the states.
    states : list
        States before the first token.
    begin, end : (N,) int array and int
        First input token of each row, and the end token of all.
    beam_size : int, default 5
        Number of sequences kept at each step; 1 is greedy search.
    max_length : int or (N,) int array, default 50
        Maximum number of tokens of a sequence, the end token counted; of an array each row has its own.
    alpha, k : float, >= 0, default 1 and 5
        Of the length normalisation; alpha 0 is none.
    exclude : sequence of int
        Tokens that are never generated, such as padding and the unknown token.

    Returns
    -------
    list of N lists of `Hypothesis`, at most `beam_size` in each

    Raises
    ------
    ValueError
        If an option or a token id is out of range, or the decoder's outputs are not finite.
    """
    begin, exclude = np.asarray(begin, dtype=np.int32), sorted(set(exclude))
    _check_options(beam_size, alpha, k)
    check_end(end, exclude)
    longest = _longest(max_length, len(begin))
    beams, token = _Beams(len(begin), beam_size, end), np.repeat(begin, beam_size)
    step = step.stepping(len(token))
    states = step.rows(states, np.repeat(np.arange(len(begin)), beam_size))
    for length in range(1, longest.max(initial=0) + 1):
        logits, states = step(token, states)
        if length == 1:
            _check_vocabulary(logits.shape[1], begin, end, exclude)
        penalties = [length_penalty(max(each, 1), alpha, k) for each in (length - 1, length)]
        best = beams.extend(logits, exclude, penalties)
        beams.stop(longest <= length)
        if not beams.alive.any():
            break
        states, token = step.rows(states, best), np.maximum(beams.last, 0)
    return beams.hypotheses()


def _longest(max_length, rows):
    """Return the `max_length` of each row, (N,) int; ValueError where it is none."""
    if np.ndim(max_length) and np.shape(max_length) != (rows,):
        raise ValueError(f"max_length must be a whole number or one for each of the {rows} rows, got the shape "
                         f"{np.shape(max_length)}")
    for each in np.ravel(max_length):
        check_sizes(max_length=each)
    return np.broadcast_to(max_length, rows)


def _check_options(beam_size, alpha, k):
    check_sizes(beam_size=beam_size)
    if not (alpha >= 0 and k >= 0):                                       # NaN too
        raise ValueError(f"alpha and k of the length normalisation must be at least 0, got {alpha} and {k}")


def _check_vocabulary(size, begin, end, exclude):
    check_ids("begin", begin, size)
    check_ids("end", [end], size)
    check_ids("exclude", exclude, size)


class _Beams:
    """The sequences that are kept: scores, tokens, and which go on; arrays (N, B)."""

    def __init__(self, rows, size, end):
        self._shape, self._end = (rows, size), end
        self._scores = np.full((rows, size), _IMPOSSIBLE)
        self._scores[:, 0] = 0.0                                          # all beams begin alike: one of them counts
        self.alive = np.ones((rows, size), dtype=bool)
        self._tokens = np.zeros((rows, size, 0), dtype=np.int32)
        self._first = np.arange(rows)[:, None] * size                     # row of the batch of a row's first beam

    @property
    def last(self):
        """The last token of each beam, (N * B,); -1 behind the end."""
        return self._tokens[:, :, -1].reshape(-1)

    def extend(self, logits, exclude, penalties):
        """Keep the best continuations of `logits` (N * B, V); return the row of the batch that each comes from.

        `penalties` are those of sequences as long as they are, and as long as they become.
        """
        logits = np.asarray(logits, dtype=np.float32)
        (rows, size), vocabulary = self._shape, logits.shape[1]
        gained = self._scores * penalties[0]                              # log p of what is there
        total = _log_sum_exp(logits)                                      # over all tokens, excluded ones included
        base = np.where(self.alive, gained - total.reshape(rows, size), _IMPOSSIBLE)
        values = logits + base.reshape(-1, 1).astype(logits.dtype)
        if exclude:
            values[:, exclude] = _IMPOSSIBLE
        values = values.reshape(rows, size * vocabulary)
        places = _largest(values, size)                                   # (N, B)
        scores = np.take_along_axis(logits.reshape(values.shape), places, axis=1).astype(np.float64)
        beams, tokens = np.divmod(places, vocabulary)
        scores = np.where(np.take_along_axis(values, places, axis=1) < _IMPOSSIBLE / 1e6, _IMPOSSIBLE,
                          (scores + np.take_along_axis(base, beams, axis=1)) / penalties[1])
        return self._keep(scores, beams, tokens.astype(np.int32))

    def _keep(self, scores, beams, tokens):
        """Choose among continuations and the sequences that ended before; all arguments are (N, B)."""
        rows, size = self._shape
        ended = np.where(self.alive, _IMPOSSIBLE, self._scores)
        scores = np.concatenate([scores, ended], axis=1)
        beams = np.concatenate([beams, np.broadcast_to(np.arange(size), (rows, size))], axis=1)
        tokens = np.concatenate([tokens, np.full((rows, size), -1, dtype=np.int32)], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :size]
        self._scores, beams, tokens = (np.take_along_axis(each, order, axis=1) for each in (scores, beams, tokens))
        before = np.take_along_axis(self._tokens, beams[:, :, None], axis=1)
        self._tokens = np.concatenate([before, tokens[:, :, None]], axis=2)
        self.alive = np.take_along_axis(self.alive, beams, axis=1) & (tokens != self._end) & (tokens >= 0)
        return (beams + self._first).reshape(-1)

    def stop(self, rows):
        """Leave the beams of `rows`, (N,) of bool, as they are from now on."""
        self.alive &= ~rows[:, None]

    def hypotheses(self):
        """Return what was found, a list for each row; beams that hold an excluded token are left out."""
        found = []
        for scores, tokens in zip(self._scores, self._tokens):
            kept = [beam for beam in range(len(scores)) if scores[beam] > _IMPOSSIBLE / 1e6]
            found.append([Hypothesis([int(t) for t in tokens[beam] if t >= 0 and t != self._end],
                                     float(scores[beam]), bool((tokens[beam] == self._end).any())) for beam in kept])
        return found


def _log_sum_exp(logits):
    """Return log sum exp of each row of `logits` (M, V), (M,) float64; ValueError where one is not finite."""
    largest = logits.max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        raise ValueError("the decoder's outputs are not finite; train with a lower learning rate or clip_norm")
    return largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1).astype(np.float64))


def _largest(values, count):
    """Return the places of the `count` largest of each row of `values` (N, M), in no order.

    A partition of all values costs more than a step of a small decoder. The largest values are in the groups with the
    largest maxima, so that only these groups are looked at, value by value.
    """
    rows, size = values.shape
    groups = size // _GROUP
    if groups <= 2 * count:
        return np.argpartition(values, size - count, axis=1)[:, size - count:]
    maxima = values[:, :groups * _GROUP].reshape(rows, groups, _GROUP).max(axis=2)
    chosen = np.argpartition(maxima, groups - count, axis=1)[:, groups - count:]
    places = (chosen[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, size), (rows, size - groups * _GROUP))
    places = np.concatenate([places, rest], axis=1)
    near = np.take_along_axis(values, places, axis=1)
    best = np.argpartition(near, near.shape[1] - count, axis=1)[:, near.shape[1] - count:]
    return np.take_along_axis(places, best, axis=1)
