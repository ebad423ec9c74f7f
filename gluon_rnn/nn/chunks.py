"""Training graphs of a loop over time: a fixed number of steps, unrolled, one after the other with states carried.

In a loop of MXNet's, `foreach`, each step of each operator goes through the engine. In a graph without a loop, whose
shapes are known, a whole chunk of steps is handed over as one piece of work, which is several times faster, backward
too. A sequence is cut into chunks of 128 steps and a rest. The first few lengths of a rest get a graph each; any other
rest is cut into powers of two, so that whatever lengths come, a dozen graphs are made at most. Being causal and
carrying its states, a block gives the same numbers in chunks as at once.
"""
import contextlib
import threading

import mxnet as mx
from mxnet import autograd

from gluon_rnn.nn import backend
from gluon_rnn.nn.flat_parameters import graph_parameters, read_vectors
from gluon_rnn.nn.functional import clamp, trusted
from gluon_rnn.nn.graph_block import BUILDING

__all__ = ["ChunkGraphs", "Vectorised", "lengths_of", "steps", "unrolled",
           "unrolling"]

_tracing = threading.local()


def steps():
    """Return the number of steps of the graph that is being made in this thread; 0 when none is."""
    return getattr(_tracing, "steps", 0)


@contextlib.contextmanager
def unrolling(number, few=False):
    """Within it, loops of the graphs that this thread makes are `number` steps in a row; `few`: of few numbers."""
    before = steps(), getattr(_tracing, "few", False)
    _tracing.steps, _tracing.few = number, few
    try:
        yield
    finally:
        _tracing.steps, _tracing.few = before


def unrolled(F, step, sequences, states, parameters):
    """Do what `foreach` does, for `steps` steps, as a graph without a loop."""
    # Of all operators only this copy then sees arrays that may be others at the next call.
    parameters = {name: F.identity(value) for name, value in parameters.items()}
    in_step = FewNumbers(F) if _tracing.few else Vectorised(F)
    slices = [F.split(sequence, num_outputs=steps(), axis=0, squeeze_axis=True) for sequence in sequences]
    slices = [[sequence] if steps() == 1 else sequence for sequence in slices]
    outputs = []
    for at_step in zip(*slices):
        output, states = step(in_step, list(at_step), states, parameters)
        outputs.append(output)
    return F.stack(*outputs, axis=0), states


def lengths_of(steps_in_all, others=()):
    """Return the lengths of the chunks that a sequence is cut into.

    As many of 128 as there are; the rest as one chunk if its length is among `others`, else in powers of two.

    >>> lengths_of(300), lengths_of(300, others={44})
    ([128, 128, 32, 8, 4], [128, 128, 44])
    """
    whole, rest = divmod(steps_in_all, backend.CHUNK_STEPS)
    if rest in others:
        return [backend.CHUNK_STEPS] * whole + [rest]
    powers = [2 ** power for power in range(rest.bit_length() - 1, -1, -1)]
    return [backend.CHUNK_STEPS] * whole + [power for power in powers if rest & power]


class _Namespace:
    """mx.sym or mx.nd with other operators for some of its own."""

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        return getattr(self._namespace, name)


class Vectorised(_Namespace):
    """For steps of many numbers: oneDNN's sigmoid and tanh are up to ten times as fast for each number as MXNet's."""

    def sigmoid(self, data):
        """Return what F.sigmoid does."""
        return self._namespace.Activation(data, act_type="sigmoid")

    def tanh(self, data):
        """Return what F.tanh does."""
        return self._namespace.Activation(data, act_type="tanh")

    def split(self, data, num_outputs, axis=1, squeeze_axis=False):
        """Return what F.split does; parts of rows (N, C) are cut seven times as fast with the parts put first."""
        if axis != 1:
            return self._namespace.split(data, num_outputs=num_outputs, axis=axis, squeeze_axis=squeeze_axis)
        parts = self._namespace.reshape(data, shape=(0, num_outputs, -1))
        return self._namespace.split(self._namespace.transpose(parts, axes=(1, 0, 2)), num_outputs=num_outputs, axis=0,
                                     squeeze_axis=True)


class FewNumbers(_Namespace):
    """For steps of few numbers: a product without oneDNN, which has a quarter of the overhead."""

    def FullyConnected(self, data, weight, bias=None, *, num_hidden, no_bias=False, flatten=True):
        """Return what F.FullyConnected does, for `data` (N, C)."""
        product = self._namespace.dot(data, weight, transpose_b=True)
        return product if bias is None else self._namespace.broadcast_add(product, bias)

    def Activation(self, data, act_type):
        """Return what F.Activation does."""
        return getattr(self._namespace, act_type)(data) if act_type in ("sigmoid", "tanh", "relu") \
            else self._namespace.Activation(data, act_type=act_type)


class ChunkGraphs:
    """The graphs of one block, made when they are first needed: ``outputs, states = graphs(inputs, states, ...)``.

    Parameters
    ----------
    block : gluon_rnn.nn.unroll.LoopBlock
        Hybridized, its parameters initialised.
    """

    def __init__(self, block):
        self._block, self._graphs, self._rests = block, {}, set()

    def __call__(self, inputs, states, valid_length=None, *signals):
        """Run the block over all T steps; arguments as those of the block's `hybrid_forward`."""
        axis, begin, outputs = self._block.layout.index("T"), 0, []
        if valid_length is not None:
            with autograd.pause():                                        # differences of int8 would overflow
                valid_length = clamp(mx.nd, valid_length, inputs, axis)
        rest = inputs.shape[axis] % backend.CHUNK_STEPS
        if rest and len(self._rests) < backend.CHUNK_RESTS:
            self._rests.add(rest)
        for length in lengths_of(inputs.shape[axis], self._rests):
            sequences = [sequence.slice_axis(axis=axis, begin=begin, end=begin + length)
                         for sequence in (inputs, *signals)]
            others = []
            if valid_length is not None:
                with autograd.pause():
                    others = [(valid_length - begin).clip(0, length)]
            output, *states = self._run(length, [sequences[0], *states, *others, *sequences[1:]], len(states))
            outputs.append(output)
            begin += length
        return outputs[0] if len(outputs) == 1 else mx.nd.concat(*outputs, dim=axis), states

    def __getstate__(self):
        """Return what a copy of the block takes along: no graphs."""
        return {"_block": self._block, "_graphs": {}, "_rests": set()}

    def _run(self, length, arguments, num_states):
        few = backend.are_few(arguments[1:1 + num_states])
        key = length, len(arguments), few
        if key not in self._graphs:
            with BUILDING:
                self._graphs[key] = self._graphs.get(key) or self._make(length, len(arguments), num_states, few)
        graph, sources, ctx = *self._graphs[key], arguments[0].context
        return graph(*(arguments[source] if isinstance(source, int) else source.data(ctx) for source in sources))

    def _make(self, length, num_arguments, num_states, few):
        """Return the graph, and for each of its arguments the index of ours, or the parameter, that it is."""
        names = [f"chunk_argument{i}" for i in range(num_arguments)]
        inputs, *others = (mx.sym.var(name) for name in names)
        block, parameters = self._block, graph_parameters(self._block)
        # The lengths are clipped to a chunk's steps already.
        with unrolling(length, few), read_vectors(), trusted((others[num_states:] or [None])[0], inputs):
            outputs, states = block.hybrid_forward(
                mx.sym, inputs, others[:num_states], *others[num_states:],
                **{name: parameter.var() for name, parameter in block._reg_params.items()})
        symbol = mx.sym.Group([outputs, *states])
        sources = [names.index(name) if name in names else parameters[name] for name in symbol.list_inputs()]
        # Parameters go in as data too: MXNet expects the gradients of what it calls parameters in the same arrays each
        # time, and makes the graph anew where they are not, as with several chunks, whose gradients are summed.
        flags = dict(data_indices=list(range(len(sources))), param_indices=[], static_alloc=True, static_shape=True,
                     forward_bulk_size=backend.CHUNK_BULK, backward_bulk_size=backend.CHUNK_BULK)
        return mx.nd.CachedOp(symbol, [(name, str(value)) for name, value in flags.items()]), sources
