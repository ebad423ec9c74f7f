"""The flat parameter vector of a fused recurrent layer, and the names of its parts.

MXNet's fused operator reads all weights and biases of a layer from one vector: first the weights, then the biases,
``i2h, h2h`` in each, gates stacked in the order of `GATES`. A layer that owns this vector need not join its arrays at
every call. Each direction of a bidirectional layer has a vector, and an operator, of its own.
"""
from collections import namedtuple

import mxnet as mx
import numpy as np

from gluon_rnn.nn.initializers import as_initializer
from gluon_rnn.nn.joined import join, join_vectors

__all__ = ["FlatLayout", "FlatInitializer", "Part", "GATES", "drop_h2h", "hold_cell"]

# Large enough to saturate a sigmoid exactly (0 or 1) in float16, float32 and float64, small enough for float16.
_SATURATE = 1e4

#: gate names in the order in which the fused operator stacks them; "h" is the only "gate" of an Elman network
GATES = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "ifgo", "gru": "rzn"}

# Which way each gate of an LSTM saturates where its cell state is held still: i, f, g, o.
_HOLD = (-1, 1, 0, 0)

Part = namedtuple("Part", "name begin end shape")


class FlatLayout:
    """Where each named part of a flat vector (P,) lies, one layer in one direction: weights (G*H, C) and (G*H, H),
    biases (G*H,).

    Parameters
    ----------
    mode : {"rnn_tanh", "rnn_relu", "lstm", "gru"}
    input_size : int
        0 while it is not known yet.
    hidden_size : int
    """

    def __init__(self, mode, input_size, hidden_size):
        self.mode, self.gates = mode, GATES[mode]
        self.input_size, self.hidden_size = input_size, hidden_size
        self._stacked = len(self.gates) * hidden_size                     # G * H

    @property
    def size(self):
        """Length of the vector; 0 while the input size is not known."""
        return self._stacked * (self.input_size + self.hidden_size + 2) if self.input_size else 0

    def for_size(self, size):
        """Return the layout of a vector of `size` entries: the same layer, its input size read off the length."""
        columns, rest = divmod(size, self._stacked)
        input_size = columns - self.hidden_size - 2
        assert rest == 0 and input_size > 0, (size, self.mode, self.hidden_size)
        return FlatLayout(self.mode, input_size, self.hidden_size)

    def parts(self):
        """Return the `Part`s in the order of the vector: i2h_weight, h2h_weight, i2h_bias, h2h_bias."""
        shapes = [(self._stacked, self.input_size), (self._stacked, self.hidden_size), (self._stacked,),
                  (self._stacked,)]
        begin, parts = 0, []
        for name, shape in zip(("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"), shapes):
            end = begin + int(np.prod(shape))
            parts.append(Part(name, begin, end, shape))
            begin = end
        return parts

    def bias_begin(self):
        """Return the index of the first bias; all entries from there on are biases."""
        return self.size - 2 * self._stacked


@mx.init.register
class FlatInitializer(mx.init.Initializer):
    """Fill a flat vector (P,) part by part: weights gate by gate, since each gate is a matrix of its own, biases whole.

    Parameters
    ----------
    layout : FlatLayout
        A layout of the layer, of any input size.
    initializers : dict
        ``i2h_weight``, ``h2h_weight``, ``i2h_bias``, ``h2h_bias`` -> name or `mxnet.init.Initializer`.
    """

    def __init__(self, layout, initializers):
        super().__init__(mode=layout.mode)
        self._layout = layout
        self._initializers = {kind: as_initializer(value) for kind, value in initializers.items()}

    def _init_weight(self, desc, arr):
        for part in self._layout.for_size(arr.size).parts():
            pieces = len(self._layout.gates) if part.name.endswith("weight") else 1
            shape = (part.shape[0] // pieces,) + part.shape[1:]
            values = [self._draw(part.name, shape, arr.context) for _ in range(pieces)]
            arr[part.begin:part.end] = mx.nd.concat(*values, dim=0).reshape((-1,)).astype(arr.dtype)

    def _draw(self, name, shape, ctx):
        values = mx.nd.zeros(shape, ctx=ctx)
        self._initializers[name]._init_weight(mx.init.InitDesc(name), values)
        return values


def drop_h2h(F, vector, layout, rate):
    """Return the flat `vector` with dropout on its recurrent weights alone (weight drop)."""
    begin, end = next((part.begin, part.end) for part in layout.parts() if part.name == "h2h_weight")
    before, recurrent, behind = (F.slice_axis(vector, axis=0, begin=first, end=last)
                                 for first, last in ((0, begin), (begin, end), (end, None)))
    return join_vectors(F, before, F.Dropout(recurrent, p=rate), behind)


def hold_cell(F, inputs, vector, padding, hidden_size):
    """Return inputs and flat vector of an LSTM whose cell state stands still where `padding` (T, N, 1) is 1.

    One more input feature, 1 on padding, shuts the input gate and opens the forget gate: c_t = c_{t-1} exactly, and no
    gradient passes through these gates there.
    """
    stacked = len(_HOLD) * hidden_size                                    # G * H
    rest = stacked * (hidden_size + 2)                                    # behind the weights that a feature adds to
    i2h = F.reshape(F.slice_axis(vector, axis=0, begin=0, end=-rest), shape=(stacked, -1))
    i2h = F.concat(i2h, _hold_column(F, i2h), dim=1)                      # (G * H, C + 1)
    vector = join_vectors(F, F.reshape(i2h, shape=(-1,)), F.slice_axis(vector, axis=0, begin=-rest, end=None))
    return join(F, inputs, F.BlockGrad(padding)), vector


def _hold_column(F, weight):
    """Return the weights (G * H, 1) from the feature that is 1 on padding to each gate."""
    gates = F.split(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), num_outputs=len(_HOLD), axis=0)
    return F.BlockGrad(F.concat(*(sign * _SATURATE * gate for sign, gate in zip(_HOLD, gates)), dim=0))
