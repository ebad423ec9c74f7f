r"""Beam search: an approximate search for the most probable sequences of a decoder; a beam of 1 is greedy search.

`BeamSearchSampler` of gluonnlp does the search. This module adds checks and excluded tokens. A sequence of L tokens
after the begin token, the end token counted, has the score

    log p(y_1 ... y_L) / lp(L),    lp(L) = ((K + L) / (K + 1)) ** alpha

Without normalisation (alpha = 0) the search prefers short sequences, since each further token lowers the probability.

References
----------
Wu et al. (2016), Google's neural machine translation system, equation 14, with K = 5; alpha about 0.6 there.
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.2: the search itself.
"""
import dataclasses

import mxnet as mx
import numpy as np
from gluonnlp.model.sequence_sampler import BeamSearchSampler, BeamSearchScorer

from gluon_rnn.inference.sampling import check_ids
from gluon_rnn.nn.checks import check_sizes

__all__ = ["Hypothesis", "beam_search", "length_penalty"]


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


class _AllowedTokens:
    """The step that the sampler calls: logits become log-probabilities, and `exclude`d tokens get about -1e18."""

    def __init__(self, step, end, exclude):
        self._step, self._end, self._exclude, self._penalty = step, end, sorted(set(exclude)), None
        if hasattr(step, "state_info"):
            self.state_info = step.state_info

    def __call__(self, token, states):
        logits, states = self._step(token, states)
        log_probs = mx.nd.log_softmax(logits.astype("float32"))           # over all tokens, excluded ones included
        if self._penalty is None:                                         # first step
            check_ids("begin", token.asnumpy(), log_probs.shape[1])
            self._penalty = self._penalty_for(log_probs)
        return log_probs + self._penalty if self._exclude else log_probs, states

    def _penalty_for(self, log_probs):
        size = log_probs.shape[1]
        check_ids("end", [self._end], size)
        check_ids("exclude", self._exclude, size)
        penalty = np.zeros((1, size), dtype=np.float32)
        penalty[0, self._exclude] = -1e18                                 # what gluonnlp takes for -inf
        return mx.nd.array(penalty, ctx=log_probs.context)


def beam_search(step, states, begin, end, *, beam_size=5, max_length=50, alpha=1.0, k=5.0, exclude=()):
    """Return the best sequences of each row, the most probable first.

    Parameters
    ----------
    step : callable
        ``logits, states = step(token, states)`` with token (N,) and logits (N, V), such as
        `gluon_rnn.models.DecodeStep`; its `state_info`, if it has one, says where each state's batch axis is.
    states : list of arrays
        States before the first token.
    begin : (N,) int array
        First input token of each row.
    end : int
        The end token.
    beam_size : int, default 5
        Number of sequences kept at each step; 1 is greedy search.
    max_length : int, default 50
        Maximum number of tokens of a sequence, the end token counted.
    alpha : float, >= 0, default 1
        Strength of the length normalisation; 0 is none.
    k : float, >= 0, default 5
    exclude : sequence of int
        Tokens that are never generated, such as padding and the unknown token.

    Returns
    -------
    list of N lists of `Hypothesis`, at most `beam_size` in each

    Raises
    ------
    ValueError
        If an option or a token id is out of range.
    """
    check_sizes(beam_size=beam_size, max_length=max_length)
    if not (alpha >= 0 and k >= 0):                                       # NaN too
        raise ValueError(f"alpha and k of the length normalisation must be at least 0, got {alpha} and {k}")
    if end in exclude:
        raise ValueError(f"the end token {end} is among the excluded tokens; take it out of exclude")
    allowed = _AllowedTokens(step, end, exclude)
    sampler = BeamSearchSampler(beam_size, allowed, end, BeamSearchScorer(alpha, k), max_length)
    samples, scores, valid_length = (array.asnumpy() for array in sampler(begin, states))
    return [_hypotheses(*row, end, max_length) for row in zip(samples, scores, valid_length)]


def _hypotheses(samples, scores, valid_length, end, max_length):
    """Return the sequences of one row, of samples (B, L), scores (B,) and lengths (B,)."""
    found = []
    for ids, score, length in zip(samples.astype(int), scores, valid_length.astype(int)):
        if score < -1e12:                                                 # contains an excluded token
            continue
        # The sampler appends an end token to a sequence that it cuts off: begin, max_length tokens, end.
        finished = bool(length < max_length + 2)
        found.append(Hypothesis(ids[1:length - 1].tolist(), float(score), finished))
    return found
