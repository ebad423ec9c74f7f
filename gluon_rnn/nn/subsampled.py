r"""A TDNN that is evaluated at every k-th step only, sub-sampled as Peddinti et al. (2015), section 2.2, have it.

Written with the k phases of a sequence, x^s_q = x_{qk+s}, an output at step t = qk + r needs of the layer below

    h_{t+d}(l-1) = h^s_{q+j}(l-1),    s = (r + d) mod k,    j = floor((r + d) / k)

so that the phases needed of each layer follow from those of the layer above it, and that of the last layer is 0. What
is in no such phase is not computed. With contexts that are multiples of k, as in the upper layers of the paper's
networks, one phase of k is left.
"""
from gluon_rnn.nn import lengths
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.delay import last_values, require_input_size, time_zeros
from gluon_rnn.nn.joined import join
from gluon_rnn.nn.tdnn import TDNN, apply_activation, begun

__all__ = ["SubsampledTDNN"]


class SubsampledTDNN(TDNN):
    """The outputs of a `TDNN` at steps 0, k, 2k, ...: (T, N, C) to (ceil(T / k), N, H).

    Parameters
    ----------
    hidden_size : int or list of int
    subsampling : int, at least 1
        k.
    num_layers, contexts, activation, dropout, input_size, dilation, initializers, layout, dtype
        As in `TDNN`, whose parameters it has: ``SubsampledTDNN(..., prefix=tdnn.prefix, params=tdnn.params)`` shares
        those of a network that runs at the full rate.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states, valid_length (N,) -> outputs (ceil(T / k), N, H), states.
    The contract of `SequenceBlock` at two rates: inputs and `valid_length` count steps, outputs count every k-th of
    them. A row of length n has ceil(n / k) outputs (`output_lengths`), and 0 behind them. It is no encoder of the
    registry, since models there count on one output a step.

    States: for each layer and each phase of its input that reaches back, the last values of that phase, oldest first.
    A causal network streams in chunks whose numbers of steps are multiples of k (the last chunk and the last steps of a
    row excepted): states carried behind any other chunk are those of another phase. One that looks ahead refuses
    carried states, as `TDNN` does.

    References
    ----------
    Peddinti, Povey and Khudanpur (2015), A time delay neural network architecture for efficient modeling of long
    temporal contexts, section 2.2.

    Example
    -------
    >>> network = SubsampledTDNN(8, subsampling=3, contexts=[[-2, 2], {-3, 3}]); network.initialize()
    >>> network(mx.nd.ones((10, 4, 5))).shape, network.computed_phases
    ((4, 4, 8), [(0, 1, 2), (0,), (0,)])
    """

    takes_places = False

    def __init__(self, hidden_size, subsampling, num_layers=None, contexts=None, **kwargs):
        check_sizes(subsampling=subsampling)
        super().__init__(hidden_size, num_layers, contexts, **kwargs)
        self.subsampling = subsampling
        self.computed_phases = _phases(self.offsets, subsampling)
        self._reach = [_reach(offsets, above, subsampling)
                       for offsets, above in zip(self.offsets, self.computed_phases[1:])]

    def output_lengths(self, F, valid_length):
        """Return the number of outputs of rows of `valid_length` (N,) steps."""
        return self._phase_lengths(F, valid_length, 0)

    def begins_alone(self, with_lengths):
        """Return False: the phases' states are always arguments."""
        return False

    def state_info(self, batch_size=0):
        """Return (past values, N, C or H) for each phase that reaches back, layer by layer; see the class."""
        require_input_size(self)
        shapes = [(past, batch_size, size) for reach, size in zip(self._reach, [self.input_size, *self.hidden_sizes])
                  for past, _ in reach.values() if past]
        if not self.causal:
            shapes.append((1, batch_size, 1))
        return [{"shape": shape, "__layout__": "TNC"} for shape in shapes]

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Run the stack on the phases that are needed: (T, N, C) to (ceil(T / k), N, H)."""
        if valid_length is None and not self.causal:                      # f(b) behind the end must not leak back
            valid_length = F.sum(F.ones_like(F.slice_axis(inputs, axis=2, begin=0, end=1)), axis=(0, 2))
        if valid_length is not None:
            inputs = lengths.mask(F, inputs, valid_length)
        phases, begins, finals = self._split(F, inputs), iter(states), []
        for layer, offsets in enumerate(self.offsets):
            if layer and self._dropout:
                phases = {phase: F.Dropout(values, p=self._dropout) for phase, values in phases.items()}
            extended = {}
            for phase, (past, future) in self._reach[layer].items():
                extended[phase], final = self._extend(F, phases[phase], phase, past, future, begins, valid_length)
                finals.extend(final)
            phases = self._run_layer(F, layer, offsets, extended, valid_length, parameters)
        return phases[0], finals if self.causal else [*finals, begun(F, states[-1], valid_length)]

    def _split(self, F, inputs):
        """Return {phase: (ceil(T / k), N, C)} of `inputs` (T, N, C), zeros where a phase ends before the first does."""
        k = self.subsampling
        if k == 1:
            return {0: inputs}
        padded = join(F, inputs, time_zeros(F, inputs, k - 1), dim=0)
        shortest = F.slice(padded, begin=(k - 1,), end=(None,), step=(k,))
        return {phase: F.slice_like(F.slice(padded, begin=(phase,), end=(None,), step=(k,)), shortest, axes=(0,))
                for phase in self.computed_phases[0]}

    def _extend(self, F, values, phase, past, future, begins, valid_length):
        """Return a phase with what comes before and after it, and its last values in a list where it reaches back."""
        finals = []
        if past:
            values = join(F, next(begins), values, dim=0)
            finals.append(last_values(F, values, past, self._phase_lengths(F, valid_length, phase)))
        if future:
            values = join(F, values, time_zeros(F, values, future), dim=0)
        return values, finals

    def _run_layer(self, F, layer, offsets, extended, valid_length, parameters):
        """Return {phase: (Q, N, H)} of the outputs of a layer, all phases in one product."""
        wanted, k, reach = self.computed_phases[layer + 1], self.subsampling, self._reach[layer]
        windows = []
        for phase in wanted:
            parts = [_shifted(F, extended[(phase + offset) % k], (phase + offset) // k, *reach[(phase + offset) % k])
                     for offset in offsets]
            windows.append(parts[0] if len(parts) == 1 else join(F, *parts))              # (Q, N, n * C)
        window = windows[0] if len(windows) == 1 else join(F, *windows, dim=1)            # (Q, R * N, n * C)
        outputs = F.FullyConnected(window, parameters[f"l{layer}_weight"], parameters[f"l{layer}_bias"],
                                   num_hidden=self.hidden_sizes[layer], flatten=False)
        outputs = apply_activation(F, outputs, self._activation)
        apart = [outputs] if len(wanted) == 1 else F.split(outputs, num_outputs=len(wanted), axis=1)
        if valid_length is not None:
            apart = [lengths.mask(F, values, self._phase_lengths(F, valid_length, phase))
                     for phase, values in zip(wanted, apart)]
        return dict(zip(wanted, apart))

    def _phase_lengths(self, F, valid_length, phase):
        """Return how many steps of a phase lie within each row's length: ceil((n - s) / k)."""
        if valid_length is None:
            return None
        return F.floor((valid_length + (self.subsampling - 1 - phase)) / self.subsampling)


def _shifted(F, values, steps, past, future):
    """Return the Q values `steps` after the present one of a phase (past + Q + future, N, C)."""
    return F.slice_axis(values, axis=0, begin=past + steps, end=(steps - future) or None)


def _phases(offsets, k):
    """Return the phases needed of the inputs and of each layer, in this order."""
    needed = [(0,)]
    for layer in reversed(offsets):
        needed.insert(0, tuple(sorted({(phase + offset) % k for phase in needed[0] for offset in layer})))
    return needed


def _reach(offsets, above, k):
    """Return {phase: (steps back, steps ahead)} that a layer reads of its input, for its own phases `above`."""
    reach = {}
    for total in (phase + offset for phase in above for offset in offsets):
        past, future = reach.get(total % k, (0, 0))
        reach[total % k] = (max(past, -(total // k)), max(future, total // k))
    return dict(sorted(reach.items()))
