"""Loops over time around any step: one text of the equations, and the ways to run it.

In a symbol, and so in an exported graph and inside a larger hybridized block, a loop is MXNet's `foreach`, which leaves
T free. Which way a call of a block by itself takes, `gluon_rnn.nn.backend` decides: NumPy without gradients, chunks of
unrolled steps where it is hybridized, else `foreach`, operator by operator.
"""
import mxnet as mx
from mxnet.gluon.parameter import DeferredInitializationError

from gluon_rnn.nn import backend, chunks, functional, numpy_ops
from gluon_rnn.nn.contract import SequenceBlock

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
    """Loop over `inputs`; with [`valid`] (T, N, 1), states stand still where it is 0."""
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
        path = backend.loop_path(self, inputs, states)
        if path == "graph":
            return super()._fast_call(inputs, states, *others)
        try:
            return (self._in_numpy if path == "numpy" else self._chunks)(inputs, states, *others)
        except DeferredInitializationError:                               # the first call of all finds out the sizes
            return None

    def explain_backend(self, inputs, states=None):
        """Return a sentence on how a call with these arrays would run, here and now: see `gluon_rnn.nn.backend`."""
        states = states or self.begin_state(inputs.shape[self.layout.index("N")], ctx=inputs.context)
        return backend.in_words(self, backend.loop_path(self, inputs, states))

    def knows_numpy(self, inputs):
        """Return whether NumPy can take MXNet's place: on a CPU, in a dtype of both."""
        return inputs.context.device_type == "cpu" and self._dtype in ("float32", "float64")

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

    def knows_numpy(self, inputs):
        """Return whether NumPy can take MXNet's place: for cells that say what they project and step."""
        return hasattr(self.cell, "project") and super().knows_numpy(inputs)

    def state_info(self, batch_size=0):
        """Return what the cell says of its states: (N, H) each."""
        return self.cell.state_info(batch_size)

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Step through (T, N, C); past a row's length its states stand still and its outputs are 0."""
        return unroll(F, self.cell, inputs, states, valid_length)
