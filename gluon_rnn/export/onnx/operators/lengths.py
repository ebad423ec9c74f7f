"""Lengths of rows: masks, last steps, reversals, and the numbers of places that MXNet graphs make for them.

MXNet cuts fractions of lengths off, as a cast to whole numbers does.
"""
import numpy as np

from gluon_rnn.export.onnx.shaping import cast, reshape, scalar, size, sizes, squeeze, transpose, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates

__all__ = ["valid_steps", "numbers"]


def numbers(builder, length, dtype="int64"):
    """Return 0, 1, ... as a tensor, as many as the tensor `length` (1,) says."""
    if length.value is not None:
        return builder.constant(np.arange(length.value[0], dtype=dtype))
    count = builder.add("Squeeze", length, np.array([0], "int64"))
    found = builder.add("Range", scalar(builder, 0, "int64"), count, scalar(builder, 1, "int64"))
    return cast(builder, builder.describe(found, (None,)), dtype)


def valid_steps(builder, lengths, sequence, axis):
    """Return which steps lie within the `lengths` (N,), as bool: (T, N) for time along `axis` 0 of a sequence, else (N, T)."""
    steps = numbers(builder, size(builder, sequence, axis))
    lengths = cast(builder, lengths, "int64")
    valid = builder.add("Less", unsqueeze(builder, steps, [1 - axis]), unsqueeze(builder, lengths, [axis]))
    return builder.describe(valid, sequence.shape[:2])


def _time(node):
    """Return the axis of time of a Sequence operator, 0 or 1."""
    return int(node.attrs.get("axis", 0))


@translates("SequenceMask")
def sequence_mask(builder, node):
    """A selection by place, so that NaN on padding is replaced."""
    data = node.inputs[0]
    if not node.attrs.get("use_sequence_length"):
        return data
    valid = valid_steps(builder, node.inputs[1], data, _time(node))
    if data.ndim > 2:
        valid = unsqueeze(builder, valid, range(2, data.ndim))
    value = scalar(builder, float(node.attrs.get("value", 0)), data.dtype)
    return builder.add("Where", valid, data, value)


@translates("SequenceLast")
def sequence_last(builder, node):
    """Rows (N, ...) at length - 1; without lengths the last step."""
    data, axis = node.inputs[0], _time(node)
    if not node.attrs.get("use_sequence_length"):
        return builder.add("Gather", data, scalar(builder, -1, "int64"), axis=axis)
    last = builder.add("Sub", cast(builder, node.inputs[1], "int64"), scalar(builder, 1, "int64"))
    rows = numbers(builder, size(builder, data, 1 - axis))
    places = [unsqueeze(builder, part, [1]) for part in ((last, rows) if axis == 0 else (rows, last))]
    return builder.add("GatherND", data, builder.add("Concat", *places, axis=1))


@translates("SequenceReverse")
def sequence_reverse(builder, node):
    """Valid steps in reverse order, the padding left behind them; without lengths all steps."""
    data = node.inputs[0]
    if _time(node) != 0:
        raise refused(node, f"has axis={_time(node)}, but MXNet reverses along axis 0 alone")
    if not node.attrs.get("use_sequence_length"):
        return builder.add("Slice", data, *(np.array([bound], "int64") for bound in (-1, np.iinfo("int64").min, 0, -1)))
    return builder.add("ReverseSequence", data, cast(builder, node.inputs[1], "int64"), batch_axis=1, time_axis=0)


@translates("_contrib_index_array")
def index_array(builder, node):
    """The place of each element, (..., K) for K axes."""
    data = node.inputs[0]
    axes = node.attrs.get("axes") or range(data.ndim)
    lengths = [size(builder, data, axis) for axis in range(data.ndim)]
    parts = []
    for axis in axes:
        part = numbers(builder, lengths[axis])
        part = unsqueeze(builder, part, [other for other in range(data.ndim + 1) if other != axis])
        parts.append(builder.add("Expand", part, sizes(builder, [*lengths, 1])))
    return parts[0] if len(parts) == 1 else builder.add("Concat", *parts, axis=data.ndim)


@translates("gather_nd")
def gather_nd(builder, node):
    """Elements or rows at `indices` (M, ...), which ONNX wants as (..., M)."""
    data, indices = node.inputs
    axes = (*range(1, indices.ndim), 0)
    return builder.add("GatherND", data, transpose(builder, cast(builder, indices, "int64"), axes))


@translates("_contrib_arange_like")
def arange_like(builder, node):
    """start + step * i for the elements of a tensor in their order, or for one of its axes."""
    data, attrs = node.inputs[0], node.attrs
    if attrs.get("repeat", 1) != 1:
        raise refused(node, f"has repeat={attrs['repeat']}; only 1 is translated")
    axis, dtype = attrs.get("axis"), node.output_dtypes[0]
    count = _elements(builder, data) if axis is None else size(builder, data, axis)
    found = numbers(builder, count, dtype)
    for op_type, key, unchanged in (("Mul", "step", 1), ("Add", "start", 0)):
        if float(attrs.get(key, unchanged)) != unchanged:
            found = builder.add(op_type, found, scalar(builder, attrs[key], dtype))
    if axis is not None or data.ndim == 1:
        return found
    lengths = [size(builder, data, place) for place in range(data.ndim)]
    return builder.add("Reshape", found, sizes(builder, lengths))


def _elements(builder, data):
    """Return the number of elements, (1,)."""
    return reshape(builder, builder.add("Size", data), (1,))
