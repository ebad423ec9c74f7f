"""A loop over time around any cell, on MXNet's `foreach`: T stays free in an exported graph."""
from gluon_rnn.nn import lengths
from gluon_rnn.nn.contract import SequenceBlock

__all__ = ["Unrolled", "single_step", "unroll"]


def unroll(F, cell, inputs, states, valid_length=None):
    """Run `cell` over `inputs` (T, N, C): return outputs (T, N, H) and the states of each row's last valid step.

    A cell with `project` and `step` (every `gluon_rnn.nn.cells.RecurrentCell`) has the product with its inputs taken
    for all T at once, outside the loop; any other is called at each step. Past a row's length its states stand still
    and its outputs are 0.
    """
    if valid_length is None:
        sequences, one_step = _parts(F, cell, inputs)
        return F.contrib.foreach(one_step, sequences, states)
    inputs = lengths.mask(F, inputs, valid_length)                        # first of all, so that NaN stays out
    valid = 1 - lengths.padding_indicator(F, inputs, valid_length)        # (T, N, 1)
    sequences, one_step = _parts(F, cell, inputs)

    def held_step(slices, before):
        output, after = one_step(slices[:-1], before)
        kept = [F.where(F.broadcast_like(slices[-1], new), new, old) for new, old in zip(after, before)]
        return output, kept

    outputs, states = F.contrib.foreach(held_step, [*sequences, valid], states)
    return lengths.mask(F, outputs, valid_length), states


def single_step(F, cell, inputs, states):
    """Run `cell` over one step (1, N, C) without a loop: return outputs (1, N, H) and the states."""
    sequences, one_step = _parts(F, cell, F.reshape(inputs, shape=(-3, 0)))
    output, states = one_step(sequences, states)
    return F.expand_dims(output, axis=0), states


def _parts(F, cell, inputs):
    """Return the sequences that a loop goes through, and its body."""
    if not hasattr(cell, "project"):
        return [inputs], lambda slices, states: cell(slices[0], states)
    parameters = cell.prepare(F, cell.values(inputs))
    return (cell.project(F, inputs, parameters),
            lambda slices, states: cell.step(F, slices, states, parameters))


class Unrolled(SequenceBlock):
    """Run a one-step cell over a sequence: (T, N, C) to (T, N, H). For networks that the fused operator lacks.

    Parameters
    ----------
    cell : HybridBlock
        ``output, states = cell(x, states)`` with x (N, C) and states (N, ...), and a `state_info`.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    """

    loops = True

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.hidden_size = cell.hidden_size
        self.output_size = getattr(cell, "output_size", cell.hidden_size)

    def state_info(self, batch_size=0):
        """Return what the cell says of its states: (N, H) each."""
        return self.cell.state_info(batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Step through (T, N, C); past a row's length its states stand still and its outputs are 0."""
        return unroll(F, self.cell, inputs, states, valid_length)
