"""The graph of a TDNN that is called by itself with whole sequences: what depends on their shape alone goes into it.

Which rows a layer gathers, and the zeros before and behind a sequence, take half of the operators of a small network.
A graph that leaves the shape free has to compute them at each call. Here they are made once for each shape, on the
host, and are arguments of the graph.
"""
from collections import namedtuple

import mxnet as mx
import numpy as np

__all__ = ["Place", "PlacedGraph"]

#: of one layer: rows to gather (T, N, n) or None, zeros (past, N, C) and (future, N, C) or None
Place = namedtuple("Place", "indices before after")

# Shapes whose arrays are kept; a new one takes the place of the oldest.
_SHAPES = 16


class PlacedGraph:
    """``outputs = graph(inputs, shape, ctx)``, whose shape may be another one at each call.

    Parameters
    ----------
    block : gluon_rnn.nn.TDNN
        Hybridized, its parameters initialised.
    """

    def __init__(self, block):
        self._block, self._arrays = block, {}
        self._wanted = [(layer, kind) for layer, offsets in enumerate(block.offsets) for kind, is_wanted in zip(
            Place._fields, (len(offsets) > 1, offsets[0] < 0, offsets[-1] > 0)) if is_wanted]
        self._graph, self._parameters = self._make()

    def __call__(self, inputs, shape, ctx):
        """Return the outputs for `inputs` of a `shape`, in the block's layout, on a device `ctx`."""
        arrays = self._arrays.get((shape, ctx))
        if arrays is None:
            if len(self._arrays) == _SHAPES:
                del self._arrays[next(iter(self._arrays))]
            layout = self._block.layout
            arrays = self._arrays[shape, ctx] = self._at(shape[layout.index("T")], shape[layout.index("N")], ctx)
        return self._graph(inputs, *arrays, *(parameter.data(ctx) for parameter in self._parameters))

    def _at(self, steps, rows, ctx):
        """Return the arrays of all places, in the order of the graph's arguments."""
        return [self._array(*wanted, steps, rows, ctx) for wanted in self._wanted]

    def _array(self, layer, kind, steps, rows, ctx):
        offsets = self._block.offsets[layer]
        if kind == "indices":
            numbers = np.arange(steps * rows, dtype="int32").reshape(steps, rows, 1)
            return mx.nd.array(numbers + rows * (max(-offsets[0], 0) + np.array(offsets)), ctx, "int32")
        length = -offsets[0] if kind == "before" else offsets[-1]
        return mx.nd.zeros((length, rows, self._block.size_below(layer)), ctx, self._block._dtype)

    def _make(self):
        """Return the graph, and the parameters that it takes behind inputs and places."""
        block, symbols = self._block, {wanted: mx.sym.var("{1}{0}".format(*wanted)) for wanted in self._wanted}
        names = ["inputs", *(symbol.name for symbol in symbols.values())]
        places = [Place(*(symbols.get((layer, kind)) for kind in Place._fields)) for layer in range(block.num_layers)]
        outputs, _ = block.hybrid_forward(
            mx.sym, mx.sym.var("inputs"), [], places=places,
            **{name: parameter.var() for name, parameter in block._reg_params.items()})
        parameters = list(block._reg_params.values())
        order = outputs.list_inputs()
        wanted = names + [parameter.name for parameter in parameters]
        assert sorted(order) == sorted(wanted), (order, wanted)
        # Places are the same arrays from call to call, as parameters are, and MXNet makes use of that.
        inputs = order.index(names[0])
        flags = dict(block._flags, data_indices=[inputs],
                     param_indices=[place for place in range(len(order)) if place != inputs])
        graph = mx.nd.CachedOp(outputs, [(name, str(value)) for name, value in flags.items()])
        return _reordered(graph, [wanted.index(name) for name in order]), parameters


def _reordered(graph, order):
    """Return a call of `graph` whose arguments stand in another order."""
    return lambda *arguments: graph(*(arguments[place] for place in order))
