"""The flat parameter vector of a fused recurrent layer, and the names of its parts.

MXNet's fused operator reads all weights and biases of a layer from one vector: first every weight, then every bias,
``l_i2h, l_h2h, r_i2h, r_h2h`` in each (l: forward direction, r: backward), gates stacked in the order of `GATES`.
A layer that owns this vector need not join its arrays at every call.
"""
from collections import OrderedDict, namedtuple

import mxnet as mx
import numpy as np

from gluon_rnn.nn.functional import concat, concat_vectors
from gluon_rnn.nn.initializers import as_initializer

__all__ = ["FlatLayout", "FlatInitializer", "Part", "GATES", "drop_h2h", "split_directions", "hold_cell"]

# Large enough to saturate a sigmoid exactly (0 or 1) in float16, float32 and float64, small enough for float16.
_SATURATE = 1e4

#: gate names in the order in which the fused operator stacks them; "h" is the only "gate" of an Elman network
GATES = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "ifgo", "gru": "rzn"}

# Which way each gate of an LSTM saturates where its cell state is held still: i, f, g, o.
_HOLD = (-1, 1, 0, 0)

Part = namedtuple("Part", "name begin end shape")


class FlatLayout:
    """Where each named part of one layer's flat vector (P,) lies: weights (G*H, C) and (G*H, H), biases (G*H,).

    Parameters
    ----------
    mode : {"rnn_tanh", "rnn_relu", "lstm", "gru"}
    input_size : int
        0 while it is not known yet.
    hidden_size : int
    bidirectional : bool
    """

    def __init__(self, mode, input_size, hidden_size, bidirectional=False):
        self.mode, self.gates = mode, GATES[mode]
        self.input_size, self.hidden_size = input_size, hidden_size
        self.directions = "lr" if bidirectional else "l"

    @property
    def fixed_size(self):
        """Number of entries that do not depend on the input size: h2h weights and both biases."""
        return len(self.directions) * len(self.gates) * self.hidden_size * (self.hidden_size + 2)

    @property
    def size(self):
        """Length of the vector; 0 while the input size is not known."""
        if not self.input_size:
            return 0
        return self.fixed_size + len(self.directions) * len(self.gates) * self.hidden_size * self.input_size

    def for_size(self, size):
        """Return the layout of a vector of `size` entries: the same layer, its input size read off the length."""
        stacked = len(self.directions) * len(self.gates) * self.hidden_size
        input_size, rest = divmod(size - self.fixed_size, stacked)
        assert rest == 0 and input_size > 0, (size, self.mode, self.hidden_size)
        return FlatLayout(self.mode, input_size, self.hidden_size, len(self.directions) == 2)

    def parts(self):
        """Return the `Part`s in the order of the vector; names are ``l_i2h_weight`` and the like."""
        stacked = len(self.gates) * self.hidden_size
        shapes = OrderedDict()
        for kind, columns in (("weight", (self.input_size, self.hidden_size)), ("bias", (None, None))):
            for direction in self.directions:
                for source, width in zip(("i2h", "h2h"), columns):
                    shapes[f"{direction}_{source}_{kind}"] = (stacked, width) if width else (stacked,)
        begin, parts = 0, []
        for name, shape in shapes.items():
            end = begin + int(np.prod(shape))
            parts.append(Part(name, begin, end, shape))
            begin = end
        return parts

    def bias_begin(self):
        """Return the index of the first bias; all entries from there on are biases."""
        return self.size - len(self.directions) * len(self.gates) * self.hidden_size * 2


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
        self._initializers[name[2:]]._init_weight(mx.init.InitDesc(name), values)
        return values


def drop_h2h(F, vector, layout, rate):
    """Return the flat `vector` with dropout on its recurrent weights alone (weight drop)."""
    pieces, weights_end = [], layout.bias_begin()
    for part in layout.parts():
        if part.name.endswith("weight"):
            piece = F.slice_axis(vector, axis=0, begin=part.begin, end=part.end)
            pieces.append(F.Dropout(piece, p=rate) if "h2h" in part.name else piece)
    return concat_vectors(F, *pieces, F.slice_axis(vector, axis=0, begin=weights_end, end=None))


def split_directions(F, vector, layout):
    """Return the flat vectors of the forward and of the backward direction alone, of a layout of known input size.

    All parts are rows of G * H numbers, so that each vector is one gathering of rows: half of what slices and joins
    take, backwards above all.
    """
    rows = F.reshape(vector, shape=(-1, len(layout.gates) * layout.hidden_size))         # (2 (C + H) + 4, G * H)
    numbers = F.contrib.arange_like(F.cast(F.BlockGrad(F.slice_axis(rows, axis=1, begin=0, end=1)), dtype="int32"))
    weights, directions = layout.input_size + layout.hidden_size, []
    for direction in (0, 1):
        begins = (direction * weights, 2 * (weights + direction))         # of its weights, of its two biases
        own = F.concat(*(F.slice_axis(numbers, axis=0, begin=begin, end=begin + count)
                         for begin, count in zip(begins, (weights, 2))), dim=0)
        directions.append(F.reshape(F.take(rows, F.reshape(own, shape=(-1,)), axis=0), shape=(-1,)))
    return directions


def hold_cell(F, inputs, vector, padding, hidden_size):
    """Return inputs and flat vector of an LSTM whose cell state stands still where `padding` (T, N, 1) is 1.

    One more input feature, 1 on padding, shuts the input gate and opens the forget gate: c_t = c_{t-1} exactly, and no
    gradient passes through these gates there.
    """
    stacked = len(_HOLD) * hidden_size                                    # G * H
    rest = stacked * (hidden_size + 2)                                    # behind the weights that a feature adds to
    i2h = F.reshape(F.slice_axis(vector, axis=0, begin=0, end=-rest), shape=(stacked, -1))
    i2h = F.concat(i2h, _hold_column(F, i2h), dim=1)                      # (G * H, C + 1)
    vector = concat_vectors(F, F.reshape(i2h, shape=(-1,)), F.slice_axis(vector, axis=0, begin=-rest, end=None))
    return concat(F, inputs, F.BlockGrad(padding)), vector


def _hold_column(F, weight):
    """Return the weights (G * H, 1) from the feature that is 1 on padding to each gate."""
    gates = F.split(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), num_outputs=len(_HOLD), axis=0)
    return F.BlockGrad(F.concat(*(sign * _SATURATE * gate for sign, gate in zip(_HOLD, gates)), dim=0))
