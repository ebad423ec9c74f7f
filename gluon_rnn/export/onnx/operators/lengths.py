"""Lengths of rows: masks, last steps, reversals.

MXNet cuts fractions of lengths off, as a cast to whole numbers does.
"""
import numpy as np

from gluon_rnn.export.onnx.operators.making import counted
from gluon_rnn.export.onnx.shaping import cast, scalar, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates

__all__ = ["valid_steps"]


def valid_steps(builder, lengths, sequence, axis):
    """Return which steps of a sequence, time along `axis`, lie within `lengths` (N,), as bool (T, N) or (N, T)."""
    steps = counted(builder, sequence, axis, "int64")
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
    rows = counted(builder, data, 1 - axis, "int64")
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
