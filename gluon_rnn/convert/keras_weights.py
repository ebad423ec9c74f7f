"""LSTM, GRU and SimpleRNN of Keras, one direction or both: kernels are turned, gates sorted, biases split.

    kernel (C, G*H), recurrent_kernel (H, G*H), bias (G*H,), or (2, G*H) of a GRU with reset_after

Gates are i, f, c, o and z, r, h; ours i, f, g, o and r, z, n. Keras's state is h = z h + (1 - z) hh, as ours is. A GRU
with ``reset_after=False`` is our `ResetBeforeGRU`. ``unit_forget_bias`` says how a bias begins, and is in the bias.
"""
import pathlib
from collections.abc import Mapping

import numpy as np

from gluon_rnn.convert.blocks import implied_mode, take
from gluon_rnn.convert.keras_file import Entry, KerasFile, read_file
from gluon_rnn.convert.sources import as_array, as_prefixes
from gluon_rnn.convert.weights import LayerWeights, Origin, mode_of

__all__ = ["from_keras", "read_keras"]

MODES = {"rnn_tanh": 1, "rnn_relu": 1, "rnn_sigmoid": 1, "lstm": 4, "gru": 3, "reset_before_gru": 3}
_ROLES = ("kernel", "recurrent_kernel", "bias")
_CLASSES = ("LSTM", "GRU", "SimpleRNN")


def from_keras(source, layer=None, *, mode=None, prefix=None, layout="TNC"):
    """Return a block with the parameters of an ``LSTM``, ``GRU`` or ``SimpleRNN`` of Keras.

    Parameters
    ----------
    source : mapping, list of arrays, str or path
        ``{w.path: w.numpy() for w in model.weights}``, ``layer.get_weights()`` of one layer, or a ``.keras``,
        ``.weights.h5`` or ``.h5`` file. Layers that are ``Bidirectional`` are recognised.
    layer : block, optional
        Ours, to load into; default: a new one whose architecture follows from the arrays.
    mode : {"lstm", "gru", "reset_before_gru", "rnn_tanh", "rnn_relu", "rnn_sigmoid"}, optional
        Needed where neither shapes nor a configuration tell: for a SimpleRNN, and for a GRU without bias.
    prefix : str or list of str, optional
        Name of a layer, or of the layers of a stack in their order. Default: all recurrent layers, where they are
        known to follow each other directly; a ``.weights.h5`` file and a functional model do not tell.
    layout : {"TNC", "NTC"}, default "TNC"
        Of a new block. Keras is batch-first, which is "NTC" here.

    Returns
    -------
    block
        ``outputs, states = block(inputs, states)``: `RNN`, `LSTM`, `GRU`, `ResetBeforeGRU`, of both directions a
        `BidirectionalStack` of the last; a `Chain` of unequal layers.

    Raises
    ------
    ValueError
        If the file is a pickle or damaged; if layers are not there or it is not clear which are meant; if a layer
        computes what ours does not (other activations, ``go_backwards``, a ``merge_mode`` other than "concat"); if an
        array does not fit, the first of which is named with both shapes. Nothing is written into `layer` then.
    TypeError
        If the source or the layer are of no known kind.

    Notes
    -----
    Arrays alone do not tell activations: those of Keras's defaults are assumed for LSTM and GRU, tanh and sigmoid.
    A Masking layer in front is `valid_length` here.
    """
    layers, name = read_keras(source, mode, prefix, implied_mode(layer))
    return take(layers, layer, name, layout)


def read_keras(source, mode=None, prefix=None, implied=None):
    """Return the layers in a source of `from_keras` as a list of `LayerWeights`, and how messages call the source.

    `implied` is the mode where neither arrays, nor a configuration, nor `mode` tell.
    """
    file, name = _opened(source)
    found, runs = _grouped(file.entries, name)
    runs = runs if file.order is None else file.order
    names = _chosen(as_prefixes(prefix), list(found), [[one for one in run if one in found] for run in _split(
        runs, found)], name)
    return [_layer(found[one], name, given=_told_mode(file.configs.get(one), one, name) or mode, implied=implied)
            for one in names], name


def _opened(source):
    if isinstance(source, Mapping):
        entries = [Entry(None, str(key), as_array(value, key)) for key, value in source.items()]
        return KerasFile(entries, {}, None), "the mapping"
    if isinstance(source, (list, tuple)):
        return KerasFile(_listed(source), {}, None), "the list"
    if isinstance(source, (str, pathlib.Path)):
        return read_file(source)
    raise TypeError("expected a mapping of names to arrays, get_weights() of a layer, or a .keras, .weights.h5 or .h5 "
                    f"file, got {type(source).__name__}")


def _listed(arrays):
    """Return the entries of ``get_weights()``: two or three arrays, twice as many of both directions."""
    if len(arrays) not in (2, 3, 4, 6):
        raise ValueError("expected get_weights() of one recurrent layer, 2 or 3 arrays, or 4 or 6 of both directions; "
                         f"got {len(arrays)}")
    names = _ROLES[:len(arrays) if len(arrays) < 4 else len(arrays) // 2]
    names = names if len(arrays) < 4 else [f"layer/{way}_layer/{name}" for way in ("forward", "backward")
                                           for name in names]
    return [Entry(None, name, as_array(array, name)) for name, array in zip(names, arrays)]


# ---- names ---------------------------------------------------------------------------------------------------------

def _grouped(entries, source):
    """Return {layer: {"l" or "r": {role: Entry}}} of recurrent layers, and runs of layers that may be a stack."""
    groups, order = {}, []
    for entry in entries:
        layer, direction, role = _parsed(entry)
        place = groups.setdefault(layer, {}).setdefault(direction, {})
        if role in place:
            raise ValueError(f"{entry.name} and {place[role].name} of {source} are both the {role} of layer {layer!r}; "
                             "pass the arrays of the layer by themselves")
        place[role] = entry
        if layer not in order:
            order.append(layer)
    found = {layer: sides for layer, sides in groups.items() if any("recurrent_kernel" in side for side in
                                                                    sides.values())}
    in_files = any(entry.layer is not None for entry in entries)          # which sort their groups by name
    return found, [[layer] for layer in order] if in_files else [order]


def _parsed(entry):
    """Return layer, direction and role of an array; the role of what is no part of a cell is its name."""
    *parts, role = entry.name.split(":")[0].split("/")
    if len(parts) > 1 and parts[-2:] == ["cell", "vars"] and role in ("0", "1", "2"):
        parts, role = parts[:-2], _ROLES[int(role)]
    elif parts and "cell" in parts[-1]:
        parts = parts[:-1]
    direction = "l"
    if len(parts) > 1 and parts[-1].startswith(("forward_", "backward_")):
        direction = "r" if parts.pop().startswith("b") else "l"
    return "/".join(parts) if entry.layer is None else entry.layer, direction, role


def _split(runs, found):
    """Return the runs, each broken where a layer that is not recurrent stands between."""
    pieces = []
    for run in runs:
        pieces.append([])
        for layer in run:
            if layer in found:
                pieces[-1].append(layer)
            else:
                pieces.append([])
    return [piece for piece in pieces if piece]


def _chosen(prefixes, known, runs, source):
    """Return the names of the layers that are meant; ValueError where that is not clear."""
    if prefixes is None:
        if len(runs) == 1:
            return runs[0]
        what = "at all" if not known else ("of which one is meant, since it is not known which follow each other "
                                           "directly")
        raise ValueError(f"{source} has no recurrent layer {what} (arrays such as lstm/lstm_cell/recurrent_kernel); "
                         f"layers found: {known or 'none'}" + ("; pass prefix=" if known else ""))
    names = []
    for prefix in prefixes:
        fits = [name for name in known if name == prefix or name.endswith(f"/{prefix}")]
        if len(fits) != 1:
            raise ValueError(f"{source} has {'no' if not fits else 'more than one'} recurrent layer {prefix!r}; layers "
                             f"found: {known or 'none'}")
        names += fits
    return names


# ---- what a configuration says ---------------------------------------------------------------------------------------

def _told_mode(configured, name, source):
    """Return the mode that the configuration of a layer says, None without one; ValueError if ours differ."""
    if configured is None:
        return None
    kind, config = configured
    if kind == "Bidirectional":
        _require(config.get("merge_mode", "concat") == "concat", f"merge_mode={config.get('merge_mode')!r}", name,
                 source, "concatenates both directions")
        kind, config = config["layer"]["class_name"], config["layer"]["config"]
    if kind not in _CLASSES:
        raise ValueError(f"layer {name!r} of {source} is {kind}; only {', '.join(_CLASSES)} and Bidirectional of them "
                         "can be converted")
    _require(not config.get("go_backwards"), "go_backwards=True", name, source, "reads forward; reverse its inputs")
    activation = config.get("activation", "tanh")
    if kind == "SimpleRNN":
        _require(activation in ("tanh", "relu", "sigmoid"), f"activation={activation!r}", name, source,
                 "has tanh, relu or sigmoid")
        return f"rnn_{activation}"
    gates = config.get("recurrent_activation", "sigmoid")
    _require(activation == "tanh", f"activation={activation!r}", name, source, "has tanh")
    _require(gates == "sigmoid", f"recurrent_activation={gates!r}", name, source, "has sigmoid")
    if kind == "LSTM":
        return "lstm"
    return "gru" if config.get("reset_after", False) else "reset_before_gru"


def _require(holds, said, name, source, ours):
    if not holds:
        raise ValueError(f"layer {name!r} of {source} has {said}, but ours {ours}; it cannot be converted")


# ---- arrays --------------------------------------------------------------------------------------------------------

def _layer(sides, source, **modes):
    parts, origins, kinds = {}, {}, set()
    for direction, side in sorted(sides.items()):
        for role in _ROLES[:2]:
            if role not in side:
                beside = ", ".join(entry.name for entry in side.values())
                raise ValueError(f"{source} has no {role} beside {beside}")
        _check_axes(side, source)
        kind = _kind(side, source, **modes)
        kinds.add(kind)
        for part, entry, array in _converted(side, kind):
            parts[f"{direction}_{part}"], origins[f"{direction}_{part}"] = array, Origin(entry.name, entry.array.shape)
    if len(kinds) > 1:
        raise ValueError(f"the directions of {next(iter(sides['l'].values())).name} of {source} are {sorted(kinds)}, "
                         "but must be of one kind")
    return LayerWeights(kinds.pop(), parts, origins)


def _check_axes(side, source):
    for role, entry in side.items():
        axes = entry.array.ndim
        if role in _ROLES and axes != 2 and not (role == "bias" and axes == 1):
            raise ValueError(f"{entry.name} of {source} has shape {entry.array.shape}; the kernels of an LSTM, GRU or "
                             "SimpleRNN have two axes, a bias one or two")


def _kind(side, source, given, implied):
    """Return the mode of one direction."""
    recurrent, bias = side["recurrent_kernel"], side.get("bias")
    units, columns = recurrent.array.shape
    allowed = dict(MODES)
    if bias is not None and columns == 3 * units:                         # its shape tells one GRU from the other
        allowed.pop("reset_before_gru" if bias.array.ndim == 2 else "gru")
        if given in MODES and given not in allowed and MODES[given] == 3:
            needed = (2, columns) if given == "gru" else (columns,)
            raise ValueError(f"{bias.name} of {source} has shape {bias.array.shape}, but mode {given!r} of {units} "
                             f"units needs {needed}")
    if given is not None and given not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {given!r}")
    return mode_of(Origin(recurrent.name, recurrent.array.shape), given, allowed, source, units=units, axis=1,
                   implied=implied)


def _converted(side, mode):
    """Yield (part, Entry, array) of one direction with our orientation and order of gates."""
    order = (1, 0, 2) if MODES[mode] == 3 else range(MODES[mode])         # z, r, h to r, z, n
    for role, part in (("kernel", "i2h_weight"), ("recurrent_kernel", "h2h_weight"), ("bias", "i2h_bias")):
        if role not in side:
            continue
        entry = side[role]
        turned = entry.array.T if role != "bias" else entry.array
        if role == "bias" and entry.array.ndim == 2:
            yield part, entry, _sorted_gates(turned[0], order)
            yield "h2h_bias", entry, _sorted_gates(turned[1], order)
        else:
            yield part, entry, _sorted_gates(turned, order)


def _sorted_gates(array, order):
    """Return `array` (G*H, ...) with its gates in another order; as it is where they cannot be told apart."""
    count = len(order)
    if array.shape[0] % count:
        return array                                                      # its shape is refused later, in one sentence
    gates = np.split(array, count)
    return np.concatenate([gates[index] for index in order])
