r"""Both directions around any causal block: one network reads a sequence from its start, another from its last step.

    h_t = [forward(x_1, ..., x_t), backward(x_n, ..., x_t)]               n the length of the sequence

The fused layers have this built in (``bidirectional: true``), as one operator; here it is for all others. Initial
states may be any, learnt ones included; the last states cannot be carried into another chunk, and are refused.

References
----------
Schuster and Paliwal (1997), Bidirectional recurrent neural networks.
"""
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_rates, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.shared import of_child
from gluon_rnn.registry import encoders

__all__ = ["Bidirectional", "BidirectionalStack"]


class _LooksAhead(SequenceBlock):
    """What both classes here share: whole sequences only, one size of inputs."""

    causal = False
    checks_features = True

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout})"


class Bidirectional(_LooksAhead):
    """Two causal blocks, one for each direction: (T, N, C) to (T, N, H_f + H_b).

    Parameters
    ----------
    forward_block, backward_block : SequenceBlock
        Causal, layout "TNC", of one dtype; two blocks of their own parameters.
    layout : {"TNC", "NTC"}, default "TNC"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [those of the forward block ..., those of the backward block ...], valid_length (N,) ->
    outputs (T, N, H_f + H_b), forward first, states. The backward block begins at each row's last valid step; its
    states are those after the first step of the sequence. Outputs past `valid_length` are 0.

    Raises
    ------
    ValueError
        If a block looks ahead itself, is not time-major, or the dtypes or sizes of input differ; if states are those
        that this block returned.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import PeepholeLSTM
    >>> block = Bidirectional(PeepholeLSTM(8), PeepholeLSTM(8)); block.initialize()
    >>> block(mx.nd.ones((5, 3, 4))).shape
    (5, 3, 16)
    """

    def __init__(self, forward_block, backward_block, layout="TNC", *, backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=forward_block._dtype, backend=backend, prefix=prefix, params=params)
        for block in (forward_block, backward_block):
            if not block.causal or block.layout != "TNC":
                raise ValueError(f"a direction must be a causal block of layout 'TNC', got {block}")
        if backward_block._dtype != forward_block._dtype:
            raise ValueError(f"both directions must have one dtype, got {forward_block._dtype} and "
                             f"{backward_block._dtype}")
        self.forward_block, self.backward_block = forward_block, backward_block
        if self.input_size:
            self.set_input_size(self.input_size)

    hidden_size = of_child("forward_block", "hidden_size", "Units of the forward block.")

    @property
    def loops(self):
        """Whether a direction runs in a loop."""
        return self.forward_block.loops or self.backward_block.loops

    @property
    def output_size(self):
        """Number of output features of both directions."""
        return self.forward_block.output_size + self.backward_block.output_size

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        return self.forward_block.input_size or self.backward_block.input_size

    def set_input_size(self, input_size):
        """Fix the number of input features; ValueError if it is another one already."""
        self.forward_block.set_input_size(input_size)
        self.backward_block.set_input_size(input_size)

    def state_info(self, batch_size=0):
        """Return the states of the forward block, then those of the backward block."""
        return [*self.forward_block.state_info(batch_size), *self.backward_block.state_info(batch_size)]

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run both directions over (T, N, C)."""
        count = len(self.forward_block.state_info())
        if valid_length is None:
            ahead, finals = self.forward_block(inputs, states[:count])
            back, others = self.backward_block(F.reverse(inputs, axis=0), states[count:])
            return concat(F, ahead, F.reverse(back, axis=0)), [*finals, *others]
        inputs = functional.mask(F, inputs, valid_length)                    # first of all, so that NaN stays out
        ahead, finals = self.forward_block(inputs, states[:count], valid_length)
        places = functional.reversal_indices(F, inputs, valid_length)
        back, others = self.backward_block(functional.reverse(F, inputs, places), states[count:], valid_length)
        return concat(F, ahead, functional.reverse(F, back, places)), [*finals, *others]


@encoders.register("bidirectional")
class BidirectionalStack(_LooksAhead):
    """A stack of layers that each read in both directions, of any causal encoder: (T, N, C) to (T, N, 2 * H).

    Parameters
    ----------
    hidden_size : int
        H, units a layer and direction.
    num_layers : int, default 1
    layout : {"TNC", "NTC"}, default "TNC"
    dropout : float in [0, 1), default 0
        Rate on the outputs of every layer but the last, drawn anew at each step.
    input_size : int, default 0
        C; 0 takes it from the first input.
    cell : str, default "peephole_lstm"
        The encoder of each layer and direction, by its registered name: peephole_lstm, projected_lstm, zoneout_gru,
        jordan, tdnn, ... (rnn, lstm and gru too, though their own ``bidirectional: true`` is faster).
    cell_options : mapping, optional
        Further arguments of that encoder, such as ``{projection_size: 4}``.
    dtype : str, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`; the layers have the same backend.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states, valid_length (N,) -> outputs (T, N, 2 * H), the forward direction first, states.
    States: layer by layer those of the forward and of the backward direction. Outputs past `valid_length` are 0.

    Raises
    ------
    ValueError
        If the name or an option of the encoder is wrong, or it looks ahead by itself.
    """

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0.0, input_size=0, *, cell="peephole_lstm",
                 cell_options=None, dtype="float32", backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(hidden_size=hidden_size, num_layers=num_layers)
        check_rates(dropout=dropout)
        self.hidden_size, self.num_layers, self._dropout = hidden_size, num_layers, dropout
        options = _with_ours(cell_options, hidden_size=hidden_size, dtype=self._dtype, backend=self.backend)
        with self.name_scope():
            for layer in range(num_layers):
                size = self.output_size if layer else input_size
                pair = [encoders.build(cell, **options, input_size=size) for _ in range(2)]
                setattr(self, f"l{layer}", Bidirectional(*pair, backend=self.backend))

    output_size = of_child("l0", "output_size", "Number of output features of both directions.")
    loops = of_child("l0", "loops", "Whether the layers run in a loop.")
    input_size = of_child("l0", "input_size", "Number of input features C; 0 while it is not known.")

    def set_input_size(self, input_size):
        """Fix the number of input features of a stack made with ``input_size=0``; ValueError if it is another one."""
        self.l0.set_input_size(input_size)

    def state_info(self, batch_size=0):
        """Return the states of each layer, forward and backward direction."""
        return [info for layer in range(self.num_layers) for info in getattr(self, f"l{layer}").state_info(batch_size)]

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run the stack over (T, N, C)."""
        outputs, finals, count = inputs, [], len(self.l0.state_info())
        for layer in range(self.num_layers):
            if layer and self._dropout:
                outputs = F.Dropout(outputs, p=self._dropout)
            begin = states[layer * count:(layer + 1) * count]
            arguments = (outputs, begin) if valid_length is None else (outputs, begin, valid_length)
            outputs, final = getattr(self, f"l{layer}")(*arguments)
            finals.extend(final)
        return outputs, finals


def _with_ours(cell_options, **ours):
    """Return the options of the cells: those of the user and `ours`; ValueError for one that the stack itself takes."""
    taken = sorted({"input_size", "layout", *ours} & {*(cell_options or {})})
    if taken:
        raise ValueError(f"cell_options holds {', '.join(taken)}, which BidirectionalStack gives to its cells itself; "
                         "leave it out there")
    return {**(cell_options or {}), **ours}
