"""Sequence blocks one behind the other, as one block: layers of unequal sizes or of several kinds."""
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_rates
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.shared import of_child

__all__ = ["Chain"]


class Chain(SequenceBlock):
    """Run `blocks` one behind the other: (T, N, C) to (T, N, H) of the last one.

    Layers of one kind and size are better one stack, ``LSTM(64, num_layers=2)``.

    Parameters
    ----------
    blocks : list of SequenceBlock
        At least one, layout "TNC", of one dtype.
    layout : {"TNC", "NTC"}, default "TNC"
    dropout : float in [0, 1), default 0
        Rate on the outputs of every block but the last, drawn anew at each step.
    drop_h : float in [0, 1), default 0
        As `dropout`, with one mask for all steps (Gal and Ghahramani 2016).
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [those of the first block ..., those of the last block ...], valid_length (N,) ->
    outputs (T, N, H), states. Outputs past `valid_length` are 0.

    Raises
    ------
    ValueError
        If there is no block, one is not time-major, or dtypes or sizes of neighbours differ.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import GRU, LSTM
    >>> block = Chain([LSTM(8, bidirectional=True), GRU(4)]); block.initialize()
    >>> block(mx.nd.ones((5, 3, 2))).shape
    (5, 3, 4)
    """

    checks_features = True

    def __init__(self, blocks, layout="TNC", *, dropout=0.0, drop_h=0.0, backend=None, prefix=None, params=None):
        blocks = list(blocks)
        if not blocks:
            raise ValueError("a chain needs at least one block, got none")
        super().__init__(layout=layout, dtype=blocks[0]._dtype, backend=backend, prefix=prefix, params=params)
        check_rates(dropout=dropout, drop_h=drop_h)
        self._dropout, self._drop_h = dropout, drop_h
        for block in blocks:
            if block.layout != "TNC":
                raise ValueError(f"a block of a chain must have layout 'TNC', got {block}")
            if block._dtype != self._dtype:
                raise ValueError(f"all blocks of a chain must have one dtype, got {self._dtype} and {block._dtype}")
        self._count = len(blocks)
        for index, block in enumerate(blocks):
            setattr(self, f"l{index}", block)
        self.causal = all(block.causal for block in blocks)
        self._join_sizes()

    input_size = of_child("l0", "input_size", "Number of input features C; 0 while it is not known.")

    @property
    def blocks(self):
        """The blocks, as a list."""
        return [getattr(self, f"l{index}") for index in range(self._count)]

    @property
    def loops(self):
        """Whether a block runs in a loop."""
        return any(block.loops for block in self.blocks)

    @property
    def hidden_size(self):
        """Units H of the last block."""
        return self.blocks[-1].hidden_size

    @property
    def output_size(self):
        """Number of output features: those of the last block."""
        return self.blocks[-1].output_size

    def set_input_size(self, input_size):
        """Fix the number of input features of the first block; ValueError if it is another one already."""
        self.l0.set_input_size(input_size)
        self._join_sizes()

    def _join_sizes(self):
        """Tell each block what the one before it gives; that of a `DelayLine` is open while its inputs are."""
        for before, after in zip(self.blocks, self.blocks[1:]):
            if before.output_size:
                after.set_input_size(before.output_size)

    def state_info(self, batch_size=0):
        """Return the states of the first block, then those of the second, and so on."""
        return [info for block in self.blocks for info in block.state_info(batch_size)]

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run the blocks over (T, N, C), dropout between them."""
        outputs, finals, lengths = inputs, [], () if valid_length is None else (valid_length,)
        for index, block in enumerate(self.blocks):
            if index:
                outputs = functional.drop_between(F, outputs, self._dropout, self._drop_h)
            count = len(block.state_info())
            begin, states = states[:count], states[count:]
            outputs, final = block(outputs, begin, *lengths)
            finals.extend(final)
        return outputs, finals

    def __repr__(self):
        return f"{type(self).__name__}([{', '.join(map(repr, self.blocks))}], {self.layout})"
