"""Operators that reduce along axes, sort, or accumulate."""
import numpy as np

from gluon_rnn.export.onnx.shaping import cast, reshape, scalar, size
from gluon_rnn.export.onnx.translators import refused, translates

REDUCTIONS = {"sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin"}


def reduced(builder, op_type, data, axes, keepdims):
    """Return `data` reduced along axes; up to opset 17 they are an attribute of all but ReduceSum."""
    axes = sorted(axis % data.ndim for axis in axes)
    if op_type == "ReduceSum" or builder.opset >= 18:
        return builder.add(op_type, data, np.array(axes, "int64"), keepdims=int(keepdims))
    return builder.add(op_type, data, axes=axes, keepdims=int(keepdims))


def axes_of(node):
    """Return the axes that a node reduces: none named means all, and `exclude` all others."""
    axis, ndim = node.attrs.get("axis"), node.inputs[0].ndim
    axes = range(ndim) if axis in (None, ()) else (axis,) if isinstance(axis, int) else axis
    axes = {entry % ndim for entry in axes}
    return sorted(set(range(ndim)) - axes if node.attrs.get("exclude", False) and axis not in (None, ()) else axes)


def _one_at_least(builder, node, tensor):
    """Return a scalar as (1,), as MXNet has it."""
    return reshape(builder, tensor, (1,)) if tensor.ndim == 0 else tensor


@translates(*REDUCTIONS)
def reduction(builder, node):
    axes = axes_of(node)
    data = cast(builder, node.inputs[0], node.output_dtypes[0])
    return _one_at_least(builder, node, reduced(builder, REDUCTIONS[node.op], data, axes,
                                                node.attrs.get("keepdims", False)))


@translates("norm")
def norm(builder, node):
    order, data = node.attrs.get("ord", 2), cast(builder, node.inputs[0], node.output_dtypes[0])
    if order not in (1, 2):
        raise refused(node, f"has ord {order}; known are 1 and 2")
    return _one_at_least(builder, node, reduced(builder, f"ReduceL{order}", data, axes_of(node),
                                                node.attrs.get("keepdims", False)))


@translates("L2Normalization")
def l2_normalization(builder, node):
    data, mode, eps = node.inputs[0], node.attrs.get("mode", "instance"), float(node.attrs.get("eps", 1e-10))
    axes = {"instance": range(1, data.ndim), "channel": [1], "spatial": range(2, data.ndim)}[mode]
    squares = reduced(builder, "ReduceSum", builder.add("Mul", data, data), axes, True)
    return builder.add("Div", data, builder.add("Sqrt", builder.add("Add", squares, scalar(builder, eps, data.dtype))))


@translates("argmax", "argmin", "argmax_channel")
def arg_reduction(builder, node):
    data, axis = node.inputs[0], node.attrs.get("axis") if node.op != "argmax_channel" else 1
    keepdims = node.attrs.get("keepdims", False)
    if axis is None:
        data = builder.add("Reshape", data, np.array([-1], "int64"))
    op_type = "ArgMin" if node.op == "argmin" else "ArgMax"
    places = builder.add(op_type, data, axis=(axis or 0) % data.ndim, keepdims=int(bool(keepdims and axis is not None)))
    return cast(builder, reshape(builder, places, node.output_shapes[0], node.output_sizes[0], node.inputs),
                node.output_dtypes[0])


@translates("topk")
def topk(builder, node):
    kind, k = node.attrs.get("ret_typ", "indices"), node.attrs.get("k", 1)
    if kind not in ("indices", "value", "both"):
        raise refused(node, f"has ret_typ {kind!r}; known are 'indices', 'value' and 'both'")
    values, places = _sorted(builder, node, k if k > 0 else None)
    places = cast(builder, places, node.output_dtypes[-1] if kind != "value" else "int64")
    return {"indices": [places], "value": [values], "both": [values, places]}[kind]


@translates("sort")
def sort(builder, node):
    return _sorted(builder, node, None)[0]


@translates("argsort")
def argsort(builder, node):
    return cast(builder, _sorted(builder, node, None)[1], node.output_dtypes[0])


def _sorted(builder, node, k):
    """Return the first `k` values (all for None) along the node's axis, and their places."""
    data, axis = node.inputs[0], node.attrs.get("axis", -1)
    if axis is None:
        data, axis = builder.add("Reshape", data, np.array([-1], "int64")), 0
    axis %= data.ndim
    ascending = node.attrs.get("is_ascend", node.op != "topk")
    count = size(builder, data, axis) if k is None else np.array([k], "int64")
    return builder.add("TopK", data, count, outputs=2, axis=axis, largest=int(not ascending))


@translates("cumsum", "_np_cumsum")
def cumsum(builder, node):
    data, axis = cast(builder, node.inputs[0], node.output_dtypes[0]), node.attrs.get("axis")
    if axis is None:
        data, axis = builder.add("Reshape", data, np.array([-1], "int64")), 0
    return builder.add("CumSum", data, scalar(builder, axis % data.ndim, "int64"))
