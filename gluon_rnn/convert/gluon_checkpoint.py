"""Layers of mxnet.gluon.rnn and files of them, taken over and given back.

Both name a layer's parameters alike: ``l0_i2h_weight`` (G*H, C), ``l0_h2h_weight`` (G*H, H), ``l0_i2h_bias`` and
``l0_h2h_bias`` (G*H,), with ``r0_`` for the backward direction; gates are stacked in the same order.
"""
import pathlib
import re
from collections.abc import Mapping

import mxnet as mx
import numpy as np

from gluon_rnn import nn, params_file
from gluon_rnn.convert.blocks import take
from gluon_rnn.convert.sources import as_prefixes, chosen, read_params
from gluon_rnn.convert.weights import stack_from

__all__ = ["MODES", "from_gluon", "load_gluon_parameters", "read_gluon", "stacks_in", "to_gluon"]

#: what a file can hold, and numbers of gates
MODES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}

_OURS = {"rnn_tanh": nn.RNN, "rnn_relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
_THEIRS = {nn.RNN: mx.gluon.rnn.RNN, nn.LSTM: mx.gluon.rnn.LSTM, nn.GRU: mx.gluon.rnn.GRU}

# The three ways in which Gluon's files spell a name: save_parameters of one direction and of two, and parameter names.
_UNFUSED = re.compile(r"(?P<prefix>.*?)_unfused\.(?P<layer>\d+)\.(?:(?P<direction>[lr])_cell\.)?"
                      r"(?P<rest>(?:i2h|h2h|h2r)_(?:weight|bias))")
_PLAIN = re.compile(r"(?P<prefix>.*?)(?P<direction>[lr])(?P<layer>\d+)_(?P<rest>(?:i2h|h2h|h2r)_(?:weight|bias))")


def from_gluon(layer, *, mode=None, prefix=None, layout="TNC"):
    """Return our layer with the sizes, settings and parameters of an ``mxnet.gluon.rnn`` layer, or of a file of one.

    Parameters
    ----------
    layer : mxnet.gluon.rnn.RNN, LSTM or GRU, or str, path or mapping
        Initialised, its input size known; or a ``.params`` file, or names to arrays, whose shapes say what it is.
    mode : {"lstm", "gru", "rnn_tanh", "rnn_relu"}, optional
        For a file: needed for the two kinds of RNN, which shapes do not tell apart.
    prefix : str or list of str, optional
        For a file: as in `load_gluon_parameters`. Several prefixes are one stack in their order.
    layout : {"TNC", "NTC"}, default "TNC"
        For a file: of the new block. A layer's own is kept.

    Raises
    ------
    TypeError
        If it is no such layer.
    ValueError
        If a layer has a projection or clips its state, or its parameters are not there yet; if a file holds no such
        layer, or several and no `prefix` says which.
    """
    if isinstance(layer, (str, pathlib.Path, Mapping)):
        layers, name = read_gluon(layer, mode, prefix)
        return take(layers, None, name, layout)
    if not isinstance(layer, tuple(_THEIRS.values())):
        raise TypeError(f"expected mxnet.gluon.rnn.RNN, LSTM or GRU, got {type(layer).__name__}; "
                        "convert each recurrent layer of a model by itself")
    if layer._projection_size:
        raise ValueError(f"{layer.name} projects its state to {layer._projection_size} features, which our fused "
                         "layers do not; only layers without projection_size can be converted")
    if layer._lstm_state_clip_min is not None or layer._lstm_state_clip_max is not None:
        raise ValueError(f"{layer.name} clips its cell state, which our layers do not; set state_clip_min and "
                         "state_clip_max to None if the clipping never acts")
    values = {name: _initialised(layer, parameter) for name, parameter in layer._reg_params.items()}
    first = values["l0_i2h_weight"]
    settings = {"activation": layer._mode.split("_")[1]} if layer._mode.startswith("rnn_") else {}
    ours = _OURS[layer._mode](layer._hidden_size, layer._num_layers, layout=layer._layout, dropout=layer._dropout,
                              bidirectional=layer._dir == 2, input_size=first.shape[1],
                              dtype=_name(first.dtype), **settings)
    ours.initialize(ctx=first.context)
    _set_all(ours, values, layer.name)
    return ours


def to_gluon(layer):
    """Return an ``mxnet.gluon.rnn`` layer with the sizes, settings and parameters of our `layer`.

    Raises
    ------
    TypeError
        If it is none of ours.
    ValueError
        If it has a dropout that Gluon's layers do not know, or its input size is not known yet.
    """
    kind = next((kind for kind in _THEIRS if isinstance(layer, kind)), None)
    if kind is None:
        raise TypeError(f"expected gluon_rnn.nn.RNN, LSTM or GRU, got {type(layer).__name__}")
    if layer._drop_h or layer._weight_drop:
        raise ValueError(f"{layer.name} has drop_h={layer._drop_h} and weight_drop={layer._weight_drop}, which "
                         "mxnet.gluon.rnn does not know; set both to 0 to convert")
    if layer.mode == "rnn_sigmoid":
        raise ValueError(f"{layer.name} has activation='sigmoid', which mxnet.gluon.rnn does not know; keep it "
                         "as it is")
    values = layer.parts()
    first = values["l0_i2h_weight"]
    settings = {"activation": layer.mode.split("_")[1]} if kind is nn.RNN else {}
    theirs = _THEIRS[kind](layer.hidden_size, layer.num_layers, layout=layer.layout, dropout=layer._dropout,
                           bidirectional=layer.bidirectional, input_size=first.shape[1], dtype=_name(first.dtype),
                           **settings)
    theirs.initialize(ctx=first.context)
    for name, value in values.items():
        theirs._reg_params[name].set_data(value)
    return theirs


def load_gluon_parameters(layer, path, prefix=None):
    """Fill our `layer` from any file with the parameters of an ``mxnet.gluon.rnn`` layer in it.

    For a file of the layer's own ``save_parameters``, or of a model's with ours in its place, `load_parameters` is
    enough. This takes the one layer out of files of ``export`` and ``collect_params().save``, and of larger models.

    Parameters
    ----------
    layer : gluon_rnn.nn.RNN, LSTM or GRU
        Of the same sizes as the one that was saved; one that is not initialised yet is initialised on the CPU.
    path : str or path
        Names in it are such as ``_unfused.0.i2h_weight`` or ``lstm0_l0_i2h_weight``.
    prefix : str, optional
        What comes before these names in the file, for instance ``"encoder."``; needed only if the file holds several
        recurrent layers.

    Raises
    ------
    ValueError
        If the file holds no such layer, several, or one of another size.
    """
    found = {}
    for key, value in params_file.load(path).items():
        match = _match(key.split(":", 1)[-1])  # files of export say arg:name
        if match:
            found.setdefault(match[0], {})[match[1]] = value
    if prefix is None and len(found) == 1:
        prefix = next(iter(found))
    if prefix not in found:
        what = f"with the prefix {prefix!r}" if prefix is not None else "of which one is meant" if found else "at all"
        raise ValueError(f"{str(path)!r} has no recurrent layer {what}; prefixes found: {sorted(found) or 'none'}"
                         + ("; pass prefix=" if found else ""))
    _set_all(layer, found[prefix], str(path))


def read_gluon(source, mode=None, prefix=None):
    """Return the layers in a file or mapping as a list of `LayerWeights`, and how messages call it."""
    arrays, name = read_params(source)
    found = stacks_in(arrays)
    prefixes = chosen(as_prefixes(prefix), found, name, "_unfused.0.i2h_weight")
    return [layer for one in prefixes for layer in stack_from(found[one], mode, MODES, name)], name


def stacks_in(arrays):
    """Return {prefix: {layer: {part: (name, array)}}} of all recurrent layers among named arrays."""
    found = {}
    for key, array in arrays.items():
        match = _match(key)
        if match:
            direction, layer, rest = re.fullmatch(r"([lr])(\d+)(_.*)", match[1]).groups()
            found.setdefault(match[0], {}).setdefault(int(layer), {})[direction + rest] = key, array
    return found


def _match(key):
    """Return (prefix, our name) of a key such as ``encoder._unfused.0.l_cell.i2h_weight``; None for other keys."""
    match = _UNFUSED.fullmatch(key) or _PLAIN.fullmatch(key)
    if match is None:
        return None
    return match["prefix"], f"{match['direction'] or 'l'}{match['layer']}_{match['rest']}"


def _set_all(layer, values, source):
    """Set every parameter of our `layer`; names and shapes must be the same on both sides."""
    parameters = layer._reg_params
    missing, extra = sorted(set(parameters) - set(values)), sorted(set(values) - set(parameters))
    if missing or extra:
        raise ValueError(f"{source} does not fit {layer.name}: it lacks {missing or 'nothing'} and has "
                         f"{extra or 'nothing'} in excess; num_layers and bidirectional must be those of the saved "
                         "layer")
    for name, value in values.items():
        shape = parameters[name].shape
        if len(shape) != len(value.shape) or any(old not in (0, new) for old, new in zip(shape, value.shape)):
            raise ValueError(f"{name} of {source} has shape {value.shape}, but {layer.name} needs {shape}; cell, "
                             "hidden_size and input_size must be those of the saved layer")
    for name, value in values.items():
        parameters[name]._load_init(value, None, cast_dtype=True)


def _initialised(layer, parameter):
    """Return the array of `parameter`, or say that there is none yet."""
    try:
        return parameter.data(parameter.list_ctx()[0])
    except (mx.gluon.parameter.DeferredInitializationError, RuntimeError):
        raise ValueError(f"{layer.name} has no parameters yet ({parameter.name} is not initialised); call "
                         "initialize() and run it once, or load its parameters, before converting it") from None


def _name(dtype):
    return np.dtype(dtype).name
