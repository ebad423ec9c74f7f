"""The loss graph of a language model."""
from mxnet import gluon

__all__ = ["LanguageModelLoss"]


class LanguageModelLoss(gluon.HybridBlock):
    """A language model and its loss in one graph.

    Inputs/Outputs
    --------------
    tokens, target (T, N) and states -> summed cross-entropy in nats, shape (1,), and new states.
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, tokens, target, states):
        logits, states = self.model(tokens, states)                    # (T, N, V)
        return -F.sum(F.pick(F.log_softmax(logits), target)), states
