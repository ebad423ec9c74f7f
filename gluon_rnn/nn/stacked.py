r"""Stacks of cells on a loop over time, as encoders: the networks that the fused operator cannot express.

The equations are in `gluon_rnn.nn.extended_cells`. Constructor, states and names are those of the fused layers, so
that ``encoder: {name: peephole_lstm, hidden_size: 32}`` in a recipe is enough to try another one.
"""
import functools
from typing import Any

import mxnet as mx

from gluon_rnn.nn import extended_cells as cells
from gluon_rnn.nn.cells import GRUCell, LSTMCell
from gluon_rnn.nn.checks import check_rates, check_sizes
from gluon_rnn.nn.shared import extends, of_child
from gluon_rnn.nn.unroll import LoopBlock, single_step, unroll
from gluon_rnn.registry import encoders

__all__ = ["LoopedLayer", "StackedCells", "PeepholeLSTM", "ProjectedLSTM", "ResetBeforeGRU", "LayerNormLSTM",
           "ZoneoutLSTM", "ZoneoutGRU"]


class LoopedLayer(LoopBlock):
    """What all networks on a loop share: the size of inputs (T, N, C), which the first cell, `l0`, knows."""

    checks_features = True
    hidden_size = of_child("l0", "hidden_size", "Units H of a layer.")
    output_size = of_child("l0", "output_size", "Number of output features: H, or what a projection leaves of it.")
    input_size = of_child("l0", "input_size", "Number of input features C; 0 while it is not known.")

    def set_input_size(self, input_size):
        """Fix the number of input features of a layer made with ``input_size=0``; ValueError if it is another one."""
        self.l0.set_input_size(input_size)

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size or None} -> {self.output_size}, {self.layout})"


class StackedCells(LoopedLayer):
    """A stack of cells ``l0``, ``l1``, ... of one kind, each run over the whole sequence: (T, N, C) to (T, N, H).

    Parameters
    ----------
    hidden_size : int
        H, units a layer.
    num_layers : int, default 1
        L.
    layout : {"TNC", "NTC"}, default "TNC"
    dropout : float in [0, 1), default 0
        Rate on the outputs of every layer but the last, drawn anew at each step.
    input_size : int, default 0
        C; 0 takes it from the first input.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        Applied gate by gate. Default: what ``initialize(init)`` is given; where that is nothing, or
        `gluon_rnn.nn.OwnDefaults`, "xavier" and "orthogonal".
    i2h_bias_initializer, h2h_bias_initializer : str or Initializer, default "zeros"
        For an LSTM i2h_bias_initializer defaults to "lstmbias", `mxnet.init.LSTMBias`: a forget bias of 1.
    zoneout_h, zoneout_c : float in [0, 1), default 0
        Probability that a unit of the first (second) state keeps its old value: `extended_cells.ZoneoutCell`.
    dtype : {"float32", "float64"}, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states (L, N, H) each, valid_length (N,) -> outputs (T, N, H), states.

    Notes
    -----
    The product of a layer with its inputs is one matrix product for all T; in the loop remains what depends on the
    step before.
    """

    #: the cell that is stacked
    cell_class = None
    #: constructor arguments of that cell alone
    _cell_options = {}

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0.0, input_size=0, *,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer: Any = "zeros",
                 h2h_bias_initializer="zeros", zoneout_h=0.0, zoneout_c=0.0, dtype="float32", backend=None,
                 prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(hidden_size=hidden_size, num_layers=num_layers)
        check_rates(dropout=dropout, zoneout_h=zoneout_h, zoneout_c=zoneout_c)
        self.num_layers, self._dropout = num_layers, dropout
        options = dict(self._cell_options, i2h_weight_initializer=i2h_weight_initializer,
                       h2h_weight_initializer=h2h_weight_initializer, i2h_bias_initializer=i2h_bias_initializer,
                       h2h_bias_initializer=h2h_bias_initializer)
        with self.name_scope():
            for layer in range(num_layers):
                cell = self.cell_class(hidden_size, self.output_size if layer else input_size, prefix=f"l{layer}_",
                                       **options)
                zoned = zoneout_h or zoneout_c
                setattr(self, f"l{layer}", cells.ZoneoutCell(cell, zoneout_h, zoneout_c) if zoned else cell)
        self.cast(self._dtype)

    def state_info(self, batch_size=0):
        """Return shape (L, N, H) for each state of the cells."""
        return [{"shape": (self.num_layers, *info["shape"]), "__layout__": "LNC"}
                for info in self.l0.state_info(batch_size)]

    def set_parts(self, parts):
        """Take the parameters of a fused layer, ``parts = fused.parts()``; those it lacks stay as they are."""
        for layer in range(self.num_layers):
            getattr(self, f"l{layer}").set_parts(parts, f"l{layer}")

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Run the stack: (T, N, C) and states (L, N, H) to (T, N, H) and the last states."""
        return self._through_layers(F, inputs, states, functools.partial(unroll, F, valid_length=valid_length))

    def one_step(self, F, inputs, states):
        """Compute a single step without a loop: (1, N, C) to (1, N, H) and the states."""
        return self._through_layers(F, inputs, states, functools.partial(single_step, F))

    def _through_layers(self, F, inputs, states, run):
        """Run all layers, each by ``outputs, states = run(cell, inputs, states)``."""
        outputs, finals = inputs, []
        for layer in range(self.num_layers):
            if layer and self._dropout:
                outputs = F.Dropout(outputs, p=self._dropout)
            begin = [self._of_layer(F, state, layer) for state in states]
            outputs, final = run(getattr(self, f"l{layer}"), outputs, begin)
            finals.append([_as_layer(F, state) for state in final])
        return outputs, finals[0] if len(finals) == 1 else [F.concat(*of_all, dim=0) for of_all in zip(*finals)]

    def _of_layer(self, F, state, layer):
        """Return the part (N, H) of a state (L, N, H)."""
        if self.num_layers > 1:
            state = F.slice_axis(state, axis=0, begin=layer, end=layer + 1)
        return state.reshape((-3, 0)) if isinstance(state, mx.nd.NDArray) else F.reshape(state, shape=(-3, 0))


def _as_layer(F, state):
    """Return a state (N, H) as (1, N, H)."""
    # An array's own reshape is a view. Any operator wakes threads, whose active waiting slows a loop in NumPy.
    return state.reshape((-4, 1, -1, 0)) if isinstance(state, mx.nd.NDArray) else F.expand_dims(state, axis=0)


@encoders.register("peephole_lstm")
class PeepholeLSTM(StackedCells):
    """LSTM with peepholes: `extended_cells.PeepholeLSTMCell`; (T, N, C) to (T, N, H).

    Parameters
    ----------
    peephole_initializer : str or Initializer, default "zeros"
        At zero the network starts as a plain LSTM.
    hidden_size, num_layers, layout, dropout, input_size, initializers, zoneout_h, zoneout_c, dtype, backend
        As in `StackedCells`.

    Examples
    --------
    >>> layer = PeepholeLSTM(8, num_layers=2); layer.initialize()
    >>> outputs, (h, c) = layer(mx.nd.ones((5, 3, 4)), layer.begin_state(3))
    >>> outputs.shape, h.shape
    ((5, 3, 8), (2, 3, 8))
    """

    cell_class = cells.PeepholeLSTMCell

    @extends(StackedCells, i2h_bias_initializer="lstmbias")
    def __init__(self, *args, peephole_initializer="zeros", **options):
        self._cell_options = {"peephole_initializer": peephole_initializer}
        super().__init__(*args, **options)


@encoders.register("projected_lstm")
class ProjectedLSTM(StackedCells):
    """LSTM with recurrent projection: `extended_cells.ProjectedLSTMCell`; (T, N, C) to (T, N, P), trains on CPU too.

    Parameters
    ----------
    projection_size : int, optional
        P; default half of H. The states are r (L, N, P) and c (L, N, H).
    h2r_weight_initializer : str or Initializer, optional
        Default as for the others, "xavier".
    hidden_size, num_layers, layout, dropout, input_size, initializers, zoneout_h, zoneout_c, dtype, backend
        As in `StackedCells`.
    """

    cell_class = cells.ProjectedLSTMCell

    @extends(StackedCells, i2h_bias_initializer="lstmbias")
    def __init__(self, *args, projection_size=None, h2r_weight_initializer=None, **options):
        self._cell_options = {"projection_size": projection_size, "h2r_weight_initializer": h2r_weight_initializer}
        super().__init__(*args, **options)


@encoders.register("reset_before_gru")
class ResetBeforeGRU(StackedCells):
    """GRU with the reset gate before the product: `extended_cells.ResetBeforeGRUCell`; (T, N, C) to (T, N, H)."""

    cell_class = cells.ResetBeforeGRUCell


@encoders.register("layer_norm_lstm")
class LayerNormLSTM(StackedCells):
    """Layer-normalised LSTM: `extended_cells.LayerNormLSTMCell`; (T, N, C) to (T, N, H).

    Parameters
    ----------
    gain_initializer : str or Initializer, default "ones"
    epsilon : float, default 1e-5
        Added to the variance.
    hidden_size, num_layers, layout, dropout, input_size, initializers, zoneout_h, zoneout_c, dtype, backend
        As in `StackedCells`.
    """

    cell_class = cells.LayerNormLSTMCell

    @extends(StackedCells, i2h_bias_initializer="lstmbias")
    def __init__(self, *args, gain_initializer="ones", epsilon=1e-5, **options):
        self._cell_options = {"gain_initializer": gain_initializer, "epsilon": epsilon}
        super().__init__(*args, **options)


@encoders.register("zoneout_lstm")
class ZoneoutLSTM(StackedCells):
    """LSTM with zoneout at the rates of Krueger et al. (2017); (T, N, C) to (T, N, H).

    Parameters
    ----------
    zoneout_h, zoneout_c : float in [0, 1), default 0.05, 0.5
    hidden_size, num_layers, layout, dropout, input_size, initializers, dtype, backend
        As in `StackedCells`.
    """

    cell_class = LSTMCell

    @extends(StackedCells, i2h_bias_initializer="lstmbias", zoneout_h=0.05, zoneout_c=0.5)
    def __init__(self, *args, **options):
        super().__init__(*args, **options)


@encoders.register("zoneout_gru")
class ZoneoutGRU(StackedCells):
    """GRU with zoneout; (T, N, C) to (T, N, H).

    Parameters
    ----------
    zoneout_h : float in [0, 1), default 0.05
    hidden_size, num_layers, layout, dropout, input_size, initializers, dtype, backend
        As in `StackedCells`.
    """

    cell_class = GRUCell

    @extends(StackedCells, without=("zoneout_c",), zoneout_h=0.05)
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
