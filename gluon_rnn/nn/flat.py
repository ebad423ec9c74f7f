"""The flat parameter vector of a fused recurrent layer, and the names of its parts.

MXNet's fused operator reads all weights and biases of a layer from one vector: first every weight, then every bias,
``l_i2h, l_h2h, r_i2h, r_h2h`` in each (l: forward direction, r: backward), gates stacked in the order of `GATES`.
A layer that owns this vector need not concatenate its arrays at every call.
"""
from collections import OrderedDict, namedtuple

import numpy as np

from gluon_rnn.nn.functional import concat, concat_vectors

__all__ = ["FlatLayout", "Part", "GATES", "drop_h2h", "hold_cell", "parts_in_graph", "split_directions"]

# Large enough to saturate a sigmoid exactly (0 or 1) in float16, float32 and float64, small enough for float16.
_SATURATE = 1e4

#: gate names in the order in which the fused operator stacks them; "h" is the only "gate" of an Elman network
GATES = {"rnn_tanh": "h", "rnn_relu": "h", "rnn_sigmoid": "h", "lstm": "ifgo", "gru": "rzn"}

# Which way each gate of an LSTM saturates where its cell state is held still: i, f, g, o.
_HOLD = (-1, 1, 0, 0)

Part = namedtuple("Part", "name begin end shape")


class FlatLayout:
    """Where each named part of one layer's flat vector (P,) lies: weights (G*H, C) and (G*H, H), biases (G*H,).

    Parameters
    ----------
    mode : {"rnn_tanh", "rnn_relu", "rnn_sigmoid", "lstm", "gru"}
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

    def input_size_for(self, size):
        """Return the input size of a layer whose vector has `size` entries; ValueError if no such layer has."""
        stacked = len(self.directions) * len(self.gates) * self.hidden_size
        input_size, rest = divmod(size - self.fixed_size, stacked)
        if rest or input_size < 1:
            raise ValueError(f"no {self.mode} layer of {self.hidden_size} units has {size} parameters; mode, "
                             "hidden_size and bidirectional must be those of the layer that was saved")
        return input_size

    def parts(self):
        """Return the `Part`s in the order of the vector; names are ``l_i2h_weight`` and the like."""
        stacked = len(self.gates) * self.hidden_size
        shapes = OrderedDict()
        for kind, columns in (("weight", [(self.input_size,), (self.hidden_size,)]), ("bias", [(), ()])):
            for direction in self.directions:
                for source, width in zip(("i2h", "h2h"), columns):
                    shapes[f"{direction}_{source}_{kind}"] = (stacked, *width)
        begin, parts = 0, []
        for name, shape in shapes.items():
            end = begin + int(np.prod(shape))
            parts.append(Part(name, begin, end, shape))
            begin = end
        return parts


def parts_in_graph(F, vector, layout):
    """Return {"i2h_weight": (G*H, C), ...} of the flat `vector` of one direction; C may be free in a graph."""
    stacked, names = len(layout.gates) * layout.hidden_size, ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
    begins = (0, -stacked * (layout.hidden_size + 2), -2 * stacked, -stacked, None)
    parts = {name: F.slice_axis(vector, axis=0, begin=begin, end=end)
             for name, begin, end in zip(names, begins, begins[1:])}
    for name in names[:2]:
        parts[name] = F.reshape(parts[name], shape=(stacked, -1))
    return parts


def drop_h2h(F, vector, layout, rate):
    """Return the flat `vector` with dropout on its recurrent weights alone (weight drop)."""
    directions, stacked = len(layout.directions), len(layout.gates) * layout.hidden_size
    weights = F.slice_axis(vector, axis=0, begin=0, end=-2 * directions * stacked)
    weights = F.reshape(weights, shape=(directions, -1))                  # a row a direction, i2h before h2h
    recurrent = -stacked * layout.hidden_size
    dropped = F.Dropout(F.slice_axis(weights, axis=1, begin=recurrent, end=None), p=rate)
    weights = F.concat(F.slice_axis(weights, axis=1, begin=0, end=recurrent), dropped, dim=1)
    biases = F.slice_axis(vector, axis=0, begin=-2 * directions * stacked, end=None)
    return concat_vectors(F, F.reshape(weights, shape=(-1,)), biases)


def split_directions(F, vector, layout):
    """Return the flat vectors of the forward and of the backward direction alone.

    All parts are rows of G * H numbers, so that each vector is one gathering of rows: half of what slices and
    concatenations take, backward above all.
    """
    rows = F.reshape(vector, shape=(-1, len(layout.gates) * layout.hidden_size))         # (2 (C + H) + 4, G * H)
    numbers = F.contrib.arange_like(F.cast(F.BlockGrad(F.slice_axis(rows, axis=1, begin=0, end=1)), dtype="int32"))
    weights = F.reshape(F.slice_axis(numbers, axis=0, begin=0, end=-4), shape=(2, -1))   # of each direction
    biases = F.reshape(F.slice_axis(numbers, axis=0, begin=-4, end=None), shape=(2, 2))
    own = F.concat(weights, biases, dim=1)                                # (2, C + H + 2)
    return [F.reshape(F.take(rows, F.reshape(F.slice_axis(own, axis=0, begin=direction, end=direction + 1),
                                             shape=(-1,)), axis=0), shape=(-1,)) for direction in (0, 1)]


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
