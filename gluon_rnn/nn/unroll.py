"""Loops over time around any step: one text of the equations, and the ways to run it.

- In a symbol, and so in an exported graph: MXNet's `foreach`, which leaves T free.
- On CPU without gradients: NumPy, whose operators have a fraction of MXNet's overhead (`gluon_rnn.nn.numpy_ops`).
- With gradients in a hybridized block: graphs of a fixed number of steps, unrolled (`gluon_rnn.nn.chunks`), or NumPy
  once more where a cell has a `train_in_numpy`, as an operator of MXNet's (`numpy_ops.as_operators`).
- Otherwise: `foreach` once more, operator by operator.

A block that is part of a larger hybridized block is a symbol there.
"""
import mxnet as mx
from mxnet import autograd
from mxnet.gluon.parameter import DeferredInitializationError

from gluon_rnn.nn import chunks, lengths, numpy_ops
from gluon_rnn.nn.contract import SequenceBlock

__all__ = ["LoopBlock", "Unrolled", "loop", "single_step", "unroll"]


# From so many multiplications a step on, a fused operator with its square of states is slower than a loop in NumPy.
_MUCH = 2**19
# Rows to reckon with where a graph leaves their number free.
_ROWS = 32


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
    vectorised = chunks.Vectorised(F)
    return F.contrib.foreach(lambda slices, before: step(vectorised, slices, before, parameters), sequences, states)


def unroll(F, cell, inputs, states, valid_length=None):
    """Run `cell` over `inputs` (T, N, C): return outputs (T, N, H) and the states of each row's last valid step.

    A cell with `project` and `step` (every `gluon_rnn.nn.cells.RecurrentCell`) has the product with its inputs taken
    for all T at once, outside the loop; any other is called at each step. Past a row's length its states stand still
    and its outputs are 0.
    """
    if valid_length is None:
        return _run(F, cell, inputs, states)
    inputs = lengths.mask(F, inputs, valid_length)                        # first of all, so that NaN stays out
    valid = 1 - lengths.padding_indicator(F, inputs, valid_length)        # (T, N, 1)
    outputs, states = _run(F, cell, inputs, states, [valid])
    return lengths.mask(F, outputs, valid_length), states


def single_step(F, cell, inputs, states):
    """Run `cell` over one step (1, N, C) without a loop: return outputs (1, N, H) and the states."""
    inputs = F.reshape(inputs, shape=(-3, 0))                             # (N, C)
    sequences, step, parameters = _parts(F, cell, inputs, states)
    output, states = step(F, sequences, states, parameters)
    return F.expand_dims(output, axis=0), states


def _run(F, cell, inputs, states, valid=()):
    """Loop over `inputs`; with [`valid`] (T, N, 1), states stand still where it is 0."""
    if F is numpy_ops.F and not valid and hasattr(cell, "run_in_numpy"):
        return cell.run_in_numpy(inputs, states, cell.values(inputs))
    if numpy_ops.are_operators() and hasattr(cell, "train_in_numpy") and (
            F is mx.nd or cell.is_fast_in_numpy(_ROWS)):
        return cell.train_in_numpy(F, inputs, states, cell.values(inputs), *valid)
    sequences, step, parameters = _parts(F, cell, inputs, states)
    step = _held(step) if valid else step
    if parameters is None:                                                # no cell of ours
        return F.contrib.foreach(lambda slices, before: step(F, slices, before, None), [*sequences, *valid], states)
    return loop(F, step, [*sequences, *valid], states, parameters)


def _parts(F, cell, inputs, states):
    """Return the sequences that a loop goes through, its step, and the parameters that the step reads."""
    if not hasattr(cell, "project"):
        return [inputs], lambda F, slices, before, _: cell(slices[0], before), None
    parameters = cell.prepare(F, cell.values(inputs), states)
    return cell.project(F, inputs, parameters), cell.step, parameters


def _held(step):
    """Return `step` with one slice more, which says for each row whether its states are renewed."""
    def held_step(F, slices, before, parameters):
        *slices, valid = slices
        output, after = step(F, slices, before, parameters)
        return output, [F.where(F.broadcast_like(valid, new), new, old) for new, old in zip(after, before)]

    return held_step


class LoopBlock(SequenceBlock):
    """A sequence block on `loop`, or on `gluon_rnn.nn.feedback`; a call runs in the fastest of the ways that fit it."""

    loops = True
    #: states S of the fused operator that stands for the loop; 0 where none does
    fused_size = 0
    _views = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._chunks = chunks.ChunkGraphs(self)

    def _fast_call(self, inputs, states, *others):
        """Run in NumPy or in chunks; otherwise, or where somebody listens to the call, as every block does."""
        if (not isinstance(inputs, mx.nd.NDArray) or self._callback or self._forward_hooks or self._forward_pre_hooks):
            return super()._fast_call(inputs, states, *others)
        try:
            if self._fits_numpy(inputs):
                many = self.loops and self._active and not chunks.are_few(states) and not (
                    self.is_fast_in_numpy(inputs.shape[self.layout.index("N")]) and not others)
                return (self._chunks if many else self._in_numpy)(inputs, states, *others)
            if autograd.is_recording() and self.loops:
                return self._recorded(inputs, states, *others) if self._active else None
        except DeferredInitializationError:                               # the first call of all finds out the sizes
            return None
        return super()._fast_call(inputs, states, *others)

    def is_fast_in_numpy(self, batch_size):
        """Return whether it has a loop in NumPy that is fast for many numbers too, where no lengths are given."""
        return False

    def trains_in_numpy(self):
        """Return whether that loop has gradients."""
        return False

    def _fits_numpy(self, inputs):
        """Return whether NumPy can take MXNet's place, and be the faster: no training, on CPU, a dtype of both."""
        rows = inputs.shape[self.layout.index("N")]
        return ((self.loops or rows * self.fused_size ** 2 > _MUCH) and not autograd.is_training()
                and not autograd.is_recording() and self._knows_numpy(inputs))

    def _knows_numpy(self, inputs):
        return inputs.context.device_type == "cpu" and self._dtype in ("float32", "float64")

    def _recorded(self, inputs, states, *others):
        """Run for gradients: operator by operator where one of them is the loop in NumPy, else in chunks."""
        if (others or not self.trains_in_numpy() or not self._knows_numpy(inputs)
                or not self.is_fast_in_numpy(inputs.shape[self.layout.index("N")])):
            return self._chunks(inputs, states, *others)
        parameters = {name: parameter.data(inputs.context) for name, parameter in self._reg_params.items()}
        with numpy_ops.as_operators():
            return self.hybrid_forward(mx.nd, inputs, states, **parameters)

    def _in_numpy(self, inputs, states, *others):
        self._views = self._views or numpy_ops.Views(self._reg_params.values())
        parameters = dict(zip(self._reg_params, self._views(inputs.context)))
        outputs, states = self.hybrid_forward(numpy_ops.F, inputs.asnumpy(), [state.asnumpy() for state in states],
                                              *(other.asnumpy() for other in others), **parameters)
        return numpy_ops.from_numpy(outputs), [numpy_ops.from_numpy(state.copy()) for state in states]

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
    cell : HybridBlock
        ``output, states = cell(x, states)`` with x (N, C) and states (N, ...), and a `state_info`.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    """

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell
        self.hidden_size = cell.hidden_size
        self.output_size = getattr(cell, "output_size", cell.hidden_size)

    def _fits_numpy(self, inputs):
        return hasattr(self.cell, "project") and super()._fits_numpy(inputs)

    def state_info(self, batch_size=0):
        """Return what the cell says of its states: (N, H) each."""
        return self.cell.state_info(batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Step through (T, N, C); past a row's length its states stand still and its outputs are 0."""
        return unroll(F, self.cell, inputs, states, valid_length)
