"""MXNet symbols as ONNX models of standard operators only: ``convert(symbol, parameters, inputs)``.

The reader (`graph`) takes a symbol apart and asks MXNet for the shapes and types in it, the driver (`translators`)
calls one function for each node, those functions (`operators`) write ONNX nodes with a `Builder`, and `check` compares
the result with given answers.
"""
import importlib.util

if importlib.util.find_spec("onnx") is None:
    raise ImportError("gluon_rnn.export.onnx needs the package onnx, which is not installed; "
                      "install it with pip install 'gluon_rnn[onnx]'")

from gluon_rnn.export.onnx.check import DifferentAnswers, check, difference  # noqa: E402  after the sentence above
from gluon_rnn.export.onnx.conversion import convert  # noqa: E402
from gluon_rnn.export.onnx.translators import UnsupportedOperator, supported, translates  # noqa: E402

__all__ = ["convert", "check", "difference", "supported", "translates", "UnsupportedOperator", "DifferentAnswers"]
