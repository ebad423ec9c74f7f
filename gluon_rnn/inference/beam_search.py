"""Beam search with a step of a decoder in Gluon; see `gluon_rnn.answers.beam_search`."""
from gluon_rnn.answers import beam_search as search
from gluon_rnn.answers.beam_search import Hypothesis, length_penalty
from gluon_rnn.inference.live import StepNetwork

__all__ = ["Hypothesis", "beam_search", "length_penalty"]


def beam_search(step, states, begin, end, **options):
    """Return the best sequences of each row, the most probable first.

    Parameters
    ----------
    step : callable
        ``logits, states = step(token, states)`` with token (N,) and logits (N, V), such as
        `gluon_rnn.models.DecodeStep`; its `state_info`, if it has one, says where each state's batch axis is.
    states : list of NDArray
        States before the first token.
    begin : (N,) NDArray
        First input token of each row.
    end : int
        The end token.
    options
        `beam_size`, `max_length`, `alpha`, `k` and `exclude` of `gluon_rnn.answers.beam_search.beam_search`.

    Returns
    -------
    list of N lists of `Hypothesis`, at most `beam_size` in each

    Raises
    ------
    ValueError
        If an option or a token id is out of range.
    """
    return search.beam_search(StepNetwork(step), states, begin.asnumpy(), end, **options)
