"""Whether a bundle does what the live model does: arrays of every graph, and the answers that people get."""
import mxnet as mx
import numpy as np

from gluon_rnn.export.manifest import BundleError

__all__ = ["compare_answers", "compare_arrays"]

_LIMITS = {"float16": 1e-2, "float64": 1e-10}
#: probabilities and the like: rounding of the outputs, in the largest of which `compare_arrays` allows 1e-5
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5


def compare_arrays(graphs, bundle, tolerance=None):
    """Return the largest absolute difference between live graphs and a bundle's, at other sizes than the examples'.

    Rows have all lengths from the least one to T. First from the beginning, then from the states that this leaves, so
    that states other than 0 go in as well; whole, and for a causal graph step by step.

    Parameters
    ----------
    graphs : dict of str to gluon_rnn.export.graphs.Graph
    bundle : gluon_rnn.export.loaded.Bundle
    tolerance : float, optional
        As for `gluon_rnn.export.export`.

    Raises
    ------
    BundleError
        If they differ by more.
    """
    carried, worst = {}, 0.0
    for name, graph in sorted(graphs.items(), key=lambda item: bool(item[1].states)):
        worst = max(worst, _compare(name, graph, bundle.networks[name], tolerance, carried))
    return worst


def _compare(name, graph, network, tolerance, carried):
    """Return the largest difference of one graph; `carried` keeps the states of graphs for those that begin there."""
    inputs, lengths = _trial(graph)
    rows = inputs[0].shape[graph.inputs[0].axes.index("N")]
    states = carried.get(tuple(graph.states)) or graph.begin(rows)
    found = _Differences(name, tolerance, network.graph)
    for _ in range(2 if graph.states and graph.causal else 1):
        live, after = graph.run(inputs, lengths, states)
        whole = _in_network(network, inputs, lengths, states)
        found.add([*live, *after], whole)
        if graph.causal and graph.lengths and len(graph.inputs) == 1:
            whole_rows = mx.nd.full(rows, _steps(graph, inputs), ctx=inputs[0].context)
            live, after = graph.run(inputs, [whole_rows], states)
            found.add([*live, *after], _stepwise(graph, network, inputs[0], states))
        states = after
    carried[tuple(graph.next_states)] = list(after)
    return found.worst


class _Differences:
    """The largest difference so far; BundleError where one is too large."""

    def __init__(self, name, tolerance, entry):
        self.name, self.worst = name, 0.0
        dtype = next(one["dtype"] for one in (*entry["outputs"], *entry["next_states"]))
        self.limit = _LIMITS.get(dtype, 1e-5) if tolerance is None else tolerance

    def add(self, live, exported):
        """Compare lists of arrays."""
        if len(live) != len(exported):
            raise BundleError(f"graph {self.name!r} gives {len(exported)} arrays, and the model gives {len(live)}")
        live = [array.asnumpy().astype("float64") for array in live]
        largest = max(1.0, *(float(np.abs(array).max(initial=0)) for array in live))
        for ours, theirs in zip(live, exported):
            difference = float("inf") if ours.shape != theirs.shape else float(np.abs(ours - theirs).max(initial=0))
            self.worst = max(self.worst, difference)
            if not difference <= self.limit * largest:                    # a NaN fails this as well
                raise BundleError(f"graph {self.name!r} of the exported model differs from the live one by "
                                  f"{difference:.3g} where at most {self.limit * largest:.3g} was expected, for "
                                  f"outputs of shape {ours.shape}; nothing was exported")


def _trial(graph):
    """Return inputs and lengths of other sizes than the examples', NDArrays."""
    sizes = {}
    for one in graph.inputs:
        for axis, size in zip(one.axes, one.example.shape):
            if isinstance(axis, str):
                sizes.setdefault(axis, size + (2 if axis == "N" else 3))
    inputs = []
    for one in graph.inputs:
        shape = [sizes[axis] if isinstance(axis, str) else axis for axis in one.axes]
        values = np.resize(one.example.asnumpy(), shape)
        inputs.append(mx.nd.array(values, ctx=one.example.context, dtype=one.example.dtype))
    lengths = []
    for one in graph.lengths:
        place = next(i for i, entry in enumerate(graph.inputs) if entry.name == one.of)
        lengths.append(_all_lengths(one.least, inputs[place].shape[one.axis], sizes["N"], inputs[place].context))
    return inputs, lengths


def _all_lengths(least, steps, rows, ctx):
    """Return lengths (N,) from the least one to all steps, the longest first."""
    return mx.nd.array(np.linspace(steps, least, rows).astype(int), ctx=ctx)


def _steps(graph, inputs):
    return inputs[0].shape[graph.lengths[0].axis]


def _in_network(network, inputs, lengths, states):
    """Return outputs and states of a bundle's graph, NumPy arrays."""
    inputs, lengths = ([array.asnumpy() for array in arrays] for arrays in (inputs, lengths))
    given = [state.asnumpy() for state in states] if states and network.causal else None
    first, signals = lengths[:1] or [None], [*inputs[1:], *lengths[1:]]
    outputs, after = network(inputs[0], given, *first, *signals)
    return [*_as_list(outputs), *after]


def _stepwise(graph, network, inputs, states):
    """Return outputs and states of a bundle's graph, one call a step."""
    axis, steps, states = graph.lengths[0].axis, [], [state.asnumpy() for state in states]
    inputs = inputs.asnumpy()
    for t in range(inputs.shape[axis]):
        outputs, states = network(np.take(inputs, [t], axis=axis), states)
        steps.append(_as_list(outputs))
    whole = [np.concatenate(parts, axis=axis) if "T" in axes else parts[-1]
             for parts, (_, axes) in zip(zip(*steps), graph.outputs)]
    return [*whole, *states]


def _as_list(outputs):
    return [] if outputs is None else list(outputs) if isinstance(outputs, tuple) else [outputs]


def compare_answers(predictor, bundle):
    """Raise BundleError unless a bundle answers raw input as the predictor of its run does.

    What is asked is ``predictor.trials()``: a list of (arguments, options) of `predict`.
    """
    for arguments, options in predictor.trials():
        live, exported = predictor.predict(*arguments, **options), bundle.predict(*arguments, **options)
        place = _first_difference(live, exported, "the answer")
        if place:
            raise BundleError(f"the exported model answers otherwise than the live one: {place}, asked "
                              f"{_shortened(arguments)}; nothing was exported")


def _first_difference(live, exported, place):
    """Return in words where two answers differ by more than rounding, None where they do not."""
    if hasattr(live, "__dict__") and not isinstance(live, np.ndarray):
        live, exported = vars(live), vars(exported)
    if isinstance(live, dict):
        if set(live) != set(exported):
            return f"{place} has the keys {_shortened(exported)}, expected {_shortened(live)}"
        pairs = [(live[key], exported[key], f"{place}[{key!r}]") for key in live]
    elif isinstance(live, (list, tuple)):
        if len(live) != len(exported):
            return f"{place} has {len(exported)} parts, expected {len(live)}"
        pairs = [(*pair, f"{place}[{number}]") for number, pair in enumerate(zip(live, exported))]
    elif isinstance(live, (float, np.floating, np.ndarray)):
        same = np.shape(live) == np.shape(exported) and np.allclose(live, exported, _RELATIVE, _ABSOLUTE,
                                                                    equal_nan=True)
        return None if same else f"{place} is {_shortened(exported)}, expected {_shortened(live)}"
    else:
        return None if live == exported else f"{place} is {_shortened(exported)}, expected {_shortened(live)}"
    return next(filter(None, (_first_difference(*pair) for pair in pairs)), None)


def _shortened(value, most=120):
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
