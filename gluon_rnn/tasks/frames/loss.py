"""The loss graph of a frame predictor."""
from mxnet import gluon

from gluon_rnn.models import frame_loss

__all__ = ["FrameLoss"]


class FrameLoss(gluon.HybridBlock):
    """A frame predictor and its loss in one graph.

    Inputs/Outputs
    --------------
    frames, target (T, N, K), valid_length (N,) -> summed negative log-likelihood of the frames in nats, shape (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, frames, target, valid_length):
        logits = self.model(frames, None, valid_length)                   # (T, N, K)
        return F.sum(frame_loss(F, logits, target, valid_length))
