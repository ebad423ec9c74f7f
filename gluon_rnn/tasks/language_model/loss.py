"""The loss graph of a language model."""
from mxnet import gluon

__all__ = ["LanguageModelLoss"]


class LanguageModelLoss(gluon.HybridBlock):
    """A language model and its loss in one graph.

    Parameters
    ----------
    model : LanguageModel
    exact : bool, default False
        The model's cross-entropy, as an evaluation wants it, where its output layer trains on samples.

    Inputs/Outputs
    --------------
    tokens, target (T, N), what the output layer's `arrays` gave for the target, and states -> summed loss in nats,
    shape (1,), and new states.
    """

    def __init__(self, model, exact=False, **kwargs):
        super().__init__(**kwargs)
        self.model, self._exact = model, exact

    def hybrid_forward(self, F, tokens, target, *others):
        *arrays, states = others
        return self.model.loss(tokens, target, states, *arrays, exact=self._exact)
