"""Language models of gluonnlp 0.10, StandardRNN, AWDRNN and BigRNN: from a file or a block to our `LanguageModel`.

    embedding.0.weight (V, E), decoder.0.weight (V, H) and .bias, encoder._unfused.K.* or encoder.K._unfused.0.*

The layers are Gluon's, whose names, gates and equations are ours; those of a BigRNN are LSTMs with projection, which
are our `ProjectedLSTM`. Their dropout rates are no parameters: a block has them, a file has not.
"""
import re

import mxnet as mx
import numpy as np

from gluon_rnn.convert.blocks import build, fill
from gluon_rnn.convert.gluon_checkpoint import MODES, stacks_in
from gluon_rnn.convert.sources import read_params
from gluon_rnn.convert.weights import check_stack, stack_from
from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import FullSoftmax, SampledSoftmax

__all__ = ["from_gluonnlp", "read_gluonnlp"]

_PROJECTED = re.compile(r"encoder\.(?P<cell>\d+)\.(?P<rest>(?:i2h|h2h|h2r)_(?:weight|bias))")
_EMBEDDING = "embedding.0.weight"
_DECODERS = ("decoder.0.weight", "decoder.weight")


def from_gluonnlp(source, model=None, *, mode=None):
    """Return a `LanguageModel` with the parameters of one of gluonnlp's.

    Parameters
    ----------
    source : str, path, mapping or block
        A ``.params`` file of a StandardRNN, AWDRNN or BigRNN, its names and arrays, or the block itself.
    model : LanguageModel, optional
        With a full or sampled softmax, to load into; its rates of dropout stay. Default: a new one, with the rates of
        the block, or without any for a file.
    mode : {"lstm", "gru", "rnn_tanh", "rnn_relu"}, optional
        Needed for a file of a model with RNN layers, whose shapes do not tell the two kinds apart.

    Returns
    -------
    LanguageModel
        Weights are tied where the file has one array for both, or two that are equal. The layers of an AWDRNN of
        unequal sizes are a `gluon_rnn.nn.Chain`.

    Raises
    ------
    ValueError
        If it is no such model, or the first tensor that does not fit, with both shapes. Nothing is written into
        `model` then.
    TypeError
        If the source or the model are of no known kind.

    References
    ----------
    Zaremba, Sutskever, Vinyals (2014): StandardRNN. Merity, Keskar, Socher (2018): AWDRNN. Jozefowicz et al. (2016),
    Exploring the Limits of Language Modeling: BigRNN.
    """
    block = source if isinstance(source, mx.gluon.Block) else None
    layers, ends, name = read_gluonnlp(source, mode or getattr(block, "_mode", None))
    if model is None:
        model = _model(layers, ends, block)
    elif not isinstance(model, LanguageModel) or type(model.output) not in (FullSoftmax, SampledSoftmax):
        raise TypeError(f"expected a LanguageModel with a full or sampled softmax, got {type(model).__name__}"
                        + (f" with {type(model.output).__name__}" if isinstance(model, LanguageModel) else ""))
    writes = _checked_ends(model, ends, name)
    fill(model.encoder, layers, name)
    for parameter, value in writes:
        parameter._load_init(mx.nd.array(value, dtype=value.dtype), None, cast_dtype=True)
    return model


def read_gluonnlp(source, mode=None):
    """Return the layers as `LayerWeights`, {our name: (name there, array)} of both ends, and how messages call it."""
    if isinstance(source, mx.gluon.Block):
        arrays, name = _arrays_of(source), source.name
    else:
        arrays, name = read_params(source)
    if any(".rnn_cells." in f".{key}" for key in arrays):
        raise ValueError(f"{name} is a GNMT model, whose residual layers and attention are none of our LanguageModel; "
                         "only StandardRNN, AWDRNN and BigRNN can be converted")
    decoder = next((key for key in _DECODERS if key in arrays), None)
    bias = next((key for key in ("decoder.0.bias", "decoder.bias") if key in arrays), None)
    if _EMBEDDING not in arrays or bias is None:
        raise ValueError(f"{name} has no {_EMBEDDING if bias else 'decoder.0.bias'}; expected the parameters of a "
                         "StandardRNN, AWDRNN or BigRNN of gluonnlp")
    ends = {"embedding_weight": (_EMBEDDING, arrays[_EMBEDDING]), "output_bias": (bias, arrays[bias])}
    if decoder is not None and not _same(arrays[decoder], arrays[_EMBEDDING]):
        ends["output_weight"] = decoder, arrays[decoder]
    layers = _layers(arrays, mode, name)
    check_stack(layers, name)
    _check_ends(layers, ends, name)
    return layers, ends, name


def _arrays_of(block):
    found = {}
    for key, parameter in block._collect_params_with_prefix().items():
        try:
            found[key] = parameter.data(parameter.list_ctx()[0]).asnumpy()
        except (mx.gluon.parameter.DeferredInitializationError, RuntimeError):
            raise ValueError(f"{block.name} has no parameters yet ({key} is not initialised); call initialize() and "
                             "run it once, or load its parameters, before converting it") from None
    return found


def _same(a, b):
    return a.shape == b.shape and np.array_equal(a, b)


def _layers(arrays, mode, name):
    """Return the `LayerWeights` of the encoder: one stack, one layer a block, or cells with projection."""
    found = stacks_in(arrays)
    if "encoder." in found:
        return stack_from(found["encoder."], mode, MODES, name)
    numbers = sorted(int(prefix[8:-1]) for prefix in found if re.fullmatch(r"encoder\.\d+\.", prefix))
    if numbers:
        return [layer for number in numbers for layer in stack_from(found[f"encoder.{number}."], mode, MODES, name)]
    cells = {}
    for key, array in arrays.items():
        match = _PROJECTED.fullmatch(key)
        if match:
            cells.setdefault(int(match["cell"]), {})[f"l_{match['rest']}"] = key, array
    if not cells:
        raise ValueError(f"{name} has no recurrent layer in its encoder (names such as encoder._unfused.0.i2h_weight); "
                         "expected the parameters of a StandardRNN, AWDRNN or BigRNN of gluonnlp")
    return stack_from(dict(enumerate(cells[number] for number in sorted(cells))), mode, MODES, name)


def _check_ends(layers, ends, source):
    """Raise ValueError unless embedding and decoder fit the layers between them, and each other."""
    words = ends["embedding_weight"][1].shape[0]
    needed = {"embedding_weight": (words, layers[0].input_size), "output_bias": (words,),
              "output_weight": (words, layers[-1].output_size)}
    for ours, (key, array) in {"output_weight": ends["embedding_weight"], **ends}.items():
        if array.shape != needed[ours]:
            raise ValueError(f"{key} of {source} has shape {array.shape}, but {words} words and the layers between "
                             f"ask for {needed[ours]}")


# ---- our model -----------------------------------------------------------------------------------------------------

def _model(layers, ends, block):
    """Return a new model, with the rates of dropout of gluonnlp's `block` if there is one."""
    encoder, rates = _rates(block)
    words, size = ends["embedding_weight"][1].shape
    return LanguageModel(words, build(layers, rates=encoder), embed_size=size, tie_weights="output_weight" not in ends,
                         **rates)


def _rates(block):
    """Return the rates of dropout of a block, as arguments of our encoder and of our model."""
    if block is None:
        return {}, {}
    if hasattr(block, "_embed_dropout"):                                  # BigRNN, where each step has masks of its own
        rate = block._encode_dropout
        return {"dropout": rate}, {"drop_i": block._embed_dropout, "drop_i_variational": False, "dropout": rate}
    after = {"dropout": block._dropout, "dropout_variational": True}
    if hasattr(block, "_drop_i"):                                         # AWDRNN
        return ({"drop_h": block._drop_h, "weight_drop": block._weight_drop},
                {"drop_i": block._drop_i, "drop_e": block._drop_e, **after})
    return {"dropout": block._dropout}, {"drop_i": block._dropout, "drop_i_variational": False, **after}


def _checked_ends(model, ends, source):
    """Return [(Parameter, array)] of embedding and output layer; ValueError if they do not fit."""
    parameters = model._reg_params
    if ("output_weight" in parameters) != ("output_weight" in ends):
        tied = "output_weight" not in ends
        raise ValueError(f"{source} has {'one weight' if tied else 'two weights'} for embedding and decoder, of shape "
                         f"{ends['embedding_weight'][1].shape}, but {model.name} has "
                         f"{'two' if tied else 'one'}; tie_weights must be {str(tied).lower()}")
    for ours, (key, array) in ends.items():
        if array.shape != parameters[ours].shape:
            raise ValueError(f"{key} of {source} has shape {array.shape}, but {model.name} needs "
                             f"{parameters[ours].shape} for {ours}; vocab_size and embed_size must be those of the "
                             "model that was saved")
    return [(parameters[ours], array) for ours, (_, array) in ends.items()]
