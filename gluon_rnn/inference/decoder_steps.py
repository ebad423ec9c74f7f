"""Steps of a decoder at the smallest cost, for beam search: what `gluon_rnn.nn.Stepper` is for sequence blocks.

A decoder hands on some of its states as they are: what attention reads of the source. All beams of a sentence read the
same, so that reordering beams leaves these arrays alone; the others are a few numbers a beam.
"""
from typing import Any, NamedTuple

import mxnet as mx
import numpy as np

from gluon_rnn.answers.network import Network
from gluon_rnn.nn import numpy_ops
from gluon_rnn.nn.stepper import bound, static_graph, step_symbols

__all__ = ["DecoderSteps", "StepForm"]


class StepForm(NamedTuple):
    """The graph of a step, which knows no sizes yet."""

    names: list
    symbol: Any
    parameters: dict
    kept: list

    @classmethod
    def of(cls, block, count):
        """Return the form of a block with `count` states, called as ``logits, states = block(token, states)``.

        `kept` says of each state whether the step leaves it as it is.
        """
        names, (logits, *finals), parameters = step_symbols(block, count, False)
        kept = [final.name == name for final, name in zip(finals, names[1:])]
        changed = [final for final, keeps in zip(finals, kept) if not keeps]
        return cls(names, mx.sym.Group([logits, *changed]), parameters, kept)

    def bind(self, arrays, device):
        """Return a function that makes a step from and to memory of its own, and what it writes to.

        `arrays` are token and states, NDArrays.
        """
        given, graph = dict(zip(self.names, arrays)), static_graph(self.symbol)
        arguments = [given[name] if name in given else self.parameters[name].data(device)
                     for name in self.symbol.list_inputs()]
        with mx.autograd.pause():
            results = graph(*arguments)
        results = results if isinstance(results, list) else [results]
        return bound(graph, arguments, results), [numpy_ops.view(result) for result in results]


class _States(NamedTuple):
    """States of the rows of a batch; rows of one origin have equal `kept` states."""

    changing: list
    kept: list
    origin: np.ndarray


class DecoderSteps(Network):
    """A step of a decoder for one search: ``logits, states = network(token, states)``.

    Parameters
    ----------
    form : StepForm
    axes : list of int
        The batch axis of each state.
    device : mxnet.Context
        A CPU.

    Inputs/Outputs
    --------------
    token (N,) int32, states as `rows` gives them, or a list of NDArrays -> logits (N, V), in memory that the next step
    writes to, and states.

    Notes
    -----
    The same numbers as the block, up to rounding. One thread may call it at a time.
    """

    def __init__(self, form, axes, device):
        self._form, self._device = form, device
        self._axes = {keeps: [axis for axis, kept in zip(axes, form.kept) if kept == keeps] for keeps in (False, True)}
        self._call = self._kept = None

    def rows(self, states, indices):
        """Return the states of the rows `indices` of the batch."""
        changing, kept, origin = self._states(states)
        changing, after = _taken(changing, indices, self._axes[False]), origin[indices]
        if not np.array_equal(after, origin):
            kept = _taken(kept, indices, self._axes[True])
        return _States(changing, kept, after)

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Return logits (N, V), a NumPy array, and new states."""
        changing, kept, origin = self._states(states)
        if self._call is None or kept is not self._kept or len(inputs) != len(self._token):
            self._bind(np.asarray(inputs), changing, kept)
        self._token[...] = inputs
        for own, given in zip(self._arguments, changing):
            own[...] = given
        self._call()
        return self._logits, _States([state.copy() for state in self._results], kept, origin)

    def _states(self, states):
        """Return the states of a search, made of a list of NDArrays where it is its first."""
        if isinstance(states, _States):
            return states
        parts = {keeps: [state.asnumpy() for state, kept in zip(states, self._form.kept) if kept == keeps]
                 for keeps in (False, True)}
        rows = parts[False][0].shape[self._axes[False][0]]
        return _States(parts[False], parts[True], np.arange(rows))

    def _bind(self, token, changing, kept):
        """Bind the graph to memory for states of these shapes, that of `kept` with what they hold."""
        token = mx.nd.array(token, ctx=self._device, dtype="int32")
        given = {False: iter(changing), True: iter(kept)}
        states = [mx.nd.array(state, ctx=self._device, dtype=state.dtype)
                  for state in (next(given[keeps]) for keeps in self._form.kept)]
        self._call, (self._logits, *self._results) = self._form.bind([token, *states], self._device)
        self._token, self._kept = numpy_ops.view(token), kept
        self._arguments = [numpy_ops.view(state) for state, keeps in zip(states, self._form.kept) if not keeps]


def _taken(states, indices, axes):
    return [np.take(state, indices, axis=axis) for state, axis in zip(states, axes)]
