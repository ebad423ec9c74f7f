"""What models share whose memory is that of the encoder in them."""
from gluon_rnn.nn.contract import SequenceBlock

__all__ = ["AroundEncoder"]


class AroundEncoder(SequenceBlock):
    """A sequence block whose states are those of its `encoder`, a sequence block too.

    Inputs/Outputs
    --------------
    inputs (T, N) or (T, N, C), states as the encoder's, valid_length (N,) -> what a subclass makes of the encoder's
    outputs (T, N, H), states.
    """

    def begin_state(self, batch_size=0, **kwargs):
        """Return the encoder's states before the first step."""
        return self.encoder.begin_state(batch_size, **kwargs)

    def accepts_empty_states(self, with_lengths):
        """Return what the encoder says; see `SequenceBlock`."""
        return self.encoder.accepts_empty_states(with_lengths)

    def state_info(self, batch_size=0):
        """Return the shapes and layouts of the encoder's states."""
        return self.encoder.state_info(batch_size)
