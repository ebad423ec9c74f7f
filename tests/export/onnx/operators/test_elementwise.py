"""Element by element: each operator in both precisions, on whole numbers, and what of it is left out of the graph."""
import mxnet as mx
import numpy as np
import pytest

from tests.onnx_cases import compare, drawn, operators_of

TN3 = ("T", "N", 3)
UNARY = ["abs", "exp", "sigmoid", "tanh", "relu", "softsign", "erf", "floor", "ceil", "sign", "sin", "cos", "tan",
         "arctan", "sinh", "cosh", "arcsinh", "negative", "reciprocal", "square", "cbrt", "expm1", "degrees", "radians",
         "fix", "trunc", "round", "rint", "logical_not", "identity", "BlockGrad", "rcbrt"]
POSITIVE = ["log", "sqrt", "rsqrt", "log2", "log10", "log1p", "arccosh"]
BELOW_ONE = ["arcsin", "arccos", "arctanh"]
# ONNX Runtime has them in float32 only, or MXNet's pi has the digits of float32
SINGLE_ONLY = {"degrees", "radians", "tan", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arcsin", "arccos", "arctanh", "softsign", "erf"}
BINARY = ["broadcast_add", "broadcast_sub", "broadcast_mul", "broadcast_div", "broadcast_maximum", "broadcast_minimum",
          "broadcast_mod", "broadcast_equal", "broadcast_not_equal", "broadcast_greater", "broadcast_greater_equal",
          "broadcast_lesser", "broadcast_lesser_equal", "broadcast_logical_and", "broadcast_logical_or",
          "broadcast_logical_xor"]
SCALAR = {"_plus": lambda x: x + 1.5, "_minus": lambda x: x - 1.5, "_rminus": lambda x: 1.5 - x,
          "_mul": lambda x: x * 1.5, "_div": lambda x: x / 1.5, "_rdiv": lambda x: 1.5 / x, "_mod": lambda x: x % 1.5,
          "_rmod": lambda x: 1.5 % x, "_rpower": lambda x: 1.5 ** x, "_power": lambda x: x ** 2,
          "_greater": lambda x: x > 0.5, "_equal": lambda x: x == 0, "_not_equal": lambda x: x != 0,
          "_lesser": lambda x: x < 0.5, "_lesser_equal": lambda x: x <= 1, "_greater_equal": lambda x: x >= 1,
          "_maximum": lambda x: mx.sym.maximum(x, 0.25), "_minimum": lambda x: mx.sym.minimum(x, 0.25)}


def both(names, without=frozenset()):
    return [(name, dtype) for name in names for dtype in ("float32", "float64")
            if dtype == "float32" or name not in without]


def data(dtype="float32"):
    return mx.sym.var("data"), {"data": (TN3, dtype)}


def positive(shape, dtype, lengths):
    return np.abs(drawn(shape, dtype, lengths)) + np.asarray(1.01, dtype)


def below_one(shape, dtype, lengths):
    return np.tanh(drawn(shape, dtype, lengths))


def halves(shape, dtype, lengths):
    """Numbers that lie in the middle of two whole ones as well."""
    return np.round(drawn(shape, dtype, lengths) * 4) / 2


@pytest.mark.parametrize("name, dtype", both(UNARY, SINGLE_ONLY))
def test_one_tensor(name, dtype):
    x, inputs = data(dtype)
    compare(getattr(mx.sym, name)(x), inputs)


@pytest.mark.parametrize("name, dtype", both(POSITIVE, SINGLE_ONLY))
def test_one_tensor_of_positive_numbers(name, dtype):
    x, inputs = data(dtype)
    compare(getattr(mx.sym, name)(x), inputs, draw=positive)


@pytest.mark.parametrize("name", BELOW_ONE)
def test_one_tensor_of_numbers_below_one(name):
    x, inputs = data()
    compare(getattr(mx.sym, name)(x), inputs, draw=below_one)


@pytest.mark.parametrize("name", ["round", "rint", "fix", "trunc", "floor", "ceil"])
def test_halves_are_rounded_the_same_way(name):
    x, inputs = data()
    compare(getattr(mx.sym, name)(x), inputs, draw=halves)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", BINARY)
def test_two_tensors_with_broadcasting(name, dtype):
    if dtype == "int32" and name in ("broadcast_div", "broadcast_mod"):
        pytest.skip("whole numbers by zero")
    a, b = mx.sym.var("a"), mx.sym.var("b")
    compare(getattr(mx.sym, name)(a, b), {"a": (TN3, dtype), "b": ((1, "N", 1), dtype)})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_tensors_of_one_shape(dtype):
    a, b = mx.sym.var("a"), mx.sym.var("b")
    symbol = mx.sym.Group([a + b, a - b, a * b, a / b, mx.sym.abs(a) ** b, mx.sym.maximum(a, b), mx.sym.minimum(a, b),
                           a > b, a == b, mx.sym.add_n(a, b, a), mx.sym.where(a > 0, a, b)])
    compare(symbol, {"a": (TN3, dtype), "b": (TN3, dtype)})


@pytest.mark.parametrize("name, dtype", both(SCALAR))
def test_tensor_and_number(name, dtype):
    x, inputs = data(dtype)
    compare(SCALAR[name](x), inputs)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_whole_numbers_with_a_number(dtype):
    x, inputs = data(dtype)
    compare(mx.sym.Group([x + 2, x - 2, 2 - x, x * 3, x % 3, x > 1, mx.sym.maximum(x, 1), mx.sym.clip(x, 1, 2)]), inputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clip(dtype):
    x, inputs = data(dtype)
    compare(mx.sym.clip(x, -0.5, 0.75), inputs)


@pytest.mark.parametrize("source, target", [("float32", "int32"), ("int32", "float32"), ("float32", "float64"),
                                            ("int64", "int32"), ("float64", "float32")])
def test_cast(source, target):
    x, inputs = data(source)
    compare(mx.sym.cast(x, target), inputs)


def test_rows_are_chosen_by_a_condition_for_each():
    rows, a, b = (mx.sym.var(name) for name in ("rows", "a", "b"))
    compare(mx.sym.where(rows, a, b), {"rows": (("N",), "float32"), "a": (("N", 3), "float32"), "b": (("N", 3), "float32")},
            draw=lambda shape, dtype, lengths: np.round(drawn(shape, dtype, lengths)))


def test_what_changes_nothing_is_left_out():
    x, inputs = data()
    symbol = mx.sym.BlockGrad(mx.sym.Dropout(mx.sym.identity(x) * 1 + 0, p=0.5)) / 1
    assert operators_of(compare(mx.sym.tanh(mx.sym.cast(symbol, "float32")), inputs)) == ["Tanh"]


def test_a_comparison_that_chooses_needs_no_casts():
    x, inputs = data()
    assert operators_of(compare(mx.sym.where(x > 0, x, 2 * x), inputs)) == ["Greater", "Mul", "Where"]


def test_a_repeated_operand_is_not_repeated():
    x, row = mx.sym.var("data"), mx.sym.var("row")
    wide = mx.sym.broadcast_like(mx.sym.expand_dims(row, axis=0), x)
    symbol = mx.sym.Group([x * wide, mx.sym.where((wide * 2) > 0, x, x + mx.sym.ones_like(x))])
    model = compare(symbol, {"data": (TN3, "float32"), "row": (("N", 3), "float32")})
    assert "Expand" not in operators_of(model) and "ConstantOfShape" not in operators_of(model)
