"""What models share whose memory is that of the encoder in them."""
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.shared import of_child

__all__ = ["AroundEncoder"]


class AroundEncoder(SequenceBlock):
    """A sequence block whose states are those of its `encoder`, a sequence block too.

    Inputs/Outputs
    --------------
    inputs (T, N) or (T, N, C), states as the encoder's, valid_length (N,) -> what a subclass makes of the encoder's
    outputs (T, N, H), states.
    """

    loops = of_child("encoder", "loops", "Whether the encoder runs in a loop.")

    def begin_state(self, batch_size=0, func=None, ctx=None, dtype=None, **kwargs):
        """Return the encoder's states before the first step; see `SequenceBlock`."""
        return self.encoder.begin_state(batch_size, func, ctx, dtype, **kwargs)

    def accepts_empty_states(self, with_lengths):
        """Return what the encoder says; see `SequenceBlock`."""
        return self.encoder.accepts_empty_states(with_lengths)

    def state_info(self, batch_size=0):
        """Return the shapes and layouts of the encoder's states."""
        return self.encoder.state_info(batch_size)
