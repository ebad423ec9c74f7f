"""The loss graph of a conditional language model."""
from mxnet import gluon

from gluon_rnn.nn import functional

__all__ = ["ConditionalLoss"]


class ConditionalLoss(gluon.HybridBlock):
    """A `ConditionalLanguageModel` and its loss in one graph.

    Inputs/Outputs
    --------------
    tokens, wanted (T, N), valid_length (N,) and class numbers (N,) -> summed cross-entropy in nats, (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, tokens, wanted, valid_length, classes):
        logits, _ = self.model(tokens, self.model.states_for(classes))                                   # (T, N, V)
        losses = -F.pick(F.log_softmax(logits), wanted)
        return F.sum(functional.mask(F, losses, valid_length))
