"""Sampling of text from a language model, token by token; see `gluon_rnn.answers.sampling`."""
from gluon_rnn.answers import sampling
from gluon_rnn.answers.sampling import check_ids, filter_logits
from gluon_rnn.inference.live import LiveNetwork

__all__ = ["check_ids", "filter_logits", "sample"]


def sample(model, vocab, prefix_ids, length, *, ctx=None, **options):
    """Return an iterator over `length` token ids that continue a prefix; each is yielded as soon as it is drawn.

    Parameters
    ----------
    model : LanguageModel
    vocab : gluonnlp.Vocab
        Of the V tokens.
    prefix_ids : sequence of int
        First inputs of the model; not returned. If empty, the model starts after the end of a line (the `eos_token` of
        the vocabulary, or a newline character); if the vocabulary has neither, the first token is drawn uniformly.
    length : int, >= 0
        Tokens to draw.
    ctx : mx.Context, optional
        Device; default that of the model's parameters.
    options
        `temperature`, `top_k`, `top_p`, `seed` and `exclude` of `gluon_rnn.answers.sampling.sample`.

    Raises
    ------
    ValueError
        If an option or a prefix id is out of range; raised by the call, not at the first token.

    Examples
    --------
    >>> from gluon_rnn.models import LanguageModel
    >>> from gluon_rnn.nn import GRU
    >>> import gluonnlp
    >>> vocab = gluonnlp.Vocab({"a": 1, "b": 1}, unknown_token=None, padding_token=None, bos_token=None, eos_token=None)
    >>> model = LanguageModel(2, GRU(4)); model.initialize()
    >>> text = "".join(vocab.idx_to_token[token] for token in sample(model, vocab, [0], 5, seed=1))
    >>> len(text)
    5
    """
    return sampling.sample(LiveNetwork(model, ctx), vocab, prefix_ids, length, **options)
