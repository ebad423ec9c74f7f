"""Operators that look up: rows of tables, elements at places."""
import numpy as np

from gluon_rnn.export.onnx.shaping import cast, scalar, size, squeeze, transpose, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates


@translates("Embedding")
def embedding(builder, node):
    """An id outside the table is an error in ONNX Runtime, where MXNet takes the nearest row; as for `take` below."""
    ids, table = node.inputs
    return builder.add("Gather", table, as_places(builder, ids), axis=0)


@translates("take")
def take(builder, node):
    """Places outside are brought inside, as MXNet does, but for ids that go from an input straight into a table."""
    data, places = node.inputs
    axis, mode = node.attrs.get("axis", 0) % data.ndim, node.attrs.get("mode", "clip")
    is_table = data.value is not None and data.ndim == 2 and builder.is_input(places)
    places = as_places(builder, places)
    if mode == "wrap":
        places = builder.add("Mod", places, cast(builder, _length(builder, data, axis), places.dtype))
    elif not is_table:
        places = clipped(builder, data, axis, places)
    return builder.add("Gather", data, places, axis=axis)


def as_places(builder, tensor):
    """Return numbers as int32 or int64, which ONNX looks up by."""
    return tensor if tensor.dtype in (np.int32, np.int64) else cast(builder, tensor, "int32")


def _length(builder, data, axis):
    """Return the length of an axis as a scalar of int64."""
    length = data.shape[axis]
    if length is not None:
        return scalar(builder, length, "int64")
    return builder.add("Squeeze", size(builder, data, axis), np.array([0], "int64"))


def clipped(builder, data, axis, places):
    """Return places along an axis of `data`, those below 0 and above the end brought to the ends."""
    length = data.shape[axis]
    if places.value is not None and length is not None:
        return builder.constant(places.value.clip(0, length - 1))
    zero, one = (scalar(builder, number, places.dtype) for number in (0, 1))
    last = (scalar(builder, length - 1, places.dtype) if length is not None else
            builder.add("Sub", cast(builder, _length(builder, data, axis), places.dtype), one))
    return builder.add("Clip", places, zero, last)


@translates("gather_nd")
def gather_nd(builder, node):
    """MXNet has the axis of coordinates in front, ONNX at the end."""
    data, places = node.inputs
    places = transpose(builder, cast(builder, places, "int64"), [*range(1, places.ndim), 0])
    return builder.add("GatherND", data, places)


@translates("pick")
def pick(builder, node):
    data, places = node.inputs
    axis = node.attrs.get("axis", -1) % data.ndim
    if node.attrs.get("mode", "clip") != "clip":
        raise refused(node, "is translated with mode 'clip' only; take the remainder before")
    places = clipped(builder, data, axis, cast(builder, places, "int64"))
    if places.ndim < data.ndim:
        places = unsqueeze(builder, places, [axis])
    found = builder.add("GatherElements", data, places, axis=axis)
    return found if node.attrs.get("keepdims", False) else squeeze(builder, found, [axis])


@translates("batch_take")
def batch_take(builder, node):
    data, places = node.inputs
    places = unsqueeze(builder, clipped(builder, data, 1, cast(builder, places, "int64")), [1])
    return squeeze(builder, builder.add("GatherElements", data, places, axis=1), [1])
