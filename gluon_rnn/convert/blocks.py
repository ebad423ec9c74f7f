"""From weights to a block of ours, and into one that is there; all is checked before the first array is written."""
import mxnet as mx

from gluon_rnn import nn
from gluon_rnn.convert.weights import LayerWeights, Origin, check_stack, part_shapes, told
from gluon_rnn.nn.bidirectional import Bidirectional, BidirectionalStack
from gluon_rnn.nn.fused import FusedLayer
from gluon_rnn.nn.stacked import StackedCells
from gluon_rnn.registry import encoders

__all__ = ["build", "fill", "implied_mode", "layers_of", "sections", "slots", "take"]

_LOOPED = {nn.ProjectedLSTM: "projected_lstm", nn.PeepholeLSTM: "peephole_lstm", nn.ResetBeforeGRU: "reset_before_gru"}


def take(layers, layer, source, layout="TNC"):
    """Return `layer` with these weights, or a new block where it is None."""
    check_stack(layers, source)
    if layer is None:
        return build(layers, layout)
    fill(layer, layers, source)
    return layer


# ---- a new block ---------------------------------------------------------------------------------------------------

def build(layers, layout="TNC", rates=None):
    """Return a block with these weights: one stack where all layers are alike, else a `gluon_rnn.nn.Chain`.

    Parameters
    ----------
    layers : list of LayerWeights
    layout : {"TNC", "NTC"}
    rates : dict of {str: float}, optional
        Of dropout, by the names of arguments; each encoder takes those that it knows.
    """
    dtype = max(layer.dtype for layer in layers)                          # "float64" > "float32"
    rates, parts, behind = rates or {}, sections(layers), layers[0].input_size
    stacks = []
    for section in parts:
        known = encoders.parameters(section["name"])
        options = {name: rate for name, rate in rates.items() if name in known}
        stacks.append(encoders.build(**section, **options, layout=layout if len(parts) == 1 else "TNC",
                                     input_size=behind, dtype=dtype))
        behind = stacks[-1].output_size
    between = {name: rate for name, rate in rates.items() if name in ("dropout", "drop_h")}
    block = stacks[0] if len(parts) == 1 else nn.Chain(stacks, layout, **between)
    fill(block, layers, "the source")
    return block


def sections(layers):
    """Return a list of encoders as a recipe describes them, ``{"name": "lstm", "hidden_size": 8, ...}``.

    Neighbours that are alike are one stack.
    """
    found, kind = [], None
    for layer in layers:
        this = layer.mode, layer.directions, layer.hidden_size, layer.projection_size
        if this == kind:
            found[-1]["num_layers"] += 1
        else:
            found.append(_section(layer))
        kind = this
    return found


def _section(layer):
    both = layer.directions == "lr"
    if layer.mode in _LOOPED.values():
        options = {"projection_size": layer.projection_size} if layer.projection_size else {}
        sizes = {"hidden_size": layer.hidden_size, "num_layers": 1}
        if not both:
            return {"name": layer.mode, **sizes, **options}
        return {"name": "bidirectional", **sizes, "cell": layer.mode, **({"cell_options": options} if options else {})}
    name, _, activation = layer.mode.partition("_")
    return {"name": name, **({"activation": activation} if activation else {}), "hidden_size": layer.hidden_size,
            "num_layers": 1, **({"bidirectional": True} if both else {})}


# ---- a block that is there -----------------------------------------------------------------------------------------

def slots(block):
    """Return [(mode, {part name: Parameter})], one a layer, of a block that can take converted weights.

    Raises
    ------
    TypeError
        If it is another block.
    """
    if isinstance(block, nn.Chain):
        return [slot for child in block.blocks for slot in slots(child)]
    if isinstance(block, FusedLayer):
        return [(block.mode, {f"{name[0]}{name[len(str(layer)) + 1:]}": parameter
                              for name, parameter in block._reg_params.items() if _layer_of(name) == layer})
                for layer in range(block.num_layers)]
    if isinstance(block, StackedCells) and type(block) in _LOOPED:
        cells = [getattr(block, f"l{layer}") for layer in range(block.num_layers)]
        return [(_LOOPED[type(block)], {f"l_{name}": parameter for name, parameter
                                        in getattr(cell, "cell", cell)._reg_params.items()}) for cell in cells]
    if isinstance(block, BidirectionalStack):
        return [_both(getattr(block, f"l{layer}")) for layer in range(block.num_layers)]
    if isinstance(block, Bidirectional):
        return [_both(block)]
    raise TypeError("expected gluon_rnn.nn.RNN, LSTM, GRU, ProjectedLSTM, PeepholeLSTM, ResetBeforeGRU, a "
                    f"BidirectionalStack or Chain of them, got {type(block).__name__}; convert each recurrent layer of "
                    "a model by itself")


def implied_mode(block):
    """Return the mode of the first layer of `block`, for sources that do not tell; None for None."""
    return None if block is None else slots(block)[0][0]


def _layer_of(name):
    return int(name[1:name.index("_")])


def _both(pair):
    """Return the mode and parameters of a `Bidirectional` of two layers of one kind."""
    (mode, ahead), *more = slots(pair.forward_block)
    (other, back), *rest = slots(pair.backward_block)
    if more or rest or mode != other or any(name.startswith("r") for name in [*ahead, *back]):
        raise TypeError(f"expected a Bidirectional of two single layers of one kind, got {pair.forward_block} and "
                        f"{pair.backward_block}")
    return mode, {**ahead, **{f"r{name[1:]}": parameter for name, parameter in back.items()}}


def fill(block, layers, source):
    """Set all parameters of `block`; nothing is written unless everything fits.

    Raises
    ------
    ValueError
        Naming the first tensor that does not fit, with both shapes.
    TypeError
        If `block` is none that can be filled.
    """
    places, writes = slots(block), []
    for index, (layer, (mode, parameters)) in enumerate(zip(layers, places)):
        values = layer.complete()
        for name in _ordered([*values, *parameters]):
            _check_part(block, index, layer, name, parameters, source)
        if mode != layer.mode:
            raise ValueError(f"layer {index} of {source} is {layer.mode}, but {block.name} is {mode}: the shapes are "
                             "the same, what is computed is not")
        writes += [(parameters[name], value) for name, value in values.items()]
    if len(layers) != len(places):
        raise ValueError(_why_not_as_many(block, layers, places, source))
    for parameter, value in writes:
        parameter._load_init(mx.nd.array(value, dtype=value.dtype), None, cast_dtype=True)


def _ordered(names):
    """Return the names once each, l before r and weights first."""
    order = [name[2:] for name in part_shapes("projected_lstm", "l", 1, 1, 1)]
    return sorted(dict.fromkeys(names), key=lambda name: (
        name[0], order.index(name[2:]) if name[2:] in order else len(order), name))


def _check_part(block, index, layer, name, parameters, source):
    """Raise ValueError unless the part `name` of a layer is there on both sides, with one shape."""
    here = f"{name[0]}{index}{name[1:]}"
    if name not in parameters:
        if name not in layer.parts:                                       # a bias that was made up
            raise ValueError(f"layer {index} of {source} is {layer.mode}, which {block.name} is not")
        raise ValueError(f"{told(layer, name, source)}, but {block.name} has no {here}; its kind, directions and "
                         "projection must be those of the layer that was saved")
    needed = parameters[name].shape
    if name not in layer.shapes():
        raise ValueError(f"{source} has no tensor for {here} of {block.name}, which needs {needed}; kind, directions "
                         "and projection must be those of the layer that was saved")
    value = layer.shapes()[name]
    if len(value) != len(needed) or any(size not in (0, new) for size, new in zip(needed, value)):
        where = told(layer, name, source) if name in layer.parts else f"{source} has no {here}, whose shape is {value}"
        raise ValueError(f"{where}, but {block.name} needs {needed} for {here}; kind, hidden_size and input_size must "
                         "be those of the layer that was saved")


def _why_not_as_many(block, layers, places, source):
    fewer = min(len(layers), len(places))
    if len(layers) > len(places):
        return (f"{told(layers[fewer], 'l_i2h_weight', source)}, but {block.name} has no layer {fewer}; num_layers "
                "must be that of the layer that was saved")
    needed = places[fewer][1]["l_i2h_weight"].shape
    return (f"{source} has no tensor for l{fewer}_i2h_weight of {block.name}, which needs {needed}; num_layers must be "
            "that of the layer that was saved")


# ---- and back ------------------------------------------------------------------------------------------------------

def layers_of(block):
    """Return the weights of `block` as a list of `LayerWeights`.

    Raises
    ------
    ValueError
        If parameters are not there yet.
    TypeError
        If it is a block that cannot be converted.
    """
    found = []
    for index, (mode, parameters) in enumerate(slots(block)):
        try:
            parts = {name: parameters[name].data(parameters[name].list_ctx()[0]).asnumpy()
                     for name in _ordered(parameters)}
        except (mx.gluon.parameter.DeferredInitializationError, RuntimeError):
            raise ValueError(f"{block.name} has no parameters yet; call initialize() and run it once, or load its "
                             "parameters, before converting it") from None
        found.append(LayerWeights(mode, parts, {name: Origin(f"{name[0]}{index}{name[1:]}", part.shape)
                                                for name, part in parts.items()}))
    return found
