"""Operators that act element by element: arithmetic with numbers and with tensors, comparisons, functions, casts."""
import numpy as np

from gluon_rnn.export.onnx.shaping import cast, scalar
from gluon_rnn.export.onnx.translators import refused, translates

# MXNet's name: ONNX's name, one input, one output, no attributes
UNARY = {"abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "negative": "Neg", "reciprocal": "Reciprocal",
         "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softsign": "Softsign", "erf": "Erf", "floor": "Floor",
         "ceil": "Ceil", "sign": "Sign", "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos",
         "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
         "rint": "Round"}
# what ends names of operators on two tensors and on a tensor and a number
BINARY = {"add": "Add", "plus": "Add", "sub": "Sub", "minus": "Sub", "mul": "Mul", "div": "Div", "power": "Pow",
          "maximum": "Max", "minimum": "Min"}
COMPARISONS = {"equal": "Equal", "not_equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual",
               "lesser": "Less", "lesser_equal": "LessOrEqual"}
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softrelu": "Softplus", "softsign": "Softsign"}


@translates(*UNARY)
def unary(builder, node):
    return builder.add(UNARY[node.op], node.inputs[0])


@translates("Activation")
def activation(builder, node):
    kind = node.attrs["act_type"]
    if kind not in ACTIVATIONS:
        raise refused(node, f"has act_type {kind!r}; known are {', '.join(ACTIVATIONS)}")
    return builder.add(ACTIVATIONS[kind], node.inputs[0])


@translates("identity", "_copy", "BlockGrad", "Dropout", "make_loss", "MakeLoss", "_identity_with_attr_like_rhs",
            "LinearRegressionOutput", "MAERegressionOutput", "IdentityAttachKLSparseReg", "amp_cast")
def nothing_to_do(builder, node):
    if node.op == "Dropout" and node.attrs.get("mode") == "always":
        raise refused(node, "draws at random in inference as well (mode 'always'), which ONNX models here do not; "
                            "use mode 'training'")
    return cast(builder, node.inputs[0], node.output_dtypes[0])


@translates("Cast")
def to_type(builder, node):
    return cast(builder, node.inputs[0], node.output_dtypes[0])


def _stem(op):
    return op.replace("broadcast_", "").replace("elemwise_", "").strip("_").replace("_scalar", "")


_TWO = [f"{kind}_{stem}" for kind in ("broadcast", "elemwise") for stem in BINARY] + [
    "_add", "_sub", "_mul", "_div", "_plus", "_minus", "_power", "_maximum", "_minimum", "_grad_add"]


@translates(*_TWO)
def two_tensors(builder, node):
    """Operands of one shape may be a broadcast of less: then ONNX broadcasts, and the larger one is never made."""
    a, b = node.inputs
    if not node.op.startswith("broadcast_"):
        if a.narrow is not None:
            a = a.narrow
        elif b.narrow is not None:
            b = b.narrow
    return builder.add(BINARY[_stem(node.op).replace("grad_add", "add")], a, b)


@translates(*(f"_{stem}_scalar" for stem in BINARY))
def tensor_and_number(builder, node):
    number = float(node.attrs["scalar"])
    if (_stem(node.op), number) in _UNCHANGED:
        return node.inputs[0]
    return builder.add(BINARY[_stem(node.op)], node.inputs[0], scalar(builder, number, node.output_dtypes[0]))


_UNCHANGED = {("mul", 1.0), ("div", 1.0), ("plus", 0.0), ("minus", 0.0), ("power", 1.0)}


@translates("_rminus_scalar", "_rdiv_scalar", "_rpower_scalar")
def number_and_tensor(builder, node):
    stem = _stem(node.op)[1:]
    return builder.add(BINARY[stem], scalar(builder, float(node.attrs["scalar"]), node.output_dtypes[0]), node.inputs[0])


def as_numbers(builder, truth, node):
    """Return a bool tensor as the 0 and 1 that MXNet's comparisons give."""
    return cast(builder, truth, node.output_dtypes[0])


@translates(*(f"{kind}{stem}" for kind in ("_", "broadcast_") for stem in COMPARISONS),
            *(f"_{stem}_scalar" for stem in COMPARISONS))
def comparison(builder, node):
    stem = _stem(node.op)
    other = (scalar(builder, float(node.attrs["scalar"]), node.inputs[0].dtype) if "scalar" in node.attrs
             else node.inputs[1])
    truth = builder.add(COMPARISONS[stem], node.inputs[0], other)
    return as_numbers(builder, builder.add("Not", truth) if stem == "not_equal" else truth, node)


@translates(*(f"{kind}{stem}" for kind in ("_", "broadcast_") for stem in LOGIC))
def logic(builder, node):
    a, b = (cast(builder, tensor, bool) for tensor in node.inputs)
    return as_numbers(builder, builder.add(LOGIC[_stem(node.op)], a, b), node)


@translates("logical_not")
def logical_not(builder, node):
    return as_numbers(builder, builder.add("Not", cast(builder, node.inputs[0], np.dtype(bool))), node)
