"""Tensors that hold no data: filled ones, counted ones, and places."""
import numpy as np
from onnx import numpy_helper

from gluon_rnn.export.onnx.shaping import cast, expand, reshape, scalar, size, sizes, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates


@translates("zeros_like", "ones_like", "full_like", "_full_like")
def filled_like(builder, node):
    number = {"zeros_like": 0, "ones_like": 1}.get(node.op, node.attrs.get("fill_value"))
    return filled(builder, node, float(number), [node.inputs[0]])


@translates("_zeros", "_ones", "_full", "_zeros_without_dtype")
def filled_from_nothing(builder, node):
    """A free axis, such as that of the batch in begin states, is the one of an input of the model."""
    number = {"_ones": 1, "_full": node.attrs.get("value")}.get(node.op, 0)
    return filled(builder, node, float(number), [])


def filled(builder, node, number, like):
    """Return a tensor of the node's shape with one number everywhere; operators that broadcast read that alone."""
    shape, dtype, example = node.output_shapes[0], node.output_dtypes[0], node.output_sizes[0]
    if None not in shape:
        return builder.constant(np.full(shape, number, dtype))
    lengths = [length if length is not None else _free(builder, node, axis, like) for axis, length in enumerate(shape)]
    value = numpy_helper.from_array(np.array([number], dtype))
    result = builder.add("ConstantOfShape", sizes(builder, lengths), value=value)
    narrow = builder.constant(np.full((1,) * len(shape), number, dtype))
    return builder.describe(result, shape, dtype, sizes=example, fill=number, narrow=narrow)


def _free(builder, node, axis, like):
    """Return the length of a free axis of a node's output."""
    pair = tuple(shape[axis] for shape in node.output_sizes[0])
    if pair in builder.axes:
        return size(builder, *builder.axes[pair])
    if like:
        return size(builder, like[0], axis)
    raise refused(node, f"has an axis {axis} whose length is that of no axis of an input; give it a size")


def counted(builder, tensor, axis, dtype):
    """Return 0, 1, ... up to the length of an axis, (length,)."""
    length = tensor.shape[axis]
    if length is not None:
        return builder.constant(np.arange(length).astype(dtype))
    places = builder.add("Range", scalar(builder, 0, "int64"),
                         builder.add("Squeeze", size(builder, tensor, axis), np.array([0], "int64")),
                         scalar(builder, 1, "int64"))
    pairs = None if tensor.sizes is None else tuple((shape[axis],) for shape in tensor.sizes)
    return cast(builder, builder.describe(places, (None,), "int64", sizes=pairs), dtype)


@translates("_contrib_arange_like")
def arange_like(builder, node):
    data, dtype, axis = node.inputs[0], node.output_dtypes[0], node.attrs.get("axis")
    if node.attrs.get("repeat", 1) != 1:
        raise refused(node, "repeats its numbers; use arange_like without repeat, and repeat afterwards")
    if axis is None:
        data = reshape(builder, data, (None if None in data.shape else int(np.prod(data.shape)),))
    numbers = counted(builder, data, axis or 0, dtype)
    start, step = float(node.attrs.get("start", 0)), float(node.attrs.get("step", 1))
    if step != 1:
        numbers = builder.add("Mul", numbers, scalar(builder, step, dtype))
    if start != 0:
        numbers = builder.add("Add", numbers, scalar(builder, start, dtype))
    return reshape(builder, numbers, node.output_shapes[0], node.output_sizes[0], node.inputs)


@translates("_contrib_index_array")
def index_array(builder, node):
    """The place of each element: (..., number of axes) of int64."""
    data = node.inputs[0]
    axes = node.attrs.get("axes")
    axes = range(data.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    lengths = [size(builder, data, axis) for axis in range(data.ndim)]
    parts = []
    for axis in (axis % data.ndim for axis in axes):
        others = [other for other in range(data.ndim) if other != axis]
        line = unsqueeze(builder, counted(builder, data, axis, "int64"), others)
        parts.append(unsqueeze(builder, expand(builder, line, data.shape, lengths), [data.ndim]))
    return builder.add("Concat", *parts, axis=data.ndim)


@translates("one_hot")
def one_hot(builder, node):
    """By a comparison: an id that is none gives zeros, as in MXNet."""
    ids, dtype, depth = node.inputs[0], node.output_dtypes[0], node.attrs["depth"]
    ids = cast(builder, ids, "int64" if ids.dtype == np.int64 else "int32")
    places = builder.constant(np.arange(depth).astype(ids.dtype))
    hit = builder.add("Equal", unsqueeze(builder, ids, [ids.ndim]), places)
    on, off = float(node.attrs.get("on_value", 1)), float(node.attrs.get("off_value", 0))
    if (on, off) == (1, 0):
        return cast(builder, hit, dtype)
    return builder.add("Where", hit, scalar(builder, on, dtype), scalar(builder, off, dtype))


@translates("shape_array")
def shape_array(builder, node):
    parts = [size(builder, node.inputs[0], axis) for axis in range(node.inputs[0].ndim)]
    if all(part.value is not None for part in parts):
        return builder.constant(np.concatenate([part.value for part in parts]))
    return builder.describe(sizes(builder, parts), pieces=tuple(parts))


@translates("size_array")
def size_array(builder, node):
    return builder.add("Unsqueeze", builder.add("Size", node.inputs[0]), np.array([0], "int64"))
