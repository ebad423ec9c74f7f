r"""Skip connections through time: an Elman network that reads its states of several steps before.

    h_t = f(W x_t + b + sum_d U_d h_{t-d} + r)          d in delays, such as 1 and 4

A gradient that goes back over the delay d takes a d-th of the steps, so that it fades as slowly as over a d-th of the
time. With all delays 1 to D it is a NARX network without hidden layers whose last D outputs are fed back. As such it
runs without a loop where it is small enough: `gluon_rnn.nn.feedback`.

References
----------
Lin, Horne, Tino and Giles (1996), Learning long-term dependencies in NARX recurrent neural networks. El Hihi and
Bengio (1995), Hierarchical recurrent neural networks for long-term dependencies.
"""
import functools

from gluon_rnn.nn import functional
from gluon_rnn.nn.cells import RecurrentCell, RNNCell
from gluon_rnn.nn.checks import check_activation, check_sizes
from gluon_rnn.nn.delay import last_values
from gluon_rnn.nn.feedback import FeedbackNetwork, can_fuse, must_loop
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
        before = _joined(F, [states[delay - 1] for delay in self.delays])
        h, _ = super().step(F, projected, [before], parameters)
        return h, [h, *states[:-1]]

    def network(self, dtype):
        """Return the `FeedbackNetwork` that feeds h back over all delays to the longest; None where there is none."""
        sizes, activations = (self.hidden_size,), (self._activation,)
        if not can_fuse(sizes, activations, self.num_states * self.hidden_size, dtype):
            return None
        return FeedbackNetwork(self.input_size, sizes, activations, self.hidden_size, self.num_states, dtype)

    def as_feedback(self, F, parameters, dtype):
        """Return `parameters` by the names of `FeedbackNetwork.run`: h is its output, and zeros read other delays."""
        blocks = {delay: F.slice_axis(parameters["h2h_weight"], axis=1, begin=place * self.hidden_size,
                                      end=(place + 1) * self.hidden_size) for place, delay in enumerate(self.delays)}
        size = self.hidden_size
        zeros = F.zeros((size, size), dtype=dtype)
        parts = [blocks.get(delay, zeros) for delay in range(1, self.num_states + 1)]
        return {"layers": [(parameters["i2h_weight"], parameters["i2h_bias"])], "skip": None, "skip_feedback": None,
                "feedback": _joined(F, parts), "output": F.eye(size, dtype=dtype),
                "output_bias": F.zeros((size,), dtype=dtype)}


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
    >>> import mxnet as mx
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

    def cast(self, dtype):
        """Cast parameters and default states to `dtype`."""
        super().cast(dtype)
        self._fused = self.l0.network(self._dtype) is not None            # the same for all layers

    @property
    def loops(self):
        """Whether it runs in a loop: False where each layer is one fused operator, `gluon_rnn.nn.feedback`."""
        return not self._fused

    @property
    def fused_size(self):
        """States of the fused operator of a layer; 0 where it runs in a loop."""
        return self.l0.network(self._dtype).state_size if self._fused else 0

    def forward_sequence(self, F, inputs, states, valid_length, **options):
        """Run the stack: (T, N, C) and states (L, N, H) to (T, N, H) and the last states."""
        if self.loops or must_loop(F):
            return super().forward_sequence(F, inputs, states, valid_length, **options)
        return self._through_layers(F, inputs, states, functools.partial(self._run_fused, F, valid_length=valid_length))

    def _run_fused(self, F, cell, inputs, states, valid_length):
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        parameters = cell.prepare(F, cell.values(inputs), states)
        weights = cell.as_feedback(F, parameters, self._dtype)
        outputs, _ = cell.network(self._dtype).run(F, inputs, _joined(F, states), weights)
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        before = [F.expand_dims(state, axis=0) for state in reversed(states)]
        last = last_values(F, F.concat(*before, outputs, dim=0), len(states), valid_length)      # (D, N, H), old to new
        return outputs, [F.reshape(F.slice_axis(last, axis=0, begin=place, end=place + 1), shape=(-3, 0))
                         for place in range(len(states) - 1, -1, -1)]


def _joined(F, parts):
    return F.concat(*parts, dim=1) if len(parts) > 1 else parts[0]


def _checked(delays):
    """Return delays as a tuple; ValueError where they are not different whole numbers of at least 1."""
    try:
        found = tuple(delays)
        whole = all(isinstance(delay, int) and not isinstance(delay, bool) and delay >= 1 for delay in found)
    except TypeError:
        found, whole = (), False
    if not (whole and found and len(set(found)) == len(found)):
        raise ValueError("delays must be different whole numbers of steps of at least 1, such as [1, 4], got "
                         f"{delays!r}")
    return found
