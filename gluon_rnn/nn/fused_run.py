"""One layer of a fused network in a graph: MXNet's operator, and what lengths ask for around it.

The operator knows no lengths: its backward direction would begin with the padding. With lengths it therefore runs once
for each direction, backwards on sequences turned around; without them, once for both. A graph to translate has lengths
as the operator's own input (`gluon_rnn.nn.interchange`).
"""
from gluon_rnn.nn import flat, functional
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.interchange import is_interchange_form

__all__ = ["FusedRun", "operator_mode"]


def operator_mode(mode):
    """Return the mode of the operator that computes a `mode`: tanh for sigmoid, see `gluon_rnn.nn.sigmoid_network`."""
    return "rnn_tanh" if mode == "rnn_sigmoid" else mode


class FusedRun:
    """What the layers of one call share; ``outputs, states = run(inputs, vector, layout, begin)`` for each of them.

    Parameters
    ----------
    F : mx.nd or mx.sym
    mode : {"rnn_tanh", "rnn_relu", "lstm", "gru"}
    hidden_size : int
    valid_length : (N,) or None
    wanted : bool
        Whether the states are; if not, they may be None.
    adds : bool
        Whether the operator's backward pass adds up gradients where it is asked to: oneDNN's does, for float32.
    """

    def __init__(self, F, mode, hidden_size, valid_length, wanted, *, adds):
        self._F, self._mode, self._hidden_size, self._adds = F, mode, hidden_size, adds
        self._length, self._wanted, self._places = valid_length, wanted, None

    def __call__(self, inputs, vector, layout, begin):
        """Run one layer.

        Parameters
        ----------
        inputs : (T, N, C)
            No NaN on padding.
        vector : (P,)
        layout : FlatLayout
            Of `vector`.
        begin : [h] or [h, c], (D, N, H) each
            (1, N, H) with lengths where states are not `wanted`.

        Returns
        -------
        outputs : (T, N, D * H)
            On padding any finite number.
        states : [h] or [h, c], (D, N, H) each, behind each row's last step
        """
        both = len(layout.directions) == 2
        if self._length is None or is_interchange_form(self._F):
            return self._operator(inputs, vector, begin, bidirectional=both)
        if both:
            return self._both_directions(inputs, flat.split_directions(self._F, vector, layout), begin)
        return self._until_length(inputs, vector, begin)

    def _both_directions(self, inputs, vectors, begin):
        F = self._F
        if self._places is None:                                          # the same for all layers
            self._places = functional.reversal_indices(F, inputs, self._length)
        # A beginning that nobody has given is the same for both.
        begins = zip(*(F.split(state, num_outputs=2, axis=0) for state in begin)) if self._wanted else (begin, begin)
        (ahead, final), (back, other) = (self._until_length(sequence, vector, own) for sequence, vector, own in zip(
            (inputs, functional.reverse(F, inputs, self._places)), vectors, begins))
        final = [F.concat(*pair, dim=0) for pair in zip(final, other)] if self._wanted else None
        return concat(F, ahead, functional.reverse(F, back, self._places)), final

    def _until_length(self, inputs, vector, begin):
        """Return the outputs of one direction, and the states behind each row's last step."""
        F = self._F
        if self._wanted and self._mode == "lstm":
            padding = functional.padding_mask(F, inputs, self._length)
            inputs, vector = flat.hold_cell(F, inputs, vector, padding, self._hidden_size)
        outputs, final = self._operator(inputs, vector, begin)
        if self._wanted:                                                  # h moves on even where c is held
            first = F.reshape(begin[0], shape=(-3, 0))                    # (1, N, H) -> (N, H)
            final[0] = F.expand_dims(functional.last_valid(F, outputs, self._length, first), axis=0)
        return outputs, final

    def _operator(self, inputs, vector, begin, bidirectional=False):
        if not self._adds and not is_interchange_form(self._F):
            # MXNet's own pass refuses to add (grad_req="add"), or leaves wrong gradients of the vector in a loop around
            # the layer. That of a copy is written, and adding it up is the copy's affair.
            inputs, vector, *begin = map(self._F.identity, (inputs, vector, *begin))
        lengths = {}
        if self._length is not None and is_interchange_form(self._F):
            lengths = {"sequence_length": self._length, "use_sequence_length": True}
        outputs, *final = self._F.RNN(inputs, vector, *begin, state_size=self._hidden_size, num_layers=1,
                                      mode=operator_mode(self._mode), bidirectional=bidirectional, state_outputs=True,
                                      **lengths)
        return outputs, final
