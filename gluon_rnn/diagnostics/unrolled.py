"""An encoder step by step and layer by layer, in the place of its call: where instruments look at states and gates.

An instrument is given a function without arguments that runs a model on a batch and returns its summed loss, and the
encoder in it. While the function runs, `in_place_of_calls` lets calls of the encoder go to an `Unrolled`, which does
the same as the encoder in prediction (no dropout), by the cells of `gluon_rnn.nn`, and has hooks before and after each
step. So an instrument knows no model and no task.
"""
import contextlib

import mxnet as mx
import numpy as np
from mxnet import autograd

from gluon_rnn.diagnostics.projection import NothingToShowError
from gluon_rnn.nn import functional
from gluon_rnn.nn.cells import GRUCell, LSTMCell, RNNCell
from gluon_rnn.nn.chain import Chain
from gluon_rnn.nn.extended_cells import ZoneoutCell
from gluon_rnn.nn.fused import FusedLayer
from gluon_rnn.nn.jordan import Jordan, JordanCell
from gluon_rnn.nn.linear_layers import LinearLayers
from gluon_rnn.nn.skip import SkipCell
from gluon_rnn.nn.stacked import StackedCells

__all__ = ["Layer", "NotRecurrentError", "Unrolled", "in_place_of_calls", "layers_of", "measure"]

#: In the order in which a step of the cell computes them.
_GATES = ((LSTMCell, ("forget", "input", "output")), (GRUCell, ("reset", "update")))


class NotRecurrentError(NothingToShowError):
    """A model has no states that an instrument could look at."""


class Layer:
    """One recurrent layer of an encoder.

    Parameters
    ----------
    name : str
        Such as "layer 1".
    cell : RecurrentCell or ZoneoutCell
    values : callable
        From inputs (T, N, C) to the parameters of the cell by name; gradients go through them to the encoder's.
    """

    def __init__(self, name, cell, values):
        self.name, self.cell, self.values = name, cell, values
        inner = cell.cell if isinstance(cell, ZoneoutCell) else cell
        #: names of the gates, in the order in which a step computes them; none for a network without gates
        self.gates = next((gates for kind, gates in _GATES if isinstance(inner, kind)), ())
        #: names of the states: h, and c of an LSTM; of a Jordan network its output, which its context is made of. The
        #: other states of a network with skip connections are h of steps before.
        self.states = (("output",) if isinstance(inner, JordanCell) else ("h",) if isinstance(inner, SkipCell) else
                       ("h", "c")[:cell.num_states])


def layers_of(encoder):
    """Return the `Layer`s of a causal recurrent encoder, from the inputs up; NotRecurrentError for any other."""
    name = type(encoder).__name__
    if not encoder.causal:
        raise NotRecurrentError(f"{name} reads sequences from both ends, so that no state is carried through time from "
                                "one step to all later ones; gradients, Jacobians and gates by time are left out")
    if encoder.layout != "TNC":
        raise ValueError(f"instruments take an encoder of layout 'TNC', got {encoder.layout!r}; make it without layout")
    return [Layer(f"layer {number}", cell, values) for number, (cell, values) in enumerate(_cells(encoder), 1)]


def _cells(encoder):
    """Return pairs of a cell and a function from inputs to its parameters, one for each layer."""
    if isinstance(encoder, Chain):
        return [pair for block in encoder.blocks for pair in _cells(block)]
    if isinstance(encoder, FusedLayer):
        return [(_fused_cell(encoder), _reader(encoder, layer)) for layer in range(encoder.num_layers)]
    if isinstance(encoder, StackedCells):
        cells = [getattr(encoder, f"l{layer}") for layer in range(encoder.num_layers)]
    elif isinstance(encoder, Jordan):
        cells = [encoder.l0]
    elif isinstance(encoder, LinearLayers) and len(encoder.state_info()) == 1:
        cells = [_LinearCell(encoder, layer) for layer in range(encoder.num_layers)]
    else:
        raise NotRecurrentError(f"{type(encoder).__name__} has no recurrent states: what it looks back at are the "
                                "inputs of its taps; gradients by lag, Jacobians, gates and truncation are left out")
    return [(cell, cell.values) for cell in cells]


class _LinearCell:
    """One layer around a linear recurrence as a cell; its steps take the products too."""

    num_states = 1

    def __init__(self, encoder, layer):
        self._encoder, self._layer = encoder, layer

    def values(self, inputs):
        """Return the parameters of all layers by name."""
        return self._encoder.values(inputs)

    def prepare(self, F, parameters, states):
        """Return the parameters as they are."""
        return parameters

    def project(self, F, inputs, parameters):
        """Return [inputs] (T, N, C)."""
        return [inputs]

    def step(self, F, projected, states, parameters):
        """Return the output (N, H) and [state] of one step."""
        return self._encoder.layer_step(F, self._layer, projected[0], states[0], parameters)


def _fused_cell(encoder):
    """Return a cell with the equations of a fused layer; its own parameters are not used."""
    if encoder.mode.startswith("rnn_"):
        return RNNCell(encoder.hidden_size, activation=encoder.mode[len("rnn_"):])
    return {"lstm": LSTMCell, "gru": GRUCell}[encoder.mode](encoder.hidden_size)


def _reader(encoder, layer):
    return lambda inputs: encoder.parts_of(mx.nd, inputs, layer)


def _apart(encoder, states):
    """Return for each layer its states (N, H), of the states of the encoder."""
    if isinstance(encoder, Chain):
        found = []
        for block in encoder.blocks:
            count = len(block.state_info())
            found, states = [*found, *_apart(block, states[:count])], states[count:]
        return found
    if isinstance(encoder, Jordan):
        return [list(states)]
    return [[mx.nd.slice_axis(state, axis=0, begin=layer, end=layer + 1).reshape((-3, 0)) for state in states]
            for layer in range(encoder.num_layers)]


def _joined(encoder, by_layer):
    """Return the states of the encoder, of the states (N, H) of each layer."""
    if isinstance(encoder, Chain):
        found = []
        for block in encoder.blocks:
            count = getattr(block, "num_layers", 1)
            found, by_layer = [*found, *_joined(block, by_layer[:count])], by_layer[count:]
        return found
    if isinstance(encoder, Jordan):
        return by_layer[0]
    return [mx.nd.stack(*states, axis=0) for states in zip(*by_layer)]


class Unrolled:
    """What a call of `encoder` computes in prediction, step by step; a subclass looks on, or changes what it returns.

    Calls one after another are steps of one sequence, the states of a call being those that the one before returned.

    Parameters
    ----------
    encoder : SequenceBlock

    Attributes
    ----------
    layers : list of Layer
    steps : int
        Steps of the calls before this one.
    F : module
        The operators that a step is given.

    Raises
    ------
    NotRecurrentError
        If the encoder has no states, or looks ahead.
    """

    F = mx.nd

    def __init__(self, encoder):
        self.encoder, self.layers = encoder, layers_of(encoder)
        self.steps, self._finals = 0, None

    def before(self, layer, step, x, states):
        """Return the states that `layer` (its number) takes into a step; x (N, C) is what it reads there."""
        return states

    def after(self, layer, step, alive, output, states):
        """Return output (N, H) and states of a step; `alive` (N,) says which rows it belongs to, None: all."""
        return output, states

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        """Take the call of the encoder."""
        if signals:
            raise ValueError(f"instruments run {type(self.encoder).__name__} freely, and this call forces its outputs; "
                             "leave the targets out")
        lengths = _checked(inputs, states, valid_length, self._finals)
        if lengths is not None:
            inputs = functional.mask(mx.nd, inputs, mx.nd.array(lengths, ctx=inputs.context, dtype=inputs.dtype))
        begin = states or self.encoder.begin_state(inputs.shape[1], ctx=inputs.context)
        outputs, finals = inputs, []
        for number, before in enumerate(_apart(self.encoder, begin)):
            outputs, final = self._run(number, outputs, before, lengths)
            finals.append(final)
        self._finals = _joined(self.encoder, finals)
        self.steps += inputs.shape[0]
        return outputs if states is None else (outputs, self._finals if states else [])

    def _run(self, number, inputs, states, lengths):
        """Run one layer over (T, N, C); return its outputs (T, N, H) and last states."""
        layer, outputs = self.layers[number], []
        values = layer.cell.prepare(self.F, layer.values(inputs), states)
        projected = layer.cell.project(self.F, inputs, values)
        for t in range(inputs.shape[0]):
            old = self.before(number, self.steps + t, inputs[t], states)
            output, new = layer.cell.step(self.F, [part[t] for part in projected], old, values)
            alive = None if lengths is None else t < lengths
            if alive is not None:
                rows = mx.nd.array(alive, ctx=inputs.context, dtype=inputs.dtype)
                new = [mx.nd.where(rows, after, before) for after, before in zip(new, old)]
                output = mx.nd.where(rows, output, mx.nd.zeros_like(output))
            output, states = self.after(number, self.steps + t, alive, output, new)
            outputs.append(output)
        return mx.nd.stack(*outputs, axis=0), states


def _checked(inputs, states, valid_length, finals):
    """Return lengths (N,) in NumPy, None where all steps count; ValueError for calls that are not one sequence."""
    if not isinstance(inputs, mx.nd.NDArray):
        raise ValueError("instruments look into the steps of an encoder, and this model is compiled; call "
                         "model.hybridize(False) first")
    if finals is not None and not (states and all(a is b for a, b in zip(states, finals))):
        raise ValueError("the loss must run the encoder over one sequence: each call must begin with the states that "
                         "the call before returned, and one begins with others")
    if valid_length is None:
        return None
    lengths = np.asarray(valid_length.asnumpy() if isinstance(valid_length, mx.nd.NDArray) else valid_length)
    lengths = np.clip(lengths.astype(int), 0, inputs.shape[0])
    return None if (lengths == inputs.shape[0]).all() else lengths


@contextlib.contextmanager
def in_place_of_calls(encoder, call):
    """Let `call` answer all calls of `encoder`, whichever blocks hold it, within a ``with`` block."""
    original = type(encoder)
    # Python looks __call__ up in the class, so this object gets one of its own, with the name of the old one.
    own = type(original.__name__, (original,), {"__call__": lambda self, *args: call(*args)})
    object.__setattr__(encoder, "__class__", own)
    try:
        yield call
    finally:
        object.__setattr__(encoder, "__class__", original)


def measure(encoder, loss):
    """Return the lengths (N,) of the sequences that ``loss()`` runs `encoder` over.

    Raises as `layers_of` does, and ValueError if the loss never calls the encoder.
    """
    layers_of(encoder)
    lengths, call = [], type(encoder).__call__

    def counted(inputs, states=None, valid_length=None, *signals):
        if isinstance(inputs, mx.nd.NDArray):
            found = _checked(inputs, states, valid_length, None)
            lengths.append(np.full(inputs.shape[1], inputs.shape[0]) if found is None else found)
        return call(encoder, inputs, states, valid_length, *signals)

    with in_place_of_calls(encoder, counted), autograd.pause():
        loss()
    if not lengths:
        raise ValueError(f"the loss did not call the encoder {type(encoder).__name__}; pass the encoder of the model, "
                         "and call model.hybridize(False) where it is compiled")
    return sum(lengths)
