"""Sampling of whole sequences, a batch at a time, each until its end token; see `gluon_rnn.answers.sampling`."""
from gluon_rnn.answers import sampling
from gluon_rnn.inference.live import LiveNetwork

__all__ = ["generate"]


def generate(model, states, begin, end, **options):
    """Draw one sequence for each row of the states.

    Parameters
    ----------
    model : LanguageModel
    states : list of NDArray
        States before the first token, such as those of ``ConditionalLanguageModel.states_for(classes)``.
    begin, end : int
        First input token of each row, and the token that ends a sequence.
    options
        `max_length`, `temperature`, `top_k`, `top_p`, `seed` and `exclude` of `gluon_rnn.answers.sampling.generate`.

    Returns
    -------
    list of (ids, finished) for each row: the tokens without begin and end, and whether the end token was drawn.

    Raises
    ------
    ValueError
        If an option or a token id is out of range.
    """
    rows = states[0].shape[model.state_info(0)[0]["__layout__"].index("N")]
    return sampling.generate(LiveNetwork(model, states[0].context), states, rows, begin, end, **options)
