"""torch.nn.RNN, LSTM and GRU: their ``state_dict`` taken over and given back.

Names are ``weight_ih_l0`` (G*H, C), ``weight_hh_l0`` (G*H, R), ``bias_ih_l0``, ``bias_hh_l0`` (G*H,), ``weight_hr_l0``
(P, H) with proj_size, and ``..._reverse`` for the backward direction. Gates are i, f, g, o and r, z, n, and the
equations those of `gluon_rnn.nn.fused`, as the documentation of torch.nn says; so arrays are renamed, and no more.
"""
import re

import numpy as np

from gluon_rnn.convert.blocks import implied_mode, layers_of, take
from gluon_rnn.convert.sources import as_prefixes, chosen, read_arrays
from gluon_rnn.convert.weights import stack_from

__all__ = ["from_torch", "read_torch", "to_torch"]

MODES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
_NAME = re.compile(r"(?P<prefix>(?:.*\.)?)(?P<kind>(?:weight|bias)_(?:ih|hh|hr))"
                   r"(?:_l(?P<layer>\d+)(?P<reverse>_reverse)?)?")
_OURS = {"weight_ih": "i2h_weight", "weight_hh": "h2h_weight", "weight_hr": "h2r_weight", "bias_ih": "i2h_bias",
         "bias_hh": "h2h_bias"}


def from_torch(source, layer=None, *, mode=None, prefix=None, layout="TNC"):
    """Return a block with the parameters of a ``torch.nn.RNN``, ``LSTM`` or ``GRU``.

    Parameters
    ----------
    source : mapping, str or path
        A ``state_dict`` (names to tensors or NumPy arrays) or a file of one, ``.safetensors`` or ``.npz``, of a
        larger model too. Where ``bias=False`` the biases here are 0.
    layer : block, optional
        Ours, to load into: RNN, LSTM, GRU or ProjectedLSTM, `BidirectionalStack` or `Chain` of them. Default: a new
        one whose architecture follows from the tensors. Its dtype stays, and so does what dropout it has.
    mode : {"lstm", "gru", "rnn_tanh", "rnn_relu"}, optional
        Shapes tell LSTM, GRU and RNN apart, but not the two kinds of RNN, where it is needed unless `layer` is given.
    prefix : str or list of str, optional
        What comes before ``weight_ih_l0`` in the names, such as ``"encoder."``; needed where the source holds several
        recurrent modules. Several prefixes are one stack in their order.
    layout : {"TNC", "NTC"}, default "TNC"
        Of a new block; "NTC" is what ``batch_first=True`` is there.

    Returns
    -------
    block
        ``outputs, states = block(inputs, states)``. float64 where the tensors are, else float32. `RNN`, `LSTM`, `GRU`;
        with proj_size `ProjectedLSTM`, of both directions `BidirectionalStack`; a `Chain` of unequal layers.

    Raises
    ------
    ValueError
        If the file is a pickle; if there is no recurrent module, or several and no `prefix`; if a tensor does not fit,
        the first of which is named with both shapes. Nothing is written into `layer` then.
    TypeError
        If the source or the layer are of no known kind.

    Examples
    --------
    >>> import numpy as np
    >>> state = {"weight_ih_l0": np.ones((20, 3)), "weight_hh_l0": np.ones((20, 5))}
    >>> from_torch(state)
    LSTM(3 -> 5, TNC, num_layers=1, bidirectional=False)
    """
    layers, name = read_torch(source, mode, prefix, implied_mode(layer))
    return take(layers, layer, name, layout)


def read_torch(source, mode=None, prefix=None, implied=None):
    """Return the layers in a source of `from_torch` as a list of `LayerWeights`, and how messages call the source.

    `implied` is the mode where neither tensors nor `mode` tell.
    """
    arrays, name = read_arrays(source)
    found = {}
    for key, array in arrays.items():
        match = _NAME.fullmatch(key)
        if match:
            part = f"{'r' if match['reverse'] else 'l'}_{_OURS[match['kind']]}"
            place = found.setdefault(match["prefix"], {}).setdefault(int(match["layer"] or 0), {})
            place[part] = key, array
    prefixes = chosen(as_prefixes(prefix), found, name, "weight_ih_l0")
    return [layer for one in prefixes for layer in stack_from(found[one], mode, MODES, name, implied)
            ], name


def to_torch(layer, prefix=""):
    """Return the ``state_dict`` of the ``torch.nn`` module that computes what `layer` does.

    Parameters
    ----------
    layer : block
        RNN with tanh or relu, LSTM, GRU or ProjectedLSTM, or a `BidirectionalStack` of them.
    prefix : str, default ""
        Before each name.

    Returns
    -------
    dict of {str: numpy array}
        ``safetensors.numpy.save_file`` writes it; ``{k: torch.from_numpy(v) for k, v in ...}`` is for
        ``load_state_dict``.

    Raises
    ------
    ValueError
        If torch.nn has no such layer, or the parameters are not there yet.
    TypeError
        If it is no block that can be converted.
    """
    layers, back = layers_of(layer), {ours: theirs for theirs, ours in _OURS.items()}
    kinds = {(one.mode, one.directions, one.hidden_size, one.projection_size) for one in layers}
    mode = layers[0].mode
    if mode not in MODES and mode != "projected_lstm":
        raise ValueError(f"{layer.name} is {mode}, which torch.nn does not have; keep it as it is, or export it to "
                         "ONNX")
    if len(kinds) > 1:
        raise ValueError(f"{layer.name} has layers of unequal kinds or sizes, which no module of torch.nn has; convert "
                         "each of its blocks by itself")
    return {f"{prefix}{back[name[2:]]}_l{index}{'_reverse' if name[0] == 'r' else ''}": np.ascontiguousarray(part)
            for index, one in enumerate(layers) for name, part in one.parts.items()}
