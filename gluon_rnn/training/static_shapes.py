"""A loss graph with a plan of its own for each shape of batch that comes often.

MXNet plans a graph with ``static_shape`` once: its memory, its operators, and what these keep from forward to backward
stay. That is the faster way to run it, but a batch of another shape throws the plan away, and batches of sequences have
a few shapes that come again and again. Here each of those has a plan that stays (docs/performance.md has what it is
worth).
"""
import json
from collections import Counter

import mxnet as mx

__all__ = ["StaticShapes"]

# What runs wrong (loops, see `SequenceBlock.hybridize`) or was never tried (operators in Python) with static_shape.
_NOT_STATIC = {"_foreach", "_while_loop", "_cond", "Custom"}
# A plan takes as much memory as a forward and backward pass, and a tenth of a second: a shape has to come so many
# times, and once in so many batches. The shapes of short sequences do, and that of a language model; where lengths are
# spread wider, steps are longer and gain nothing.
_TIMES, _ONCE_IN = 8, 10
# Batches of ever new shapes are counted no further than this many shapes; then counts and plans begin anew.
_COUNTED = 4096


class StaticShapes:
    """Callable that runs a hybridized graph, on a plan of its own for shapes of arguments that come often.

    Any other shape, and any graph with a loop or without static memory, runs as the graph does by itself. What is
    computed is the same to the last bit.

    Parameters
    ----------
    graph : HybridBlock
        Its arguments are arrays and lists of arrays. For plans it is hybridized with ``static_alloc=True``.
    """

    def __init__(self, graph):
        self._graph, self._is_static = graph, None
        self._plans, self._seen, self._calls = {}, Counter(), 0

    def __call__(self, *arguments):
        """Return what ``graph(*arguments)`` does."""
        plan = self._plan(tuple(map(_shape, arguments)))
        if plan is None:
            return self._graph(*arguments)
        common, self._graph._cached_op = self._graph._cached_op, plan
        try:
            return self._graph(*arguments)
        finally:
            self._graph._cached_op = common

    def _plan(self, shapes):
        comes_often = self._comes_often(shapes)
        if self._graph._cached_op is None:                                # the first call, or one after hybridize()
            self._plans, self._is_static = {}, None
            return None
        if shapes not in self._plans and comes_often and self._may_be_static():
            self._plans[shapes] = self._make(static_shape=True)
            # The common graph holds the memory of its last run: let go of it until it runs again.
            self._graph._cached_op = self._make(static_shape=False)
        return self._plans.get(shapes)

    def _comes_often(self, shapes):
        self._calls += 1
        if len(self._seen) == _COUNTED and shapes not in self._seen:
            self._seen.clear()
            self._plans.clear()
            self._calls = 1
        self._seen[shapes] += 1
        return self._seen[shapes] >= max(_TIMES, self._calls / _ONCE_IN)

    def _may_be_static(self):
        """Return whether the graph was compiled with static memory and has only operators that may be planned."""
        if self._is_static is None:
            nodes = json.loads(self._graph._cached_graph[1].tojson())["nodes"]
            self._is_static = (bool(dict(self._graph._flags).get("static_alloc"))
                               and _NOT_STATIC.isdisjoint(node["op"] for node in nodes))
        return self._is_static

    def _make(self, static_shape):
        """Return a `CachedOp` as Gluon makes it, apart from its `static_shape`."""
        arguments, outputs = self._graph._cached_graph
        names = {argument.name for argument in arguments}
        is_data = [name in names for name in outputs.list_inputs()]
        flags = {**dict(self._graph._flags), "static_shape": static_shape,
                 "data_indices": [place for place, here in enumerate(is_data) if here],
                 "param_indices": [place for place, here in enumerate(is_data) if not here]}
        return mx.nd.CachedOp(outputs, [(name, str(value)) for name, value in flags.items()])


def _shape(argument):
    """Return the shape of an array, or those of a list of arrays."""
    return tuple(map(_shape, argument)) if isinstance(argument, (list, tuple)) else argument.shape
