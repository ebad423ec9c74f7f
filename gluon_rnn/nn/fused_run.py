"""One layer of a fused network in a graph: the operator once a direction, and what lengths ask for around it.

MXNet's operator can run both directions by itself. On a CPU it then brings the weights of each into another order and
joins them, at every call, which takes longer than turning a sequence around; and it knows no lengths, so that its
backward direction would begin with the padding.
"""
from gluon_rnn.nn import flat, lengths
from gluon_rnn.nn.joined import join

__all__ = ["FusedRun"]


class FusedRun:
    """What the layers of one call share; ``outputs, states = run(inputs, vectors, begins)`` for each of them.

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

    def __call__(self, inputs, vectors, begins):
        """Run one layer.

        Parameters
        ----------
        inputs : (T, N, C)
            No NaN on padding.
        vectors : list of flat vectors, of one direction or of both
        begins : list of states, (1, N, H) each, for each direction

        Returns
        -------
        outputs : (T, N, D * H), 0 on padding
        states : list of [h] or [h, c], (1, N, H) each, behind each row's last step; None where not `wanted`
        """
        outputs, final = self._direction(inputs, vectors[0], begins[0])
        finals = [final]
        if len(vectors) == 2:
            backwards, final = self._direction(self._reverse(inputs), vectors[1], begins[1])
            outputs = join(self._F, outputs, self._reverse(backwards))
            finals.append(final)
        return outputs if self._length is None else lengths.mask(self._F, outputs, self._length), finals

    def _direction(self, inputs, vector, begin):
        F, ends_early = self._F, self._length is not None
        if ends_early and self._wanted and self._mode == "lstm":
            padding = lengths.padding_indicator(F, inputs, self._length)
            inputs, vector = flat.hold_cell(F, inputs, vector, padding, self._hidden_size)
        outputs, *final = F.RNN(inputs, vector, *begin, state_size=self._hidden_size, num_layers=1, mode=self._mode,
                                state_outputs=True)
        if not self._wanted:
            return outputs, None
        if ends_early:                                                    # h moves on even where c is held
            first = F.reshape(begin[0], shape=(-3, 0))                    # (1, N, H) -> (N, H)
            final[0] = F.expand_dims(lengths.last(F, outputs, self._length, first), axis=0)
        return outputs, final

    def _reverse(self, sequence):
        if self._length is not None and self._places is None:             # the same for all layers
            self._places = lengths.reversal(self._F, sequence, self._length)
        return lengths.reverse(self._F, sequence, self._length, self._places)
