r"""Skip connections through time: an Elman network that reads its states of several steps before.

    h_t = f(W x_t + b + sum_d U_d h_{t-d} + r)          d in delays, such as 1 and 4

A gradient that goes back over the delay d takes a d-th of the steps, so that it fades as slowly as over a d-th of the
time. With all delays 1 to D it is the recurrent part of a NARX network whose D last outputs are fed back.

References
----------
Lin, Horne, Tino and Giles (1996), Learning long-term dependencies in NARX recurrent neural networks. El Hihi and
Bengio (1995), Hierarchical recurrent neural networks for long-term dependencies.
"""
from gluon_rnn.nn.cells import RecurrentCell, RNNCell
from gluon_rnn.nn.checks import check_activation, check_sizes
from gluon_rnn.nn.shared import extends
from gluon_rnn.nn.stacked import StackedCells
from gluon_rnn.registry import encoders

__all__ = ["Skip", "SkipCell"]


class SkipCell(RNNCell):
    """One step: (N, C) and [h_{t-1}, ..., h_{t-D}] of (N, H), D the longest delay, to h_t and [h_t, ..., h_{t-D+1}].

    Parameters
    ----------
    delays, activation
        As in `Skip`; ``h2h_weight`` is (H, n H), U_d of the n delays in their order.
    hidden_size, input_size, initializers, prefix, params
        As in `gluon_rnn.nn.RNNCell`.
    """

    infers_batch = False

    @extends(RecurrentCell, without=("recurrent_size",))
    def __init__(self, hidden_size, input_size=0, *, delays=(1, 4), activation="tanh", **options):
        check_sizes(hidden_size=hidden_size)
        check_activation(activation)
        self.delays = _checked(delays)
        self.num_states = max(self.delays)
        RecurrentCell.__init__(self, hidden_size, input_size, recurrent_size=len(self.delays) * hidden_size, **options)
        self.output_size, self._activation = hidden_size, activation

    def step(self, F, projected, states, parameters):
        """h = f(W x + b + U [h_{t-d}, ...]); the states move on by one step."""
        before = [states[delay - 1] for delay in self.delays]
        h, _ = super().step(F, projected, [F.concat(*before, dim=1) if len(before) > 1 else before[0]], parameters)
        return h, [h, *states[:-1]]


@encoders.register("skip")
class Skip(StackedCells):
    """Elman network with skip connections through time: (T, N, C) to (T, N, H).

    Parameters
    ----------
    delays : sequence of int, default (1, 4)
        How many steps back the states lie that a step reads.
    activation : {"tanh", "relu", "sigmoid", "softrelu", "softsign", "identity"}, default "tanh"
        f.
    hidden_size, num_layers, layout, dropout, input_size, initializers, dtype, backend
        As in `StackedCells`. "orthogonal", the default of ``h2h_weight_initializer``, gives [U_1, U_4, ...] orthonormal
        rows, so that a state is as large as with one delay.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states h_{t-1}, ..., h_{t-D} of (L, N, H) with the longest delay D, valid_length (N,) -> outputs
    (T, N, H), states.

    Raises
    ------
    ValueError
        If the delays are not different whole numbers of at least 1.

    Examples
    --------
    >>> layer = Skip(8, delays=(1, 3)); layer.initialize()
    >>> outputs, states = layer(mx.nd.ones((5, 2, 4)), layer.begin_state(2))
    >>> outputs.shape, len(states), states[2].shape
    ((5, 2, 8), 3, (1, 2, 8))
    """

    cell_class = SkipCell

    @extends(StackedCells, without=("zoneout_h", "zoneout_c"))
    def __init__(self, *args, delays=(1, 4), activation="tanh", **options):
        self._cell_options = {"delays": delays, "activation": activation}
        super().__init__(*args, **options)


def _checked(delays):
    """Return delays as a tuple; ValueError where they are not different whole numbers of at least 1."""
    try:
        found = tuple(delays)
        whole = all(isinstance(delay, int) and not isinstance(delay, bool) and delay >= 1 for delay in found)
    except TypeError:
        found, whole = (), False
    if not (whole and found and len(set(found)) == len(found)):
        raise ValueError(f"delays must be different whole numbers of steps of at least 1, such as [1, 4], got {delays!r}")
    return found
