"""Training graphs of a loop over time: a fixed number of steps, unrolled, one after the other with states carried.

In a loop of MXNet's, `foreach`, each step of each operator goes through the engine. In a graph without a loop, whose
shapes are known, a whole chunk of steps is handed over as one piece of work, which is several times faster, backward
too. A sequence is cut into chunks of 64, 32, ... 1 steps, so that whatever its length no more than seven graphs are
made; being causal and carrying its states, a block gives the same numbers in chunks as at once.
"""
import threading

import mxnet as mx
from mxnet import autograd

__all__ = ["ChunkGraphs", "lengths_of", "steps", "unrolled"]

LONGEST = 64
# A graph is run in pieces of at most this many operators (MXNet's default is 15): here, as one piece.
_BULK = 100000
# Numbers in all states below which overhead is what counts.
_SMALL = 2000
_tracing = threading.local()


def steps():
    """Return the number of steps of the graph that is being made in this thread; 0 when none is."""
    return getattr(_tracing, "steps", 0)


def unrolled(F, step, sequences, states, parameters):
    """Do what `foreach` does, for `steps` steps, as a graph without a loop."""
    parameters = {name: F.identity(value) for name, value in parameters.items()}
    slices = [F.split(sequence, num_outputs=steps(), axis=0, squeeze_axis=True) for sequence in sequences]
    slices = [[sequence] if steps() == 1 else sequence for sequence in slices]
    outputs = []
    for at_step in zip(*slices):
        output, states = step(F, list(at_step), states, parameters)
        outputs.append(output)
    return F.stack(*outputs, axis=0), states


def lengths_of(steps_in_all):
    """Return the lengths of the chunks that a sequence is cut into: 150 is 64, 64, 16, 4, 2.

    >>> lengths_of(150)
    [64, 64, 16, 4, 2]
    """
    chunks, length = [LONGEST] * (steps_in_all // LONGEST), LONGEST
    rest = steps_in_all % LONGEST
    while rest:
        length //= 2
        if rest >= length:
            chunks.append(length)
            rest -= length
    return chunks


class _FewNumbers:
    """mx.sym for a graph of few numbers: MXNet's own sigmoid and tanh have a fifth of the overhead of oneDNN's."""

    def __getattr__(self, name):
        return getattr(mx.sym, name)

    @staticmethod
    def Activation(data, act_type):
        """Return what F.Activation does."""
        return getattr(mx.sym, {"softrelu": "softrelu", "softsign": "softsign"}.get(act_type, act_type))(data)


class ChunkGraphs:
    """The graphs of one block, made when they are first needed: ``outputs, states = graphs(inputs, states, ...)``.

    Parameters
    ----------
    block : gluon_rnn.nn.unroll.LoopBlock
        Hybridized, its parameters initialised.
    """

    def __init__(self, block):
        self._block, self._graphs = block, {}

    def __call__(self, inputs, states, valid_length=None, *signals):
        """Run the block over all T steps; arguments as those of the block's `hybrid_forward`."""
        axis, begin, outputs = self._block.layout.index("T"), 0, []
        for length in lengths_of(inputs.shape[axis]):
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

    def _run(self, length, arguments, num_states):
        small = sum(state.size for state in arguments[1:1 + num_states]) < _SMALL
        key = length, len(arguments), small
        if key not in self._graphs:
            self._graphs[key] = self._make(length, len(arguments), num_states, small)
        graph, sources, ctx = *self._graphs[key], arguments[0].context
        return graph(*(arguments[source] if isinstance(source, int) else source.data(ctx) for source in sources))

    def _make(self, length, num_arguments, num_states, small):
        """Return the graph, and for each of its arguments the index of ours, or the parameter, that it is."""
        names = [f"chunk_argument{i}" for i in range(num_arguments)]
        inputs, *others = (mx.sym.var(name) for name in names)
        block, parameters = self._block, self._block.collect_params()
        _tracing.steps = length
        try:
            outputs, states = block.hybrid_forward(
                _FewNumbers() if small else mx.sym, inputs, others[:num_states], *others[num_states:],
                **{name: parameter.var() for name, parameter in block._reg_params.items()})
        finally:
            _tracing.steps = 0
        symbol = mx.sym.Group([outputs, *states])
        sources = [names.index(name) if name in names else parameters[name] for name in symbol.list_inputs()]
        # Parameters go in as data too: MXNet expects the gradients of what it knows as parameters in the same arrays each
        # time, and makes the graph anew where they are not, as with several chunks, whose gradients are summed.
        flags = dict(data_indices=list(range(len(sources))), param_indices=[], static_alloc=True, static_shape=True,
                     forward_bulk_size=_BULK, backward_bulk_size=_BULK)
        return mx.nd.CachedOp(symbol, [(name, str(value)) for name, value in flags.items()]), sources
