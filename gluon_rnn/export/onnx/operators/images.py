"""Layers of convolutional networks, in one, two or three dimensions: (N, C, ...)."""
import numpy as np

from gluon_rnn.export.onnx.operators.reductions import reduced
from gluon_rnn.export.onnx.shaping import reshape, scalar
from gluon_rnn.export.onnx.translators import refused, translates

_GLOBAL = {"max": "GlobalMaxPool", "avg": "GlobalAveragePool", "lp": "GlobalLpPool"}


def _geometry(node):
    """Return kernel, strides, dilations and padding, for each axis of an image."""
    kernel = node.attrs.get("kernel", ())
    ones = (1,) * len(kernel)
    return (kernel, node.attrs.get("stride") or ones, node.attrs.get("dilate") or ones,
            node.attrs.get("pad") or (0,) * len(kernel))


def _check_layout(node):
    layout = node.attrs.get("layout")
    if layout not in (None, "None", "NCW", "NCHW", "NCDHW"):
        raise refused(node, f"has layout {layout!r}, but channels must come second; transpose before and after it")


@translates("Convolution", "Convolution_v1")
def convolution(builder, node):
    _check_layout(node)
    kernel, strides, dilations, pad = _geometry(node)
    return builder.add("Conv", *node.inputs, kernel_shape=kernel, strides=strides, dilations=dilations,
                       pads=(*pad, *pad), group=node.attrs.get("num_group", 1))


@translates("Deconvolution")
def deconvolution(builder, node):
    _check_layout(node)
    kernel, strides, dilations, pad = _geometry(node)
    if node.attrs.get("target_shape"):
        raise refused(node, "has a target_shape; say pad and adj instead")
    return builder.add("ConvTranspose", *node.inputs, kernel_shape=kernel, strides=strides, dilations=dilations,
                       pads=(*pad, *pad), output_padding=node.attrs.get("adj") or (0,) * len(kernel),
                       group=node.attrs.get("num_group", 1))


@translates("Pooling", "Pooling_v1")
def pooling(builder, node):
    _check_layout(node)
    kind, data = node.attrs.get("pool_type", "max"), node.inputs[0]
    if kind not in ("max", "avg", "sum", "lp"):
        raise refused(node, f"has pool_type {kind!r}; known are max, avg, sum, lp")
    if node.attrs.get("global_pool", False):
        if kind == "sum":
            return reduced(builder, "ReduceSum", data, range(2, data.ndim), True)
        return builder.add(_GLOBAL[kind], data, p=node.attrs.get("p_value", 2) if kind == "lp" else None)
    return _local_pooling(builder, node, kind)


def _local_pooling(builder, node, kind):
    """An average over places in the padding divides by the whole window, or by what is in the image."""
    kernel, strides, _, pad = _geometry(node)
    convention = node.attrs.get("pooling_convention", "valid")
    if convention not in ("valid", "full") or (convention == "full" and kind != "max"):
        raise refused(node, f"has pooling_convention {convention!r} with pool_type {kind!r}, but 'valid' is needed "
                            "('full' for max); pad before it")
    common = dict(kernel_shape=kernel, strides=strides, pads=(*pad, *pad))
    if kind == "max":
        return builder.add("MaxPool", node.inputs[0], ceil_mode=int(convention == "full"), **common)
    if kind == "lp":
        return builder.add("LpPool", node.inputs[0], p=node.attrs.get("p_value", 2), **common)
    include = kind == "sum" or node.attrs.get("count_include_pad", True) is not False
    mean = builder.add("AveragePool", node.inputs[0], count_include_pad=int(include), **common)
    return mean if kind == "avg" else builder.add("Mul", mean, scalar(builder, int(np.prod(kernel)), mean.dtype))


@translates("_contrib_AdaptiveAvgPooling2D")
def adaptive_pooling(builder, node):
    if node.attrs.get("output_size") not in (None, (), 1, (1,), (1, 1)):
        raise refused(node, "is translated for an output of size 1 only; use Pooling with a kernel")
    return builder.add("GlobalAveragePool", node.inputs[0])


@translates("BatchNorm", "BatchNorm_v1")
def batch_norm(builder, node):
    """With the running averages. ONNX Runtime joins it with a convolution before it."""
    data, gamma, beta, mean, variance = node.inputs
    axis, eps = node.attrs.get("axis", 1) % data.ndim, float(node.attrs.get("eps", 1e-3))
    if node.attrs.get("output_mean_var", False):
        raise refused(node, "gives out mean and variance as well; leave out output_mean_var")
    if node.attrs.get("fix_gamma", True):
        gamma = builder.constant(np.ones(gamma.shape, gamma.dtype))
    if axis == 1:
        return builder.add("BatchNormalization", data, gamma, beta, mean, variance, epsilon=eps)
    shape = tuple(-1 if place == axis else 1 for place in range(data.ndim))
    if any(tensor.value is None for tensor in (gamma, beta, mean, variance)):
        raise refused(node, f"normalises axis {axis} with averages that are no parameters; use axis 1")
    factor = gamma.value / np.sqrt(variance.value + eps)
    shift = beta.value - mean.value * factor
    return builder.add("Add", builder.add("Mul", data, factor.reshape(shape).astype(data.dtype)),
                       shift.reshape(shape).astype(data.dtype))


@translates("LayerNorm")
def layer_norm(builder, node):
    data, gamma, beta = node.inputs
    axis, eps = node.attrs.get("axis", -1) % data.ndim, float(node.attrs.get("eps", 1e-5))
    if node.attrs.get("output_mean_var", False):
        raise refused(node, "gives out mean and variance as well; leave out output_mean_var")
    if axis == data.ndim - 1:
        return builder.add("LayerNormalization", data, gamma, beta, axis=-1, epsilon=eps)
    shape = tuple(gamma.shape[0] if place == axis else 1 for place in range(data.ndim))
    return _scaled(builder, _normalised(builder, data, [axis], eps), gamma, beta, shape)


@translates("InstanceNorm")
def instance_norm(builder, node):
    data, gamma, beta = node.inputs
    normal = _normalised(builder, data, range(2, data.ndim), float(node.attrs.get("eps", 1e-3)))
    return _scaled(builder, normal, gamma, beta, (gamma.shape[0], *(1,) * (data.ndim - 2)))


@translates("GroupNorm")
def group_norm(builder, node):
    """One mean and variance for each group of channels, and for each channel a scale."""
    data, gamma, beta = node.inputs
    groups, eps = node.attrs.get("num_groups", 1), float(node.attrs.get("eps", 1e-5))
    wide = builder.add("Reshape", data, np.array([0, groups, -1], "int64"))
    normal = _normalised(builder, wide, [2], eps)
    if gamma.shape[0] == groups != data.shape[1]:
        return reshape(builder, _scaled(builder, normal, gamma, beta, (groups, 1)), data.shape, data.sizes, [data])
    normal = reshape(builder, normal, data.shape, data.sizes, [data])
    return _scaled(builder, normal, gamma, beta, (gamma.shape[0], *(1,) * (data.ndim - 2)))


def _normalised(builder, data, axes, eps):
    """Return `data` with mean 0 and variance 1 along axes."""
    centred = builder.add("Sub", data, reduced(builder, "ReduceMean", data, axes, True))
    variance = reduced(builder, "ReduceMean", builder.add("Mul", centred, centred), axes, True)
    root = builder.add("Sqrt", builder.add("Add", variance, scalar(builder, eps, data.dtype)))
    return builder.add("Div", centred, root)


def _scaled(builder, normal, gamma, beta, shape):
    product = builder.add("Mul", normal, reshape(builder, gamma, shape))
    return builder.add("Add", product, reshape(builder, beta, shape))


@translates("LRN")
def lrn(builder, node):
    attrs = node.attrs
    return builder.add("LRN", node.inputs[0], alpha=float(attrs.get("alpha", 1e-4)),
                       beta=float(attrs.get("beta", 0.75)), bias=float(attrs.get("knorm", 2)), size=attrs["nsize"])
