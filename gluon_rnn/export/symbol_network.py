"""Graphs of a bundle that MXNet runs, without the classes that made them."""
import mxnet as mx

from gluon_rnn.export.network import GraphNetwork
from gluon_rnn.export.symbol_shapes import load_symbol

__all__ = ["SymbolNetwork", "variables"]


class SymbolNetwork(GraphNetwork):
    """A graph in MXNet's files; see `GraphNetwork`. NDArrays are taken too, and then NDArrays come back.

    Parameters
    ----------
    graph : dict
        Of a manifest; its files are ``*-symbol.json`` and ``*-0000.params``.
    directory : Path
    ctx : mxnet.Context
    """

    def __init__(self, graph, directory, ctx):
        super().__init__(graph)
        parameters = directory / graph["files"][1]
        self.ctx, names = ctx, variables(graph)
        # What SymbolBlock.imports does, with the inputs' types known from the start: it would warn that it guesses.
        self._block = mx.gluon.SymbolBlock(load_symbol(graph, directory), list(names.values()))
        self._block.collect_params().load(str(parameters), ctx, cast_dtype=True, dtype_source="saved")
        self._order = list(names)

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        if not isinstance(inputs, mx.nd.NDArray):
            return super().__call__(inputs, states, valid_length, *signals)
        arrays = (None if array is None else _as_numpy(array) for array in (inputs, valid_length, *signals))
        inputs, valid_length, *signals = arrays
        states = None if states is None else [_as_numpy(state) for state in states]
        outputs, states = super().__call__(inputs, states, valid_length, *signals)
        return self._as_ndarrays(outputs), self._as_ndarrays(states)

    def run(self, feed):
        """Run the graph; see the base class."""
        results = self._block(*(mx.nd.array(feed[name], self.ctx, dtype=feed[name].dtype) for name in self._order))
        return [result.asnumpy() for result in (results if isinstance(results, (list, tuple)) else [results])]

    def _as_ndarrays(self, values):
        if isinstance(values, (list, tuple)):
            return type(values)(self._as_ndarrays(value) for value in values)
        return None if values is None else mx.nd.array(values, self.ctx, dtype=values.dtype)


def variables(graph):
    """Return {name: variable} of all that a graph takes: inputs, lengths, states."""
    return {entry["name"]: mx.sym.var(entry["name"], dtype=entry["dtype"])
            for entry in (*graph["inputs"], *graph["lengths"], *graph["states"])}


def _as_numpy(array):
    return array.asnumpy() if isinstance(array, mx.nd.NDArray) else array
