"""The loss graph of a frame predictor."""
from mxnet import gluon

from gluon_rnn.models import frame_loss

__all__ = ["FrameLoss", "TruncatedFrameLoss"]


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


class TruncatedFrameLoss(gluon.Block):
    """The same loss of the same pieces, its gradient cut off at every `bptt` frames (truncated BPTT).

    States run on from chunk to chunk within a piece, so that the loss is that of `FrameLoss`; their gradient does not.
    Through thousands of frames a gradient may grow beyond float32, with weight drop above all, whose kept weights are
    1 / (1 - rate) as large.

    Parameters
    ----------
    model : FramePredictor
    bptt : int, at least 1

    Inputs/Outputs
    --------------
    As of `FrameLoss`.

    References
    ----------
    Williams, Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories, section 3.
    """

    def __init__(self, model, bptt, **kwargs):
        super().__init__(**kwargs)
        self.bptt, self.chunk = bptt, _ChunkLoss(model)

    def forward(self, frames, target, valid_length):
        total, states = 0, self.chunk.model.begin_state(frames.shape[1], ctx=frames.context)
        for start in range(0, len(frames), self.bptt):
            rows = slice(start, start + self.bptt)
            length = (valid_length - start).clip(0, len(frames[rows]))
            loss, states = self.chunk(frames[rows], target[rows], length, [state.detach() for state in states])
            total = total + loss
        return total


class _ChunkLoss(gluon.HybridBlock):
    """Frames, target (T, N, K), valid_length (N,) and states -> summed loss (1,) and new states."""

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, frames, target, valid_length, states):
        logits, states = self.model(frames, states, valid_length)
        return F.sum(frame_loss(F, logits, target, valid_length)), states
