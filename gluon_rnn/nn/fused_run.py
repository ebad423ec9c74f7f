"""One layer of a fused network in a graph: MXNet's operator, and what directions and lengths ask for around it.

The operator can run both directions by itself, but it knows no lengths, so that the backward one would begin with the
padding; and on a CPU it brings the weights of both into another order and joins them at each call, which takes about as
long as to turn a sequence around. So it runs once for each direction, backwards on the sequence turned around.
"""
from gluon_rnn.nn import flat, lengths
from gluon_rnn.nn.joined import join

__all__ = ["FusedRun"]


class FusedRun:
    """What the layers of one call share; ``outputs, states = run(inputs, vectors, begin)`` for each of them.

    Parameters
    ----------
    F : mx.nd or mx.sym
    mode : {"rnn_tanh", "rnn_relu", "lstm", "gru"}
    hidden_size : int
    valid_length : (N,) or None
    wanted : bool
        Whether the states are; if not, they are None.
    """

    def __init__(self, F, mode, hidden_size, valid_length, wanted):
        self._F, self._mode, self._hidden_size = F, mode, hidden_size
        self._length, self._wanted, self._places = valid_length, wanted, None

    def __call__(self, inputs, vectors, begin):
        """Run one layer.

        Parameters
        ----------
        inputs : (T, N, C)
            No NaN on padding.
        vectors : list of flat vectors, of one direction or of both
        begin : [h] or [h, c], (D, N, H) each

        Returns
        -------
        outputs : (T, N, D * H), 0 on padding
        states : [h] or [h, c], (D, N, H) each, behind each row's last step; None where not `wanted`
        """
        F = self._F
        if len(vectors) == 1:
            outputs, final = self._direction(inputs, vectors[0], begin)
        else:
            begins = zip(*(F.split(state, num_outputs=2, axis=0) for state in begin))
            (ahead, final), (back, other) = (self._direction(sequence, vector, own) for sequence, vector, own in zip(
                (inputs, self._reverse(inputs)), vectors, begins))
            outputs = join(F, ahead, self._reverse(back))
            final = [F.concat(*pair, dim=0) for pair in zip(final, other)] if self._wanted else None
        return outputs if self._length is None else lengths.mask(F, outputs, self._length), final

    def _direction(self, inputs, vector, begin):
        """Return the outputs of one direction, not masked, and the states behind each row's last step."""
        F, stops_early = self._F, self._length is not None and self._wanted
        if stops_early and self._mode == "lstm":
            padding = lengths.padding_indicator(F, inputs, self._length)
            inputs, vector = flat.hold_cell(F, inputs, vector, padding, self._hidden_size)
        outputs, *final = F.RNN(inputs, vector, *begin, state_size=self._hidden_size, num_layers=1, mode=self._mode,
                                state_outputs=True)
        if stops_early:                                                   # h moves on even where c is held
            first = F.reshape(begin[0], shape=(-3, 0))                    # (1, N, H) -> (N, H)
            final[0] = F.expand_dims(lengths.last(F, outputs, self._length, first), axis=0)
        return outputs, final

    def _reverse(self, sequence):
        if self._length is not None and self._places is None:             # the same for all layers
            self._places = lengths.reversal(self._F, sequence, self._length)
        return lengths.reverse(self._F, sequence, self._length, self._places)
