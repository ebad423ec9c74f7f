"""An encoder with a condition, a vector for the whole sequence, in addition to its inputs."""
from gluon_rnn.nn.checks import check_flags, check_sizes
from gluon_rnn.nn.contract import SequenceBlock, check_encoder
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.shared import of_child

__all__ = ["Conditioned"]


class Conditioned(SequenceBlock):
    """Any encoder with one more state, a condition v that never changes: (T, N, C) to (T, N, H).

    Parameters
    ----------
    encoder : SequenceBlock
        Layout "TNC".
    condition_size : int
        Length of v.
    concat_to_inputs : bool, default True
        Whether the encoder reads [x_t; v] at each step; False leaves v to code that makes first states from it.
    layout : {"TNC", "NTC"}, default "TNC"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    As for `encoder`, with v (N, condition_size) as the last of the states.

    Notes
    -----
    As a state the condition needs no argument of its own in chunks, streaming and export.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import GRU
    >>> block = Conditioned(GRU(8), 2); block.set_input_size(3); block.initialize()
    >>> outputs, (h, v) = block(mx.nd.ones((5, 4, 3)), block.begin_state(4))
    >>> outputs.shape, h.shape, v.shape
    ((5, 4, 8), (1, 4, 8), (4, 2))
    """

    checks_features = True

    def __init__(self, encoder, condition_size, *, concat_to_inputs=True, layout="TNC", backend=None, prefix=None,
                 params=None):
        check_encoder(type(self).__name__, encoder)
        super().__init__(layout=layout, dtype=encoder._dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(condition_size=condition_size)
        check_flags(concat_to_inputs=concat_to_inputs)
        self.encoder, self.condition_size = encoder, condition_size
        self._extra_inputs = condition_size if concat_to_inputs else 0
        self.causal = encoder.causal

    hidden_size = of_child("encoder", "hidden_size", "Units H of a layer of the encoder.")
    output_size = of_child("encoder", "output_size", "Number of output features.")
    loops = of_child("encoder", "loops", "Whether the encoder runs in a loop.")

    @property
    def input_size(self):
        """Number of input features C, those of the condition not counted; 0 while it is not known."""
        return max(0, self.encoder.input_size - self._extra_inputs)

    def set_input_size(self, input_size):
        """Fix the number of input features, the condition's not counted; ValueError if it is another one."""
        self.encoder.set_input_size(input_size + self._extra_inputs)

    def state_info(self, batch_size=0):
        """Return the encoder's states and the condition (N, condition_size)."""
        return [*self.encoder.state_info(batch_size),
                {"shape": (batch_size, self.condition_size), "__layout__": "NC"}]

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run the encoder, the condition concatenated to each input; its state is returned as it was given."""
        *states, condition = states
        if self._extra_inputs:
            steps = F.slice_axis(inputs, axis=2, begin=0, end=1)                                           # (T, N, 1)
            each = F.broadcast_like(F.expand_dims(condition, axis=0), steps, lhs_axes=(0,), rhs_axes=(0,))
            inputs = concat(F, inputs, each)
        outputs, states = self.encoder(inputs, states, *([] if valid_length is None else [valid_length]))
        return outputs, [*states, condition]
