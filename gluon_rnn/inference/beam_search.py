r"""Beam search: the most probable sequences a decoder can write, found approximately; a beam of 1 is greedy search.

gluonnlp's `BeamSearchSampler` does the search; here are the names, the checks and what may not be written. A sequence
of L tokens after the begin token, the end token counted, has the score

    log p(y_1 ... y_L) / lp(L),    lp(L) = ((K + L) / (K + 1)) ** alpha

since without normalisation (alpha = 0) the shorter of two sequences has nearly always the higher probability.

References
----------
Wu et al. (2016), Google's neural machine translation system, equation 14, with K = 5; alpha about 0.6 there.
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.2: the search itself.
"""
import dataclasses

import mxnet as mx
import numpy as np
from gluonnlp.model.sequence_sampler import BeamSearchSampler, BeamSearchScorer

from gluon_rnn.nn.checks import check_sizes

__all__ = ["Hypothesis", "beam_search", "length_penalty"]


@dataclasses.dataclass
class Hypothesis:
    """One sequence that was found.

    Attributes
    ----------
    ids : list of int
        Tokens, without begin and end token.
    score : float
        log p / lp(L), in nats.
    finished : bool
        Whether the end token was written; False where `max_length` cut the sequence off.
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
    """A step whose logits become log-probabilities, the `exclude`d tokens having none; what the sampler calls."""

    def __init__(self, step, exclude):
        self._step, self._exclude, self._penalty = step, sorted(set(exclude)), None
        if hasattr(step, "state_info"):
            self.state_info = step.state_info

    def __call__(self, token, states):
        logits, states = self._step(token, states)
        log_probs = mx.nd.log_softmax(logits.astype("float32"))           # of all tokens: scores are the model's own
        if self._exclude:
            log_probs = log_probs + self._penalty_for(log_probs)
        return log_probs, states

    def _penalty_for(self, log_probs):
        if self._penalty is None:
            penalty = np.zeros((1, log_probs.shape[1]), dtype=np.float32)
            penalty[0, self._exclude] = -1e18                             # gluonnlp's own stand-in for -inf
            self._penalty = mx.nd.array(penalty, ctx=log_probs.context)
        return self._penalty


def beam_search(step, states, begin, end, *, beam_size=5, max_length=50, alpha=1.0, k=5.0, exclude=()):
    """Return the best sequences of each row, the most probable first.

    Parameters
    ----------
    step : callable
        ``logits, states = step(token, states)`` with token (N,) and logits (N, V), such as
        `gluon_rnn.models.DecodeStep`; its `state_info`, if it has one, says where each state's batch axis is.
    states : list of arrays
        The states before the first token.
    begin : (N,) int array
        What each row reads first.
    end : int
        The end token.
    beam_size : int, default 5
        Sequences kept at each step; 1 is greedy search.
    max_length : int, default 50
        Longest sequence in tokens, the end token counted.
    alpha : float, >= 0, default 1
        Strength of the length normalisation; 0 is none.
    k : float, >= 0, default 5
    exclude : sequence of int
        Tokens never written, such as padding and the unknown token.

    Returns
    -------
    list of N lists of `Hypothesis`, at most `beam_size` in each

    Raises
    ------
    ValueError
        If an option is out of range, or the beam is wider than the vocabulary of allowed tokens.
    """
    check_sizes(beam_size=beam_size, max_length=max_length)
    if alpha < 0 or k < 0:
        raise ValueError(f"alpha and k of the length normalisation must be at least 0, got {alpha} and {k}")
    if end in exclude:
        raise ValueError(f"the end token {end} is among the tokens that may not be written; take it out of exclude")
    sampler = BeamSearchSampler(beam_size, _AllowedTokens(step, exclude), end, BeamSearchScorer(alpha, k), max_length)
    samples, scores, valid_length = (array.asnumpy() for array in sampler(begin, states))
    return [_hypotheses(*row, end, max_length) for row in zip(samples, scores, valid_length)]


def _hypotheses(samples, scores, valid_length, end, max_length):
    """Return the sequences of one row, of samples (B, L), scores (B,) and lengths (B,)."""
    found = []
    for ids, score, length in zip(samples.astype(int), scores, valid_length.astype(int)):
        if score < -1e12:                                                 # a beam that only excluded tokens could fill
            continue
        # The sampler puts an end token behind a sequence that it cuts off: begin, max_length tokens, end.
        finished = bool(length < max_length + 2)
        found.append(Hypothesis(ids[1:length - 1].tolist(), float(score), finished))
    return found
