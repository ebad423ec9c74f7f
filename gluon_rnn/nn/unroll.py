"""Loops over time around any step: the equations are written once and run in several ways.

In a symbol, and so in an exported graph and inside a larger hybridized block, a loop is MXNet's `foreach`, which leaves
T free. Which way a call of a block by itself takes, `gluon_rnn.nn.backend` decides: NumPy without gradients, chunks of
unrolled steps where it is hybridized, else `foreach`, operator by operator.
"""
import mxnet as mx
from mxnet.gluon.parameter import DeferredInitializationError

from gluon_rnn.nn import backend, chunks, functional, numpy_ops
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.gluon_cells import as_hybrid, check_cell, sizes
from gluon_rnn.nn.interchange import is_interchange_form

__all__ = ["LoopBlock", "Unrolled", "loop", "single_step", "unroll"]


def loop(F, step, sequences, states, parameters):
    """Run ``output, states = step(F, slices, states, parameters)`` over time: return outputs (T, ...), last states.

    Parameters
    ----------
    step : callable
        Uses its F and Python's operators on arrays, but none of their methods. Gets a list of slices and of states.
    sequences : list of (T, ...) arrays
    states : list of arrays
    parameters : dict of arrays
    """
    if F is numpy_ops.F:
        return numpy_ops.run_loop(step, sequences, states, parameters)
    if chunks.steps():
        return chunks.unrolled(F, step, sequences, states, parameters)
    vectorised = F if is_interchange_form(F) else chunks.Vectorised(F)
    return F.contrib.foreach(lambda slices, before: step(vectorised, slices, before, parameters), sequences, states)


def unroll(F, cell, inputs, states, valid_length=None):
    """Run `cell` over `inputs` (T, N, C): return outputs (T, N, H) and the states of each row's last valid step.

    A cell with `project` and `step` (every `gluon_rnn.nn.cells.RecurrentCell`) has the product with its inputs taken
    for all T at once, outside the loop; any other is called at each step. Past a row's length its states do not change
    and its outputs are 0.
    """
    if valid_length is None:
        return _run(F, cell, inputs, states)
    inputs = functional.mask(F, inputs, valid_length)                        # first of all, so that NaN stays out
    valid = 1 - functional.padding_mask(F, inputs, valid_length)        # (T, N, 1)
    outputs, states = _run(F, cell, inputs, states, [valid])
    return functional.mask(F, outputs, valid_length), states


def single_step(F, cell, inputs, states):
    """Run `cell` over one step (1, N, C) without a loop: return outputs (1, N, H) and the states."""
    inputs = F.reshape(inputs, shape=(-3, 0))                             # (N, C)
    sequences, step, parameters = _parts(F, cell, inputs, states)
    output, states = step(F, sequences, states, parameters)
    return F.expand_dims(output, axis=0), states


def _run(F, cell, inputs, states, valid=()):
    """Loop over `inputs`; with [`valid`] (T, N, 1), states do not change where it is 0."""
    sequences, step, parameters = _parts(F, cell, inputs, states)
    step = _held(step) if valid else step
    if parameters is None:                                                # no cell of this package
        return F.contrib.foreach(lambda slices, before: step(F, slices, before, None), [*sequences, *valid], states)
    return loop(F, step, [*sequences, *valid], states, parameters)


def _parts(F, cell, inputs, states):
    """Return the sequences that a loop goes through, its step, and the parameters that the step reads."""
    if not hasattr(cell, "project"):
        if hasattr(cell, "reset"):                                        # Gluon's count their steps
            cell.reset()
        return [inputs], lambda F, slices, before, _: cell(slices[0], before), None
    parameters = cell.prepare(F, cell.values(inputs), states)
    return cell.project(F, inputs, parameters), cell.step, parameters


def _held(step):
    """Return `step` with one slice more, 1 for each row whose states are updated, else 0."""
    def held_step(F, slices, before, parameters):
        *slices, valid = slices
        output, after = step(F, slices, before, parameters)
        return output, [F.where(F.broadcast_like(valid, new), new, old) for new, old in zip(after, before)]

    return held_step


class LoopBlock(SequenceBlock):
    """A sequence block on `loop`, or on `gluon_rnn.nn.feedback`; a call runs in the fastest of the ways that fit it."""

    loops = True
    #: states S of the fused operator that replaces the loop; 0 where there is none
    fused_size = 0
    _views = None

    def __init__(self, *, layout="TNC", dtype="float32", backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        self._chunks = chunks.ChunkGraphs(self)

    def _fast_call(self, inputs, states, *others):
        """Run in NumPy or in chunks; otherwise, or where hooks are registered, as every block does."""
        if (not isinstance(inputs, mx.nd.NDArray) or self._callback or self._forward_hooks or self._forward_pre_hooks):
            return super()._fast_call(inputs, states, *others)
        path = self.loop_path(inputs, states)
        if path == "graph":
            return super()._fast_call(inputs, states, *others)
        try:
            results = (self._in_numpy if path == "numpy" else self._chunks)(inputs, states, *others)
        except DeferredInitializationError:                               # the first call of all finds out the sizes
            return None
        if not self._has_run:                                             # later calls are checked without the lock
            self._has_run = True
        return results

    def explain_backend(self, inputs, states=None):
        """Return a sentence on how a call with these arrays would run, here and now: see `gluon_rnn.nn.backend`."""
        states = states or self.begin_state(inputs.shape[self.layout.index("N")], ctx=inputs.context)
        return backend.in_words(self, self.loop_path(inputs, states))

    def loop_path(self, inputs, states):
        """Return how a call with these arrays runs, here and now: "numpy", "chunks" or "graph"."""
        return backend.loop_path(self, inputs, states)

    def knows_numpy(self, inputs):
        """Return whether NumPy can take MXNet's place: on a CPU, in a dtype of both."""
        return inputs.context.device_type == "cpu" and self._dtype in ("float32", "float64")

    def _in_numpy(self, inputs, states, *others):
        self._views = self._views or numpy_ops.Views(self._reg_params.values())
        parameters = dict(zip(self._reg_params, self._views(inputs.context)))
        ctx = inputs.context
        with ctx:                                                         # cells inside read the copies of this device
            outputs, states = self.hybrid_forward(numpy_ops.F, inputs.asnumpy(), [state.asnumpy() for state in states],
                                                  *(other.asnumpy() for other in others), **parameters)
        return numpy_ops.from_numpy(outputs, ctx), [numpy_ops.from_numpy(state.copy(), ctx) for state in states]

    def export(self, path, epoch=0, **kwargs):
        """Write the graph that leaves T free, as every block does after a call; here it may not have been made yet."""
        if self._active and not self._cached_graph:
            states = self.begin_state(1)
            self._build_cache(states[0], states)                          # only their number matters
        return super().export(path, epoch, **kwargs)

    def _clear_cached_op(self):
        self._chunks = chunks.ChunkGraphs(self)
        super()._clear_cached_op()


class Unrolled(LoopBlock):
    """Run a one-step cell over a sequence: (T, N, C) to (T, N, H). For networks that the fused operator lacks.

    Parameters
    ----------
    cell : HybridBlock or mxnet.gluon.rnn.RecurrentCell
        ``output, states = cell(x, states)`` with x (N, C) and states (N, ...), and a `state_info`: a cell of this
        package or of `mxnet.gluon.rnn`, a `SequentialRNNCell` of several included.
    layout : {"TNC", "NTC"}, default "TNC"
    hidden_size, output_size : int, optional
        Units and number of output features, for a cell that does not say; default those of the cell.
    dtype : str, default "float32"
        The cell is cast to it.
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states as the cell's, valid_length (N,) -> outputs (T, N, H), states.

    Raises
    ------
    ValueError
        If the sizes of the cell are not known, or it keeps anything on itself between two steps, as Gluon's
        `ZoneoutCell` keeps its last output.

    Examples
    --------
    >>> cell = mx.gluon.rnn.SequentialRNNCell()
    >>> cell.add(mx.gluon.rnn.LSTMCell(8)); cell.add(mx.gluon.rnn.ResidualCell(mx.gluon.rnn.GRUCell(8)))
    >>> block = Unrolled(cell); block.initialize()
    >>> outputs, states = block(mx.nd.ones((5, 3, 4)), block.begin_state(3), mx.nd.array([5, 2, 1]))
    >>> outputs.shape, [state.shape for state in states]
    ((5, 3, 8), [(3, 8), (3, 8), (3, 8)])
    """

    checks_features = True

    def __init__(self, cell, layout="TNC", *, hidden_size=None, output_size=None, dtype="float32", backend=None,
                 prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_cell(cell)
        self.cell = as_hybrid(cell)
        self.hidden_size, self.output_size = _known_sizes(cell, hidden_size, output_size)
        self.cast(self._dtype)

    @property
    def input_size(self):
        """Number of input features C; 0 while it is not known."""
        return getattr(self.cell, "input_size", 0)

    def set_input_size(self, input_size):
        """Fix the number of input features of a cell of this package; Gluon's find it out at the first call."""
        if hasattr(self.cell, "set_input_size"):
            self.cell.set_input_size(input_size)

    def loop_path(self, inputs, states):
        """Return how a call runs: one graph for cells that do not say what they project and step."""
        return super().loop_path(inputs, states) if hasattr(self.cell, "project") else "graph"

    def state_info(self, batch_size=0):
        """Return what the cell says of its states: (N, H) each."""
        return self.cell.state_info(batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Step through (T, N, C); past a row's length its states do not change and its outputs are 0."""
        return unroll(F, self.cell, inputs, states, valid_length)

    def __repr__(self):
        return f"{type(self).__name__}({self.cell}, {self.layout})"


def _known_sizes(cell, hidden_size, output_size):
    """Return both sizes, as given or as `cell` says; ValueError where neither does."""
    of_cell = sizes(cell)
    hidden_size = of_cell[0] if hidden_size is None else hidden_size
    output_size = of_cell[1] if output_size is None else output_size
    for name, value in (("hidden_size", hidden_size), ("output_size", output_size)):
        if value is None:
            raise ValueError(f"{type(cell).__name__} does not say its {name}; give it: Unrolled(cell, {name}=...)")
    check_sizes(hidden_size=hidden_size, output_size=output_size)
    return hidden_size, output_size
