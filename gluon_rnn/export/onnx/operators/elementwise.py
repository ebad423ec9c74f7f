"""Operators that act element by element: arithmetic with numbers and with tensors, comparisons, functions, casts."""
import math

from gluon_rnn.export.onnx.shaping import cast, scalar, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates

# MXNet's name: ONNX's name, one input, one output, no attributes
UNARY = {"abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "negative": "Neg", "reciprocal": "Reciprocal",
         "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softsign": "Softsign", "erf": "Erf", "floor": "Floor",
         "ceil": "Ceil", "sign": "Sign", "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos",
         "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
         "LogisticRegressionOutput": "Sigmoid"}
# what ends names of operators on two tensors and on a tensor and a number
BINARY = {"add": "Add", "plus": "Add", "sub": "Sub", "minus": "Sub", "mul": "Mul", "div": "Div", "power": "Pow",
          "maximum": "Max", "minimum": "Min"}
COMPARISONS = {"equal": "Equal", "not_equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual",
               "lesser": "Less", "lesser_equal": "LessOrEqual"}
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
# numbers that change nothing
NEUTRAL = {("mul", 1.0), ("div", 1.0), ("plus", 0.0), ("minus", 0.0), ("power", 1.0)}


def stem_of(op):
    """Return "add" for ``broadcast_add``, ``_add``, and "plus" for ``_plus_scalar``."""
    return op.replace("broadcast_", "").replace("elemwise_", "").strip("_").replace("_scalar", "")


def both_ways(stems):
    """Return the names of operators on two tensors: of one shape, and with broadcasting."""
    return [f"{kind}_{stem}" for kind in ("broadcast", "elemwise", "") for stem in stems]


def applied(builder, tensor, function):
    """Return ``function(tensor)``, knowing what it is before a repetition where `tensor` is one."""
    result = function(tensor)
    return result if tensor.narrow is None else builder.describe(result, narrow=function(tensor.narrow))


@translates(*UNARY)
def unary(builder, node):
    return applied(builder, node.inputs[0], lambda data: builder.add(UNARY[node.op], data))


@translates("identity", "_copy", "BlockGrad", "Dropout", "make_loss", "MakeLoss", "_identity_with_attr_like_rhs",
            "LinearRegressionOutput", "MAERegressionOutput", "IdentityAttachKLSparseReg", "Cast", "amp_cast")
def cast_or_nothing(builder, node):
    """Most of these do nothing in inference."""
    if node.op == "Dropout" and node.attrs.get("mode") == "always":
        raise refused(node, "draws at random in inference as well (mode 'always'), and a model here gives one answer; "
                            "use mode 'training'")
    return cast(builder, node.inputs[0], node.output_dtypes[0])


@translates(*both_ways(BINARY), "_grad_add")
def two_tensors(builder, node):
    inputs = narrowed(node)
    return builder.add(BINARY[stem_of(node.op).replace("grad_add", "add")], *inputs)


def narrowed(node):
    """Return the two inputs; one that was repeated to the other's shape goes in as it was before, ONNX repeats it."""
    a, b = node.inputs
    for one, other, in_order in ((a, b, lambda x, y: [x, y]), (b, a, lambda x, y: [y, x])):
        if one.narrow is not None and other.sizes is not None and other.sizes == node.output_sizes[0]:
            return in_order(one.narrow, other)
    return [a, b]


@translates(*(f"_{stem}_scalar" for stem in BINARY))
def tensor_and_number(builder, node):
    number, dtype = float(node.attrs["scalar"]), node.output_dtypes[0]
    if (stem_of(node.op), number) in NEUTRAL:
        return cast(builder, node.inputs[0], dtype)
    return applied(builder, node.inputs[0], lambda data: builder.add(
        BINARY[stem_of(node.op)], cast(builder, data, dtype), scalar(builder, number, dtype)))


@translates("_rminus_scalar", "_rdiv_scalar", "_rpower_scalar")
def number_and_tensor(builder, node):
    number, dtype = float(node.attrs["scalar"]), node.output_dtypes[0]
    return applied(builder, node.inputs[0], lambda data: builder.add(
        BINARY[stem_of(node.op)[1:]], scalar(builder, number, dtype), cast(builder, data, dtype)))


@translates(*both_ways(["mod"]), "_mod_scalar", "_rmod_scalar")
def modulo(builder, node):
    """The remainder has the divisor's sign: ONNX's Mod has that for whole numbers only."""
    dtype = node.output_dtypes[0]
    operands = [cast(builder, tensor, dtype) for tensor in node.inputs]
    if "scalar" in node.attrs:
        operands.append(scalar(builder, float(node.attrs["scalar"]), dtype))
    a, b = operands[::-1] if node.op == "_rmod_scalar" else operands
    if dtype.kind in "iu":
        return builder.add("Mod", a, b)
    return builder.add("Sub", a, builder.add("Mul", builder.add("Floor", builder.add("Div", a, b)), b))


@translates(*both_ways(COMPARISONS))
def comparison(builder, node):
    return _compared(builder, node, *narrowed(node))


@translates(*(f"_{stem}_scalar" for stem in COMPARISONS))
def comparison_with_number(builder, node):
    number = scalar(builder, float(node.attrs["scalar"]), node.inputs[0].dtype)
    return applied(builder, node.inputs[0], lambda data: _compared(builder, node, data, number))


def _compared(builder, node, a, b):
    """Return the 0 and 1 that MXNet's comparisons give."""
    stem = stem_of(node.op)
    truth = builder.add(COMPARISONS[stem], a, b)
    return cast(builder, builder.add("Not", truth) if stem == "not_equal" else truth, node.output_dtypes[0])


@translates(*both_ways(LOGIC))
def logic(builder, node):
    a, b = (cast(builder, tensor, "bool") for tensor in node.inputs)
    return cast(builder, builder.add(LOGIC[stem_of(node.op)], a, b), node.output_dtypes[0])


@translates("logical_not")
def logical_not(builder, node):
    return cast(builder, builder.add("Not", cast(builder, node.inputs[0], "bool")), node.output_dtypes[0])


@translates("add_n")
def add_n(builder, node):
    return builder.add("Sum", *node.inputs)


@translates("where")
def where(builder, node):
    """A condition (N,) chooses rows of (N, ...). What was repeated goes in as it was: one full shape suffices."""
    condition, yes, no = node.inputs
    if condition.ndim < yes.ndim:
        condition = unsqueeze(builder, condition, range(1, yes.ndim))
    elif condition.narrow is not None:
        condition = condition.narrow
    else:
        yes, no = (tensor if tensor.narrow is None else tensor.narrow for tensor in (yes, no))
    return builder.add("Where", cast(builder, condition, "bool"), yes, no)


@translates("clip")
def clip(builder, node):
    limits = (scalar(builder, float(node.attrs[key]), node.output_dtypes[0]) for key in ("a_min", "a_max"))
    return builder.add("Clip", node.inputs[0], *limits)


@translates("square")
def square(builder, node):
    return builder.add("Mul", node.inputs[0], node.inputs[0])


@translates("rsqrt")
def rsqrt(builder, node):
    return builder.add("Reciprocal", builder.add("Sqrt", node.inputs[0]))


@translates("cbrt", "rcbrt")
def cbrt(builder, node):
    data = node.inputs[0]
    root = builder.add("Pow", builder.add("Abs", data), scalar(builder, 1 / 3, data.dtype))
    signed = builder.add("Mul", builder.add("Sign", data), root)
    return signed if node.op == "cbrt" else builder.add("Reciprocal", signed)


@translates("log2", "log10")
def log_to_base(builder, node):
    factor = 1 / math.log(int(node.op[3:]))
    return builder.add("Mul", builder.add("Log", node.inputs[0]), scalar(builder, factor, node.output_dtypes[0]))


@translates("degrees", "radians")
def angle(builder, node):
    factor = 180 / math.pi if node.op == "degrees" else math.pi / 180
    return builder.add("Mul", node.inputs[0], scalar(builder, factor, node.output_dtypes[0]))


@translates("log1p")
def log1p(builder, node):
    return builder.add("Log", builder.add("Add", node.inputs[0], scalar(builder, 1, node.output_dtypes[0])))


@translates("expm1")
def expm1(builder, node):
    return builder.add("Sub", builder.add("Exp", node.inputs[0]), scalar(builder, 1, node.output_dtypes[0]))


@translates("fix", "trunc", "round")
def towards_zero(builder, node):
    """MXNet rounds halves away from zero."""
    size = builder.add("Abs", node.inputs[0])
    if node.op == "round":
        size = builder.add("Add", size, scalar(builder, 0.5, size.dtype))
    return builder.add("Mul", builder.add("Sign", node.inputs[0]), builder.add("Floor", size))


@translates("rint")
def rint(builder, node):
    """MXNet rounds halves down here."""
    return builder.add("Ceil", builder.add("Sub", node.inputs[0], scalar(builder, 0.5, node.output_dtypes[0])))
