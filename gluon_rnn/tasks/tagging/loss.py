"""The loss graph of a tagger."""
from mxnet import gluon

from gluon_rnn.nn import functional

__all__ = ["TaggingLoss", "tagging_loss"]


def tagging_loss(F, model, scores, tags, valid_length):
    """Return the negative log-likelihood of `tags` (T, N), summed over all rows, in nats.

    With the model's CRF it is that of whole label sequences, else the cross-entropy of each word's tag.
    """
    if model.crf is not None:
        return F.sum(model.crf(scores, tags, valid_length))
    tags = functional.mask(F, tags, valid_length)
    return -F.sum(functional.mask(F, F.pick(F.log_softmax(scores), tags), valid_length))


class TaggingLoss(gluon.HybridBlock):
    """A tagger and its loss in one graph.

    Inputs/Outputs
    --------------
    words (T, N), valid_length (N,), tags (T, N) and, for a model that spells, what its call takes
    -> summed negative log-likelihood in nats, shape (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, words, valid_length, tags, *spelling):
        return tagging_loss(F, self.model, self.model(words, None, valid_length, *spelling), tags, valid_length)
