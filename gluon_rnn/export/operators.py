"""The operators of MXNet that a symbol of a bundle may have, and what may stand in their attributes. Needs no MXNet.

This is the one list: an export is loaded before it is done, so that what the exporter writes is on it, or is refused by
name; `tests/export/test_operators.py` holds that every encoder, model and option of the package is. They compute
numbers from numbers. Nothing on it calls Python, holds an address, reads a file, or draws random numbers.

What MXNet does not check itself is bounded here: sizes, axes, and constants that an export never has otherwise.
"""
import ast
import functools
import math
import re
from dataclasses import dataclass, field

__all__ = ["LENGTHS", "MOST", "OPERATORS", "Operator"]

#: largest size that an attribute may name, such as units of a layer or words of a vocabulary
MOST = 2**24
#: operators that write or read past their data where lengths are wrong: {name: (axis of the steps, least length)}
LENGTHS = {"SequenceMask": (0, 0), "SequenceLast": (0, 1), "SequenceReverse": (0, 0), "softmax": (-1, 0)}
_INTEGER = re.compile(r"-?\d{1,12}")


@dataclass(frozen=True)
class Operator:
    """What a node may look like.

    Attributes
    ----------
    inputs : tuple of int
        The least and the largest number of them.
    attributes : dict of str to callable
        Attribute -> whether a text may stand there.
    outputs : callable
        From the node's attributes to the number of its outputs.
    needed : tuple of str
        Attributes that may not be missing.
    """

    inputs: tuple
    attributes: dict = field(default_factory=dict)
    outputs: callable = lambda attributes: 1
    needed: tuple = ()


# ---- what may stand in an attribute --------------------------------------------------------------------------------


def _words(*words):
    return frozenset(words).__contains__


def _integer(least, most):
    return lambda text: bool(_INTEGER.fullmatch(text)) and least <= int(text) <= most


def _integers(least, most, *, none=False):
    """Return the check of a tuple or list of up to eight whole numbers, of one alone, or of None where that may be."""
    def allowed(text):
        if len(text) > 200:
            return False
        try:
            values = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return False
        values = values if isinstance(values, (tuple, list)) else (values,)
        return len(values) <= 8 and all((none and value is None) or (type(value) is int and least <= value <= most)
                                        for value in values)
    return allowed


def _number(text):
    try:
        return len(text) <= 40 and math.isfinite(float(text))
    except ValueError:
        return False


_TRUTH, _FALSE = _words("True", "False", "1", "0"), _words("False", "0")
_TYPE = _words("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool")
_AXIS, _AXES, _SHAPE = _integer(-8, 7), _integers(-8, 7), _integers(1, MOST)
_SIZE, _COUNT = _integer(1, MOST), _integer(1, 10_000)
_PLACE = _integers(-MOST, MOST, none=True)
_LOCATIONS = re.compile(r"\[(\d{1,5}(, ?\d{1,5})*)?\]").fullmatch

# ---- the list ------------------------------------------------------------------------------------------------------

_one, _two = functools.partial(Operator, (1, 1)), functools.partial(Operator, (2, 2))


def _several(**attributes):
    return Operator((1, 10_000), {"num_args": _COUNT, **attributes}, needed=("num_args",))


def _of_layer(attributes):
    return 1 if attributes.get("state_outputs") not in ("True", "1") else 3 if attributes["mode"] == "lstm" else 2


OPERATORS = {
    **dict.fromkeys(["BlockGrad", "_copy", "abs", "ceil", "cos", "erf", "exp", "expm1", "floor", "gammaln", "log", "log1p",
                     "negative", "ones_like", "reciprocal", "relu", "rsqrt", "shape_array", "sigmoid", "sign",
                     "sin", "softsign", "sqrt", "square", "tanh", "zeros_like"], _one()),
    **dict.fromkeys(["broadcast_add", "broadcast_sub", "broadcast_mul", "broadcast_div", "broadcast_minimum",
                     "broadcast_maximum", "broadcast_equal", "broadcast_not_equal", "broadcast_greater",
                     "broadcast_greater_equal", "broadcast_lesser", "broadcast_lesser_equal", "elemwise_add",
                     "elemwise_sub", "elemwise_mul", "elemwise_div", "_maximum", "_minimum", "_equal", "_not_equal",
                     "_greater", "_greater_equal", "_lesser", "_lesser_equal", "gather_nd"], _two()),
    **dict.fromkeys([f"_{name}_scalar" for name in (
        "plus", "minus", "rminus", "mul", "div", "rdiv", "maximum", "minimum", "power", "rpower", "equal", "not_equal",
        "greater", "greater_equal", "lesser", "lesser_equal")],
                    _one({"scalar": _number, "is_int": _TRUTH}, needed=("scalar",))),
    **dict.fromkeys(["sum", "mean", "max", "min"], _one({"axis": _AXES, "keepdims": _TRUTH})),
    "Activation": _one({"act_type": _words("relu", "sigmoid", "tanh", "softrelu", "softsign")}, needed=("act_type",)),
    "Cast": _one({"dtype": _TYPE}, needed=("dtype",)),
    "Concat": _several(dim=_AXIS),
    "Dropout": _one({"p": _number, "axes": _AXES, "mode": _words("training")}),
    "Embedding": _two({"input_dim": _SIZE, "output_dim": _SIZE, "dtype": _TYPE, "sparse_grad": _FALSE},
                      needed=("input_dim", "output_dim")),
    "FullyConnected": Operator((2, 3), {"num_hidden": _SIZE, "no_bias": _TRUTH, "flatten": _TRUTH},
                               needed=("num_hidden",)),
    "LayerNorm": Operator((3, 3), {"axis": _AXIS, "eps": _number}),
    "RNN": Operator((3, 4), {"mode": _words("rnn_relu", "rnn_tanh", "lstm", "gru"), "state_size": _integer(1, 2**16),
                             "num_layers": _words("1"), "bidirectional": _FALSE, "state_outputs": _TRUTH, "p": _number},
                    _of_layer, ("mode", "state_size", "num_layers")),
    "Reshape": _one({"shape": _integers(-4, MOST), "reverse": _FALSE}, needed=("shape",)),
    **dict.fromkeys(["SequenceMask", "SequenceLast", "SequenceReverse"],
                    _two({"use_sequence_length": _words("True", "1"), "value": _number},
                         needed=("use_sequence_length",))),
    "SliceChannel": _one({"num_outputs": _COUNT, "axis": _AXIS, "squeeze_axis": _TRUTH},
                         lambda attributes: int(attributes["num_outputs"]), ("num_outputs",)),
    "SwapAxis": _one({"dim1": _integer(0, 7), "dim2": _integer(0, 7)}),
    "_arange": Operator((0, 0), {"start": _integer(-MOST, MOST), "stop": _integers(-MOST, MOST, none=True),
                                 "step": _integer(1, MOST), "repeat": _words("1"), "dtype": _TYPE,
                                 "infer_range": _FALSE}),
    "_contrib_arange_like": _one({"axis": _AXIS}),
    "_contrib_index_array": _one({"axes": _words("(0, 1)")}, needed=("axes",)),
    "_eye": Operator((0, 0), {"N": _integers(1, 2**14), "M": _integer(0, 2**14), "k": _integer(-2**14, 2**14),
                              "dtype": _TYPE}, needed=("N",)),
    "_foreach": Operator((1, 10_000), {"num_args": _COUNT, "num_out_data": _COUNT, "num_outputs": _COUNT,
                                       "in_data_locs": _LOCATIONS, "in_state_locs": _LOCATIONS,
                                       "remain_locs": _LOCATIONS},
                         lambda attributes: int(attributes["num_outputs"]),
                         ("num_args", "num_out_data", "num_outputs", "in_data_locs", "in_state_locs", "remain_locs")),
    "_full": Operator((0, 0), {"shape": _SHAPE, "dtype": _TYPE, "value": _number}, needed=("shape", "value")),
    **dict.fromkeys(["_zeros", "_ones"], Operator((0, 0), {"shape": _SHAPE, "dtype": _TYPE}, needed=("shape",))),
    "_rnn_param_concat": _several(dim=_words("0")),
    **dict.fromkeys(["argmax", "argmin"], _one({"axis": _AXIS, "keepdims": _TRUTH}, needed=("axis",))),
    **dict.fromkeys(["batch_dot", "dot"], _two({"transpose_a": _TRUTH, "transpose_b": _TRUTH})),
    "broadcast_axis": _one({"axis": _AXES, "size": _SHAPE}, needed=("axis", "size")),
    "broadcast_like": _two({"lhs_axes": _AXES, "rhs_axes": _AXES}),
    "expand_dims": _one({"axis": _AXIS}, needed=("axis",)),
    "log_softmax": _one({"axis": _AXIS}),
    "one_hot": _one({"depth": _SIZE, "on_value": _number, "off_value": _number, "dtype": _TYPE}, needed=("depth",)),
    "pick": _two({"axis": _AXIS, "keepdims": _TRUTH, "mode": _words("clip")}),
    "repeat": _one({"repeats": _COUNT, "axis": _AXIS}, needed=("repeats", "axis")),
    "reshape_like": _two(dict.fromkeys(("lhs_begin", "lhs_end", "rhs_begin", "rhs_end"), _AXIS)),
    "reverse": _one({"axis": _integers(0, 7)}, needed=("axis",)),
    "slice": _one({"begin": _PLACE, "end": _PLACE}, needed=("begin", "end")),
    "slice_axis": _one({"axis": _AXIS, "begin": _integer(-MOST, MOST), "end": _PLACE}, needed=("axis", "begin", "end")),
    "slice_like": _two({"axes": _AXES}),
    "softmax": Operator((1, 2), {"axis": _AXIS, "use_length": _TRUTH}),
    "squeeze": _one({"axis": _AXES}, needed=("axis",)),
    "stack": _several(axis=_AXIS),
    "take": _two({"axis": _AXIS, "mode": _words("clip")}),
    "tile": _one({"reps": _SHAPE}, needed=("reps",)),
    "transpose": _one({"axes": _integers(0, 7)}),
    "where": Operator((3, 3)),
}
