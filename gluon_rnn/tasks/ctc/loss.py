"""The loss graph of a recogniser of label strings."""
from mxnet import gluon

from gluon_rnn.nn.ctc import CTCLoss

__all__ = ["LabelStringLoss"]


class LabelStringLoss(gluon.HybridBlock):
    """A `CTCModel` and its loss in one graph.

    Inputs/Outputs
    --------------
    inputs (T, N, C), valid_length (N,), labels (N, L), label_length (N,) -> summed -log p(labels) in nats, shape (1,)
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model, self.loss = model, CTCLoss()

    def hybrid_forward(self, F, inputs, valid_length, labels, label_length):
        logits = self.model(inputs, None, valid_length)                    # (T, N, K + 1)
        return F.sum(self.loss(logits, labels, valid_length, label_length))
