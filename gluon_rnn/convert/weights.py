"""What every reader makes of a foreign checkpoint: the weights of each layer by our names, in our order of gates.

A layer's parts are named as in `gluon_rnn.nn.flat`: ``l_i2h_weight`` (G*H, C), ``l_h2h_weight`` (G*H, R),
``l_i2h_bias`` and ``l_h2h_bias`` (G*H,), ``r_...`` for the backward direction; R is H, or P where a state is projected
by ``l_h2r_weight`` (P, H). Gates are stacked in the order h, or i, f, g, o, or r, z, n.
"""
import dataclasses
from collections import namedtuple

import numpy as np

__all__ = ["GATES", "LayerWeights", "Origin", "check_stack", "mode_of", "part_shapes", "stack_from", "told"]

#: number of gates G of each kind of layer that can be converted
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "rnn_sigmoid": 1, "lstm": 4, "gru": 3, "reset_before_gru": 3,
         "projected_lstm": 4, "peephole_lstm": 4}

#: Where a part comes from: the tensor's name and its shape there, which may be transposed or hold several parts.
Origin = namedtuple("Origin", "name shape")


@dataclasses.dataclass
class LayerWeights:
    """One layer of one or two directions.

    Attributes
    ----------
    mode : str
        A key of `GATES`.
    parts : dict of {str: numpy array}
        A bias that the source lacks is left out.
    origins : dict of {str: Origin}
        For messages; the same keys.
    """

    mode: str
    parts: dict
    origins: dict

    @property
    def directions(self):
        """"lr" for both directions, else "l"."""
        return "lr" if "r_h2h_weight" in self.parts else "l"

    @property
    def projection_size(self):
        """P, or 0 where the state is not projected."""
        return self.parts["l_h2r_weight"].shape[0] if "l_h2r_weight" in self.parts else 0

    @property
    def hidden_size(self):
        """H, units a direction."""
        return self.parts["l_h2h_weight"].shape[0] // GATES[self.mode]

    @property
    def input_size(self):
        """Number of input features C."""
        return self.parts["l_i2h_weight"].shape[-1]

    @property
    def output_size(self):
        """Number of output features of all directions."""
        return len(self.directions) * (self.projection_size or self.hidden_size)

    @property
    def dtype(self):
        """Of all parts together: float64, or float32 for narrower ones too, in which a CPU cannot compute."""
        return np.result_type("float32", *(part.dtype for part in self.parts.values())).name

    def shapes(self, input_size=None):
        """Return the shape of every part that a layer of these sizes has; `input_size` is its own unless given."""
        inputs = self.input_size if input_size is None else input_size
        return part_shapes(self.mode, self.directions, inputs, self.hidden_size, self.projection_size)

    def complete(self):
        """Return all parts; a bias that the source lacks is 0, and so is a peephole."""
        return {name: self.parts[name] if name in self.parts else np.zeros(shape, self.dtype)
                for name, shape in self.shapes().items()}


def part_shapes(mode, directions, input_size, hidden_size, projection_size=0):
    """Return {name: shape} of the parts of a layer, in the order in which they are compared."""
    stacked, found = GATES[mode] * hidden_size, {}
    for direction in directions:
        own = {"i2h_weight": (stacked, input_size), "h2h_weight": (stacked, projection_size or hidden_size)}
        if mode == "projected_lstm":
            own["h2r_weight"] = (projection_size, hidden_size)
        own.update(i2h_bias=(stacked,), h2h_bias=(stacked,))
        if mode == "peephole_lstm":
            own.update(dict.fromkeys(("peephole_i", "peephole_f", "peephole_o"), (hidden_size,)))
        found.update({f"{direction}_{name}": shape for name, shape in own.items()})
    return found


def mode_of(origin, given, allowed, source, *, units, axis=0, implied=None):
    """Return the kind of a layer by its recurrent weights, and check the kind that was `given`.

    Parameters
    ----------
    origin : Origin
        Of the recurrent weights.
    given : str or None
        What the caller says, which a source may need.
    allowed : dict of {str: int}
        The kinds that this source can hold, and their numbers of gates.
    units, axis : int
        H, and the axis of these weights along which the gates are stacked.
    implied : str, optional
        The kind that is meant where several have so many gates and none is given.

    Raises
    ------
    ValueError
        If no kind has so many gates, the given one has others, or several have them and none is given.
    """
    rows = origin.shape[axis]
    where = f"{origin.name} of {source} has shape {tuple(origin.shape)}"
    if given is not None:
        if given not in allowed:
            raise ValueError(f"mode must be one of {', '.join(allowed)}, got {given!r}")
        if rows != allowed[given] * units:
            expected = list(origin.shape)
            expected[axis] = allowed[given] * units
            raise ValueError(f"{where}, but mode {given!r} of {units} units needs {tuple(expected)}; leave mode out, "
                             "or give that of the layer that was saved")
        return given
    found = [mode for mode, count in allowed.items() if rows == count * units]
    if not found:
        raise ValueError(f"{where}: {rows} rows for {units} units are those of none of {', '.join(allowed)}")
    if len(found) > 1 and implied in found:
        return implied
    if len(found) > 1:
        raise ValueError(f"{where}: no tensor tells {' from '.join(found)}; pass mode=")
    return found[0]


def stack_from(by_layer, mode, allowed, source, implied=None):
    """Return the `LayerWeights` of a stack whose tensors have our parts and gates already.

    Parameters
    ----------
    by_layer : dict of {int: dict of {str: (str, array)}}
        Of each layer its parts by our names, and the name of each in the source.
    mode, allowed, source, implied
        As in `mode_of`, `mode` being what is given.
    """
    for index, layer in enumerate(sorted(by_layer)):
        if index != layer:
            raise ValueError(f"{source} has tensors of layer {layer}, but none of layer {index}")
    return [_layer_from(by_layer[index], index, source, given=mode, allowed=allowed, implied=implied)
            for index in range(len(by_layer))]


def _layer_from(parts, index, source, **modes):
    origins = {part: Origin(key, array.shape) for part, (key, array) in parts.items()}
    arrays = {part: array for part, (_, array) in parts.items()}
    for part in ("l_i2h_weight", "l_h2h_weight"):
        if part not in arrays:
            raise ValueError(f"{source} has no {part[2:]} of layer {index}, beside "
                             f"{', '.join(sorted(origin.name for origin in origins.values()))}")
    for part, origin in origins.items():
        if len(origin.shape) != (2 if part.endswith("_weight") else 1):
            raise ValueError(f"{origin.name} of {source} has shape {origin.shape}; a weight has two axes, a bias one")
    h2h, h2r = arrays["l_h2h_weight"], arrays.get("l_h2r_weight")
    units = (h2h if h2r is None else h2r).shape[1]
    found = mode_of(origins["l_h2h_weight"], source=source, units=units, **modes)
    if h2r is None:
        return LayerWeights(found, arrays, origins)
    if found != "lstm":
        raise ValueError(f"{origins['l_h2r_weight'].name} of {source} projects a state, which an LSTM alone does, but "
                         f"the other tensors are those of mode {found!r}")
    return LayerWeights("projected_lstm", arrays, origins)


def check_stack(layers, source):
    """Raise ValueError unless the parts of each layer fit together, and each layer fits the one before.

    The sentence names the first tensor that does not fit, with both shapes.
    """
    behind = None
    for index, layer in enumerate(layers):
        for name, shape in layer.shapes(behind).items():
            part = layer.parts.get(name)
            if part is None and name.endswith("_weight"):
                raise ValueError(f"{source} has no {name} {shape} of layer {index}, which the other tensors ask for")
            if part is not None and part.shape != shape:
                reason = f"{behind} features from the layer before" if name.endswith("i2h_weight") and behind else (
                    f"{layer.hidden_size} units of {layer.mode}")
                raise ValueError(f"{told(layer, name, source)}, but {reason} ask for {shape}; the tensors are not "
                                 "those of one stack of layers")
        behind = layer.output_size


def told(layer, name, source):
    """Return where a part comes from and its shape: ``weight_ih_l0 of model.safetensors has shape (20, 3)``."""
    origin, shape = layer.origins[name], layer.parts[name].shape
    here = "" if tuple(origin.shape) == shape else f", {name} here with {shape}"
    return f"{origin.name} of {source} has shape {tuple(origin.shape)}{here}"
