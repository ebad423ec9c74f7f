"""A loop over time around any cell, on MXNet's `foreach`: T stays free in an exported graph."""
from gluon_rnn.nn import lengths
from gluon_rnn.nn.contract import SequenceBlock

__all__ = ["Unrolled"]


class Unrolled(SequenceBlock):
    """Run a one-step cell over a sequence: (T, N, C) to (T, N, H). For networks that the fused operator lacks.

    Parameters
    ----------
    cell : HybridBlock
        ``output, states = cell(x, states)`` with x (N, C) and states (N, ...), and a `state_info`.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    """

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.hidden_size = self.output_size = cell.hidden_size

    def state_info(self, batch_size=0):
        """Return what the cell says of its states: (N, H) each."""
        return self.cell.state_info(batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Step through (T, N, C); past a row's length its states stand still and its outputs are 0."""
        if valid_length is None:
            return F.contrib.foreach(self.cell, inputs, states)
        inputs = lengths.mask(F, inputs, valid_length)
        valid = 1 - lengths.padding_indicator(F, inputs, valid_length)    # (T, N, 1)

        def step(slices, before):
            x, is_valid = slices
            output, after = self.cell(x, before)
            kept = [F.where(F.broadcast_like(is_valid, new), new, old) for new, old in zip(after, before)]
            return output, kept

        outputs, states = F.contrib.foreach(step, [inputs, valid], states)
        return lengths.mask(F, outputs, valid_length), states
