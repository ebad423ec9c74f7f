"""A graph of a bundle as a network: NumPy arrays in and out, states by hand, every argument checked. Needs no MXNet."""
import numpy as np

from gluon_rnn.answers.network import Network

__all__ = ["GraphNetwork"]


class GraphNetwork(Network):
    """Base class: ``outputs, states = network(inputs, states, valid_length, *signals)``.

    Parameters
    ----------
    graph : dict
        Of a manifest: see `gluon_rnn.export.manifest`.

    Inputs/Outputs
    --------------
    inputs : array with the axes of the graph's first input
    states : list of arrays, optional
        From `begin_state`, from the call before or from another graph; zeros by default.
    valid_length : (N,) array, optional
        Number of real steps of each row, whole numbers from 0 to T; all T by default.
    signals : arrays
        The graph's further inputs, then its further lengths (all steps where these are left out).
    outputs : array, a tuple of arrays where the graph has several, None where it has none

    Raises
    ------
    ValueError
        If a shape does not fit, an id lies outside of the vocabulary, or a length outside 0 to T.
    """

    def __init__(self, graph):
        self.graph, self.causal, self.name = graph, graph["causal"], "the exported model"
        self._first, *self._further = graph["inputs"]
        self._batch_axis = self._first["shape"].index("N")
        self._state_shapes = [(state["name"], tuple(state["shape"]), state["shape"].index("N"), state["dtype"])
                              for state in graph["states"]]
        self._count, self._names = len(graph["outputs"]), [name for name, *_ in self._state_shapes]
        # What the last call needed is kept: a stream asks for the same at each step, and a step takes microseconds.
        self._all_steps, self._begin, self._expected = (None, None), (None, None), (None, None)

    def run(self, feed):
        """Return the graph's outputs and next states, a list of arrays, for `feed`, {name: array} of all it takes."""
        raise NotImplementedError(f"{type(self).__name__} must define run()")

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        inputs = self._taken(self._first, inputs)
        batch_size = inputs.shape[self._batch_axis]
        feed = {self._first["name"]: inputs}
        if signals or self._further:
            self._add_signals(feed, signals)
        if self.graph["lengths"]:
            self._add_lengths(feed, valid_length, signals[len(self._further):])
        elif valid_length is not None:
            raise ValueError("this bundle's graph has no input for lengths; export the model again, or pass rows of "
                             "one length and no valid_length")
        if self._state_shapes:
            self._add_states(feed, states, batch_size)
        results, count = self.run(feed), self._count
        return results[0] if count == 1 else tuple(results[:count]) or None, results[count:]

    def begin_state(self, batch_size):
        """Return the states of `batch_size` sequences before their first step: zeros."""
        states = []
        for name, shape, axis, dtype in self._state_shapes:
            if any(isinstance(size, str) for place, size in enumerate(shape) if place != axis):
                raise ValueError(f"state {name!r} of shape {list(shape)} comes from another graph of this bundle; pass "
                                 "the states that it gave")
            states.append(np.zeros((*shape[:axis], batch_size, *shape[axis + 1:]), dtype=dtype))
        return states

    def rows(self, states, indices):
        """Return the states of the rows `indices` of the batch, in this order; a row may be taken twice."""
        return [np.take(state, indices, axis=axis)
                for state, (*_, axis, _) in zip(states, self._next_shapes(states))]

    def join(self, parts):
        """Return the states of several batches as those of one, in their order."""
        axes = [axis for *_, axis, _ in self._next_shapes(parts[0])]
        return [np.concatenate(columns, axis=axis) for columns, axis in zip(zip(*parts), axes)]

    def _next_shapes(self, states):
        """Return what the states given are: those the graph takes, or, where it takes none, those it gives."""
        if self._state_shapes:
            return self._state_shapes
        return [(state["name"], tuple(state["shape"]), state["shape"].index("N"), state["dtype"])
                for state in self.graph["next_states"]]

    # ---- arguments -------------------------------------------------------------------------------------------------

    def _taken(self, entry, values):
        """Return an input as an array of the right type; ValueError where shape or ids do not fit."""
        values, shape = np.asarray(values), entry["shape"]
        if not _fits(values.shape, shape):
            raise ValueError(f"{entry['name']!r} has shape {values.shape}, and this graph takes {_in_words(shape)}")
        if 0 in values.shape:
            raise ValueError(f"{entry['name']!r} has shape {values.shape}, and at least one step and one row is needed")
        limit = entry.get("below")
        if limit is not None:
            _check_ids(entry["name"], values, limit)
        return values if values.dtype == entry["dtype"] else values.astype(entry["dtype"])

    def _add_signals(self, feed, signals):
        names = [entry["name"] for entry in self._further]
        if not len(names) <= len(signals) < len(names) + max(1, len(self.graph["lengths"])):
            raise ValueError(f"this graph takes {len(names)} further sequences ({', '.join(names) or 'none'}), got "
                             f"{len(signals)}")
        for entry, values in zip(self._further, signals):
            feed[entry["name"]] = self._taken(entry, values)

    def _add_lengths(self, feed, valid_length, others):
        for number, entry in enumerate(self.graph["lengths"]):
            given = valid_length if number == 0 else others[number - 1] if number <= len(others) else None
            of = feed[entry["of"]]
            steps, rows = of.shape[entry["axis"]], of.shape[self._axis_of_rows(entry["of"])]
            feed[entry["name"]] = (self._full(steps, rows, entry["dtype"]) if given is None
                                   else _checked_lengths(entry, given, steps, rows))

    def _axis_of_rows(self, name):
        if name == self._first["name"]:
            return self._batch_axis
        return next(entry["shape"].index("N") for entry in self._further if entry["name"] == name)

    def _full(self, steps, rows, dtype):
        """Return the lengths of rows that have all steps; the last ones are kept, since streams ask at each step."""
        key, lengths = self._all_steps
        if key != (steps, rows, dtype):
            key, lengths = self._all_steps = (steps, rows, dtype), np.full(rows, steps, dtype=dtype)
        return lengths

    def _add_states(self, feed, states, batch_size):
        if states is None:
            key, begin = self._begin
            if key != batch_size:
                key, begin = self._begin = batch_size, self.begin_state(batch_size)
            feed.update(zip(self._names, begin))
            return
        if not self.causal:
            raise ValueError("this model looks ahead (causal is false), so states carried from chunk to chunk cannot "
                             "give what the whole sequence gives; pass the whole sequence and no states")
        if len(states) != len(self._state_shapes):
            raise ValueError(f"expected {len(self._names)} states ({', '.join(self._names)}), got {len(states)}")
        if self._expected[0] != batch_size:
            self._expected = batch_size, [(name, (*shape[:axis], batch_size, *shape[axis + 1:]), dtype)
                                          for name, shape, axis, dtype in self._state_shapes]
        for (name, expected, dtype), state in zip(self._expected[1], states):
            if state.shape != expected and not _fits(state.shape, expected):
                raise ValueError(f"state {name!r} has shape {state.shape}, but inputs of batch size {batch_size} need "
                                 f"{_in_words(expected)}; take it from begin_state({batch_size})")
            feed[name] = state if state.dtype == dtype else state.astype(dtype)


def _fits(shape, expected):
    """Return whether a shape fits one in which letters stand for any size."""
    if len(shape) != len(expected):
        return False
    for found, size in zip(shape, expected):
        if found != size and size.__class__ is not str:
            return False
    return True


def _in_words(shape):
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _check_ids(name, values, limit):
    """Raise ValueError for ids that are no whole numbers from 0 to `limit` - 1."""
    if values.dtype.kind not in "iu" and not np.array_equal(values, np.floor(values)):
        raise ValueError(f"{name!r} has values that are no whole numbers, and ids are expected")
    low, high = values.min(), values.max()
    if low < 0 or high >= limit:
        raise ValueError(f"{name!r} has the id {low if low < 0 else high}, and ids are 0 to {limit - 1}; encode with "
                         "the vocabulary of this bundle")


def _checked_lengths(entry, lengths, steps, rows):
    """Return lengths (N,) in the graph's type; ValueError unless they are whole numbers from 0 to T."""
    lengths = np.asarray(lengths)
    if lengths.shape != (rows,):
        raise ValueError(f"{entry['name']!r} has shape {lengths.shape}, and {rows} rows need ({rows},)")
    wrong = ~((lengths >= 0) & (lengths <= steps) & (lengths == np.floor(lengths)))
    if wrong.any():
        raise ValueError(f"{entry['name']!r} has {lengths[wrong][0]} in row {int(np.flatnonzero(wrong)[0])}, and a "
                         f"length is a whole number from 0 to the {steps} steps of {entry['of']!r}")
    return lengths.astype(entry["dtype"], copy=False)
