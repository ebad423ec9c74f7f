"""One step at a time at the smallest cost: the graph of a single step, its arguments and results bound once.

A call of a block checks its arguments, makes arrays for them and for what comes out, and hands operator after operator
to MXNet's engine. Where a step follows another, as in streams and sampling, that is most of the time. A `Stepper` makes
a graph of one step without a loop, whose shapes are known, so that the engine gets it as one piece of work; inputs and
states are copied into the memory of its arguments.
"""
import ctypes

import mxnet as mx
import numpy as np
from mxnet.base import _LIB, NDArrayHandle, check_call

from gluon_rnn.nn import backend, chunks, numpy_ops
from gluon_rnn.nn.arguments import device_of
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.flat_parameters import graph_parameters, read_vectors
from gluon_rnn.nn.graph_block import BUILDING

__all__ = ["Stepper", "bound", "static_graph", "step_symbols"]

_FLAGS = {"static_alloc": True, "static_shape": True}


class Stepper:
    """Steps of a causal block, one after the other: ``outputs = stepper(inputs)``.

    Parameters
    ----------
    block : SequenceBlock
        Causal; its parameters initialised, on a CPU. What training or `set_data` changes in them later is seen; after
        `cast` or `reset_ctx` make another stepper.
    batch_size : int, default 1
        N, rows of every step.

    Inputs/Outputs
    --------------
    inputs : (N, C) NumPy array, or ids (N,) for a block of token ids
        Converted to the dtype of the block, ids to int32.
    outputs : (N, K) NumPy array
        In memory that the next step writes to: copy what is to stay.

    Attributes
    ----------
    states : list of NumPy arrays, as `SequenceBlock.state_info` has them
        Copies of the states after the last step. Set them to go on from others.
    one_output : bool
        Whether the block has one output for a whole sequence, here for what it has read so far; known after a step.

    Raises
    ------
    ValueError
        If the block is not causal or not on a CPU, or inputs or states have another shape.

    Notes
    -----
    The same numbers as ``block(inputs, states)`` outside of `autograd.record`, up to rounding. One thread may call a
    stepper at a time; several steppers of one block may be called together.
    """

    def __init__(self, block, batch_size=1):
        check_sizes(batch_size=batch_size)
        name, device = type(block).__name__, device_of(block)
        if not block.causal:
            raise ValueError(f"{name} reads each sequence from its end too, so it cannot go step by step; call it with "
                             "whole sequences")
        if device.device_type != "cpu":
            raise ValueError(f"a stepper computes on a CPU, but {name} is on {device}; call the block itself there")
        self._name, self._batch_size = name, batch_size
        self._block = block
        self._begin = [numpy_ops.view(state).copy() for state in self._begin_state()]
        self._call = None

    def __call__(self, inputs):
        """Make one step and return its outputs."""
        if self._call is None:
            self._bind(inputs)
        if np.shape(inputs) != self._inputs.shape:
            raise ValueError(f"a step of {self._name} expects inputs of shape {self._inputs.shape}, got "
                             f"{np.shape(inputs)}")
        self._inputs[...] = inputs
        self._call()
        for state, new in zip(self._states, self._new_states):
            state[...] = new
        return self._outputs

    @property
    def states(self):
        """Return copies of the states after the last step, or before the first."""
        return [state.copy() for state in (self._begin if self._call is None else self._states)]

    @states.setter
    def states(self, states):
        states = [state.asnumpy() if isinstance(state, mx.nd.NDArray) else np.asarray(state) for state in states]
        expected = [state.shape for state in self._begin]
        if [state.shape for state in states] != expected:
            raise ValueError(f"a stepper of {self._name} expects states of shapes {expected}, got "
                             f"{[state.shape for state in states]}")
        for own, given in zip(self._begin if self._call is None else self._states, states):
            own[...] = given

    def reset(self):
        """Go back to the states before the first step of a sequence."""
        self.states = [state.asnumpy() for state in self._begin_state()]

    def _begin_state(self):
        return self._block.begin_state(self._batch_size, ctx=device_of(self._block))

    def _bind(self, inputs):
        """Make the graph for inputs of this form, and everything that its calls read and write."""
        block, device = self._block, device_of(self._block)
        given = mx.nd.array(np.expand_dims(inputs, axis=block.layout.index("T")), ctx=device,
                            dtype="int32" if block.input_dimensions == 2 else block._dtype)
        states = [mx.nd.array(state, ctx=device, dtype=state.dtype) for state in self._begin]
        graph, arguments = _one_step(block, given, states)
        with mx.autograd.pause():
            results = graph(*arguments)
        results = results if isinstance(results, list) else [results]
        self.one_output = len(results[0].shape) == 2
        self._inputs = self._step_of(given)
        self._outputs = numpy_ops.view(results[0]) if self.one_output else self._step_of(results[0])
        self._states, self._new_states = ([numpy_ops.view(state) for state in some] for some in (states, results[1:]))
        self._call = bound(graph, arguments, results)                    # keeps the arrays, which views do not

    def _step_of(self, array):
        """Return a view (N, ...) of the only step of an array, whichever its layout."""
        values = numpy_ops.view(array)
        return values.reshape(self._batch_size, *values.shape[2:])


def _one_step(block, inputs, states):
    """Return the graph of one step of `block`, and the arrays that it takes."""
    block(inputs, states)                                                 # checks, and finds out open shapes
    names, (outputs, *finals), parameters = step_symbols(block, len(states), backend.are_few(states))
    given, symbol = dict(zip(names, [inputs, *states])), mx.sym.Group([outputs, *finals])
    return static_graph(symbol), [given[name] if name in given else parameters[name].data(inputs.context)
                                  for name in symbol.list_inputs()]


def step_symbols(block, count, few):
    """Return what one step of a block with `count` states is: its graph without a loop.

    Parameters
    ----------
    block : callable
        ``outputs, states = block(inputs, states)``, a block of this package.
    count : int
    few : bool
        As `gluon_rnn.nn.backend.are_few` says of the states.

    Returns
    -------
    names : list of str
        Of the variables for inputs and states.
    results : list of Symbol
        Outputs and states; a state that the step leaves as it is is its variable.
    parameters : dict of str to Parameter
        Whatever else the graph reads.
    """
    names = [f"step_argument{i}" for i in range(count + 1)]
    first, *carried = (mx.sym.var(name) for name in names)
    with BUILDING, chunks.unrolling(1, few), read_vectors():
        outputs, finals = block(first, carried)
        return names, [outputs, *finals], graph_parameters(block)


def static_graph(symbol):
    """Return `symbol` as a graph that plans its memory once for each shape."""
    return mx.nd.CachedOp(symbol, [(name, str(value)) for name, value in _FLAGS.items()])


def bound(graph, arguments, results):
    """Return a function that runs `graph` from and to the memory of these arrays, and waits for it."""
    handles = (NDArrayHandle * len(arguments))(*(array.handle for array in arguments))
    outputs = (NDArrayHandle * len(results))(*(array.handle for array in results))
    number, kinds = ctypes.c_int(len(results)), ctypes.POINTER(ctypes.c_int)()
    targets = ctypes.cast(outputs, ctypes.POINTER(NDArrayHandle))
    count, number_at, targets_at, kinds_at = len(arguments), ctypes.byref(number), ctypes.byref(targets), \
        ctypes.byref(kinds)
    invoke, wait, each = _LIB.MXInvokeCachedOpEx, _LIB.MXNDArrayWaitToRead, [array.handle for array in results]
    kept = graph, arguments, results

    def call():
        check_call(invoke(kept[0].handle, count, handles, number_at, targets_at, kinds_at))
        for handle in each:
            check_call(wait(handle))

    return call
