"""ONNX models of a bundle as data: looked through before ONNX Runtime opens one. Needs no library.

ONNX lets a model name other files for its numbers, operators of any domain, and functions of its own. An export has
none of these. `ONNX_OPERATORS` are those that `gluon_rnn.export.onnx` writes, `QUANTIZED` what ONNX Runtime's
quantisation puts in their places; `tests/export/test_onnx_file.py` holds the list against the sources.
"""
import os
import pathlib
from math import prod

from gluon_rnn.export.protobuf import Message
from gluon_rnn.export.reading import BundleError

__all__ = ["ONNX_OPERATORS", "QUANTIZED", "checked_model"]

#: of quantisation, with its domain
QUANTIZED = {"DynamicQuantizeLSTM": "com.microsoft", "DynamicQuantizeLinear": "", "DequantizeLinear": "",
             "MatMulInteger": ""}
_WORDS = (
    "Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil Clip "
    "Concat Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Elu Equal Erf Exp Expand Flatten Floor GRU Gather "
    "GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual Identity "
    "LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpPool MatMul Max MaxPool Min Mod Mul "
    "Neg Not Or PRelu Pad Pow RNN Range Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu "
    "Reshape ReverseSequence Scan Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign "
    "SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh Tile TopK Transpose Unsqueeze Where Xor "
    "ConstantOfShape")
ONNX_OPERATORS = frozenset(_WORDS.split())
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
_MOST_BYTES, _DEEPEST = 2**31 - 1, 6                                      # what a protobuf file can hold
#: data type of a tensor -> its bytes
_SIZES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
# numbers of fields, by message: those that an export has, and among them those with messages
_MODEL = {"graph": 7, "imports": 8, "metadata": 14}
_KNOWN = {"model": {1, 2, 3, 4, 5, 6, 7, 8, 14}, "graph": {1, 2, 5, 10, 11, 12, 13, 14, 16},
          "node": {1, 2, 3, 4, 5, 6, 7, 8, 9}, "attribute": {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20, 21},
          "tensor": {1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 14, 16}}


def checked_model(path):
    """Return the bytes of an ONNX model, having looked through all of it.

    Raises
    ------
    BundleError
        If the file is damaged, keeps numbers in other files, or has functions, sparse tensors, texts as numbers,
        operators or domains that no export writes, or a tensor with another number of bytes than its shape needs.
    """
    path = pathlib.Path(path)
    size = os.stat(path).st_size
    if size > _MOST_BYTES:
        raise BundleError(f"{str(path)!r} has {size:,} bytes, and an ONNX model at most {_MOST_BYTES:,}; export again")
    content = path.read_bytes()
    _check_model(Message(memoryview(content), repr(str(path))))
    return content


def _fields(message, kind):
    """Yield the fields of a message; BundleError for one that no export has, such as that of a file elsewhere."""
    for number, value in message.fields():
        if number not in _KNOWN[kind]:
            message.refuse(f"has the field {number} in a {kind}, which no export writes (13 of a tensor: numbers in "
                           "another file; 15 of a graph: sparse ones; 25 of a model: functions)")
        yield number, value


def _check_model(model):
    graphs = 0
    for number, value in _fields(model, "model"):
        if number == _MODEL["graph"]:
            graphs += 1
            _check_graph(model.message(value), 0)
        elif number == _MODEL["imports"]:
            domain = "".join(model.text(text) for key, text in model.message(value).fields() if key == 1)
            if domain not in _DOMAINS:
                model.refuse(f"takes operators from {domain[:60]!r}, which no export does")
        elif number == _MODEL["metadata"]:
            for key, text in model.message(value).fields():
                if key == 1 and model.text(text) == "ort_config":
                    model.refuse("has settings for ONNX Runtime, which no export writes")
    if graphs != 1:
        model.refuse(f"has {graphs} graphs, expected one; it is damaged or no ONNX model")


def _check_graph(graph, depth):
    if depth > _DEEPEST:
        graph.refuse(f"has loops within loops, {depth} deep")
    for number, value in _fields(graph, "graph"):
        if number == 1:
            _check_node(graph.message(value), depth)
        elif number == 5:
            _check_tensor(graph.message(value))


def _check_node(node, depth):
    op, domain = "", ""
    for number, value in _fields(node, "node"):
        if number == 4:
            op = node.text(value)
        elif number == 7:
            domain = node.text(value)
        elif number == 5:
            _check_attribute(node.message(value), depth)
        elif number == 8 and len(value):
            node.refuse("has a node of a function of its own")
    if QUANTIZED.get(op) != domain and not (op in ONNX_OPERATORS and domain in ("", "ai.onnx")):
        node.refuse(f"has the operator {op[:60]!r} of the domain {domain[:60]!r}, which no export writes")


def _check_attribute(attribute, depth):
    for number, value in _fields(attribute, "attribute"):
        if number == 5:
            _check_tensor(attribute.message(value))
        elif number == 6:
            _check_graph(attribute.message(value), depth + 1)


def _check_tensor(tensor):
    """Check that the numbers of a tensor are here, and as many as its shape says."""
    dims, kind, raw = [], 0, None
    for number, value in _fields(tensor, "tensor"):
        if number == 1:
            dims += tensor.numbers(value)
        elif number == 2:
            kind = value
        elif number == 9:
            raw = tensor.message(value)
        elif number == 14 and value != 0:
            tensor.refuse("keeps numbers in another file")
    if kind not in _SIZES or len(dims) > 8 or any(size >= 2**31 for size in dims):
        tensor.refuse(f"has a tensor of the type {str(kind)[:20]} and the shape {str(dims)[:60]}")
    wrong = len(raw) != prod(dims) * _SIZES[kind] if raw is not None else prod(dims) > len(tensor)
    if wrong:
        tensor.refuse(f"has a tensor of the shape {dims} with another number of bytes")
