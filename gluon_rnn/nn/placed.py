"""The graph of a TDNN that is called by itself with whole sequences: what depends on their shape alone goes into it.

Which rows a layer gathers, and the zeros before and behind a sequence, take half of the operators of a small network.
A graph that leaves the shape free has to compute them at each call. Here they are made once for each shape, on the
host, and are arguments of the graph.
"""
from collections import namedtuple

import mxnet as mx
import numpy as np

__all__ = ["Place", "PlacedGraph", "places_of"]

#: of one layer: rows to gather (T, N, n) or None, zeros (past, N, C) and (future, N, C) or None
Place = namedtuple("Place", "indices before after")

# Shapes whose arrays are kept; a new one takes the place of the oldest.
_SHAPES = 16


def places_of(block, steps, rows, make):
    """Return a `Place` for each layer of a `TDNN`, of ``make(kind, layer, shape, values)`` for each array it needs.

    `values` is an array of int32 for indices, None for zeros.
    """
    places = []
    for layer, offsets in enumerate(block.offsets):
        past, future, size = max(-offsets[0], 0), max(offsets[-1], 0), block.size_below(layer)
        indices = before = after = None
        if len(offsets) > 1:
            numbers = np.arange(steps * rows, dtype="int32").reshape(steps, rows, 1)
            indices = make("indices", layer, None, numbers + rows * (past + np.array(offsets, dtype="int32")))
        if past:
            before = make("before", layer, (past, rows, size), None)
        if future:
            after = make("after", layer, (future, rows, size), None)
        places.append(Place(indices, before, after))
    return places


class PlacedGraph:
    """``outputs = graph(inputs)``, whose shape may be another one at each call.

    Parameters
    ----------
    block : gluon_rnn.nn.TDNN
        Hybridized, its parameters initialised.
    """

    def __init__(self, block):
        self._block, self._arrays = block, {}
        self._graph, self._parameters = self._make()

    def __call__(self, inputs):
        """Return the outputs for `inputs` in the block's layout."""
        ctx, shape = inputs.context, inputs.shape
        arrays = self._arrays.get((shape, ctx))
        if arrays is None:
            if len(self._arrays) == _SHAPES:
                del self._arrays[next(iter(self._arrays))]
            layout = self._block.layout
            arrays = self._arrays[shape, ctx] = self._at(shape[layout.index("T")], shape[layout.index("N")], ctx)
        return self._graph(inputs, *arrays, *(parameter.data(ctx) for parameter in self._parameters))

    def _at(self, steps, rows, ctx):
        """Return the arrays of all places, in the order of the graph's arguments."""
        arrays = []

        def make(kind, layer, shape, values):
            array = mx.nd.zeros(shape, ctx, self._block._dtype) if values is None else mx.nd.array(values, ctx, "int32")
            arrays.append(array)
            return array

        places_of(self._block, steps, rows, make)
        return arrays

    def _make(self):
        """Return the graph, and the parameters that it takes behind inputs and places."""
        block, names = self._block, ["inputs"]

        def make(kind, layer, shape, values):
            names.append(f"{kind}{layer}")
            return mx.sym.var(names[-1])

        places = places_of(block, 1, 1, make)
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
