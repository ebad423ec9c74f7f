"""Activation functions of networks, and the two that make a distribution: softmax and its logarithm."""
import math

import numpy as np

from gluon_rnn.export.onnx.operators.making import counted
from gluon_rnn.export.onnx.shaping import cast, reshape, scalar, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates

ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softrelu": "Softplus", "softsign": "Softsign"}
_SELU = dict(alpha=1.6732632423543772848170429916717, gamma=1.0507009873554804934193349852946)


@translates("Activation")
def activation(builder, node):
    kind = node.attrs["act_type"]
    if kind not in ACTIVATIONS:
        raise refused(node, f"has act_type {kind!r}; known are {', '.join(ACTIVATIONS)}")
    if node.inputs[0].dtype == np.float64 and kind in _DOUBLE:
        return _DOUBLE[kind](builder, node.inputs[0])
    return builder.add(ACTIVATIONS[kind], node.inputs[0])


def _softplus(builder, data):
    """log(1 + exp(x)), by the size of x, so that no exponential is too large."""
    small = builder.add("Exp", builder.add("Neg", builder.add("Abs", data)))
    logarithm = builder.add("Log", builder.add("Add", small, scalar(builder, 1, data.dtype)))
    return builder.add("Add", builder.add("Max", data, scalar(builder, 0, data.dtype)), logarithm)


def _softsign(builder, data):
    return builder.add("Div", data, builder.add("Add", builder.add("Abs", data), scalar(builder, 1, data.dtype)))


# those that ONNX Runtime has in float32 only
_DOUBLE = {"softrelu": _softplus, "softsign": _softsign}


@translates("LeakyReLU")
def leaky_relu(builder, node):
    """A line of a slope below zero (leaky, prelu), an exponential there (elu, selu), or gelu."""
    kind, slope = node.attrs.get("act_type", "leaky"), float(node.attrs.get("slope", 0.25))
    data = node.inputs[0]
    if kind == "gelu":
        return _gelu(builder, data)
    if kind == "elu":
        return _elu(builder, data, slope, 1.0)
    if kind == "selu":
        return _elu(builder, data, **_SELU)
    if kind == "prelu":
        return builder.add("PRelu", data, _by_channel(builder, node.inputs[1], data.ndim))
    if kind != "leaky":
        raise refused(node, f"has act_type {kind!r}; known are leaky, elu, selu, gelu, prelu")
    return builder.add("LeakyRelu", data, alpha=slope)


def _by_channel(builder, slopes, ndim):
    """Return slopes (C,) as ONNX broadcasts them to (N, C, ...)."""
    if ndim > 2 and slopes.shape != (1,):
        return reshape(builder, slopes, (*slopes.shape, *(1,) * (ndim - 2)))
    return slopes


def _elu(builder, data, alpha, gamma):
    """ONNX Runtime has Elu and Selu in float32 only."""
    if data.dtype == np.float32:
        if gamma == 1:
            return builder.add("Elu", data, alpha=alpha)
        return builder.add("Selu", data, alpha=alpha, gamma=gamma)
    zero = scalar(builder, 0, data.dtype)
    curve = builder.add("Sub", builder.add("Exp", builder.add("Min", data, zero)), scalar(builder, 1, data.dtype))
    below = builder.add("Mul", curve, scalar(builder, alpha, data.dtype))
    both = builder.add("Add", builder.add("Max", data, zero), below)
    return both if gamma == 1 else builder.add("Mul", both, scalar(builder, gamma, data.dtype))


def _gelu(builder, data):
    """x times the normal distribution's function at x, in the order that ONNX Runtime knows as one operation."""
    quotient = builder.add("Div", data, scalar(builder, math.sqrt(2), data.dtype))
    inside = builder.add("Add", builder.add("Erf", quotient), scalar(builder, 1, data.dtype))
    return builder.add("Mul", builder.add("Mul", data, inside), scalar(builder, 0.5, data.dtype))


@translates("hard_sigmoid")
def hard_sigmoid(builder, node):
    data = node.inputs[0]
    alpha, beta = float(node.attrs.get("alpha", 0.2)), float(node.attrs.get("beta", 0.5))
    line = builder.add("Add", builder.add("Mul", data, scalar(builder, alpha, data.dtype)),
                       scalar(builder, beta, data.dtype))
    return builder.add("Clip", line, scalar(builder, 0, data.dtype), scalar(builder, 1, data.dtype))


@translates("softmax", "log_softmax", "softmin")
def softmax(builder, node):
    """With lengths, what is past one counts as minus infinity, and is 0 in the result whatever stands there."""
    data, *lengths = node.inputs
    data = cast(builder, data, node.output_dtypes[0])
    axis, temperature = node.attrs.get("axis", -1) % data.ndim, node.attrs.get("temperature")
    if node.op == "softmin":
        data = builder.add("Neg", data)
    if temperature not in (None, 1, 1.0):
        data = builder.add("Div", data, scalar(builder, float(temperature), data.dtype))
    op_type = "LogSoftmax" if node.op == "log_softmax" else "Softmax"
    if not (node.attrs.get("use_length", False) and lengths):
        return builder.add(op_type, data, axis=axis)
    valid = _valid(builder, data, lengths[0], axis)
    result = builder.add(op_type, builder.add("Where", valid, data, scalar(builder, -np.inf, data.dtype)), axis=axis)
    return builder.add("Where", valid, result, scalar(builder, 0, data.dtype))


def _valid(builder, data, lengths, axis):
    """Return the bool tensor that tells which places along `axis` are below the lengths."""
    places = counted(builder, data, axis, "int64")
    after = list(range(1, data.ndim - axis))
    places = unsqueeze(builder, places, after) if after else places
    return builder.add("Less", places, unsqueeze(builder, cast(builder, lengths, "int64"), [axis]))


@translates("SoftmaxOutput", "SoftmaxActivation")
def softmax_output(builder, node):
    """The probabilities, without the loss: over classes in axis 1, in the last axis, or over all of an example."""
    data = node.inputs[0]
    if node.attrs.get("multi_output", False) or node.attrs.get("mode") == "channel":
        return builder.add("Softmax", data, axis=1)
    if node.attrs.get("preserve_shape", False) or data.ndim == 2:
        return builder.add("Softmax", data, axis=data.ndim - 1)
    flat = builder.add("Softmax", builder.add("Flatten", data, axis=1), axis=1)
    return reshape(builder, flat, data.shape, data.sizes, [data])
