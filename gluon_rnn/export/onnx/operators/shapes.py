"""Operators that rearrange: reshapes, slices, joints, transposes, repetitions, padding."""
import numpy as np

from gluon_rnn.export.onnx.operators.making import _free
from gluon_rnn.export.onnx.shaping import expand, reshape, size, sizes, slices, squeeze, transpose, unsqueeze
from gluon_rnn.export.onnx.translators import refused, translates

LAST, FIRST = np.iinfo("int64").max, np.iinfo("int64").min               # "to the end", forwards and backwards


def as_tuple(value):
    return (value,) if isinstance(value, int) else tuple(value)


@translates("Reshape", "reshape_like")
def reshaped(builder, node):
    """MXNet's codes (0, -1, ..., -4) are not read: it has inferred what they say."""
    shape, example = node.output_shapes[0], node.output_sizes[0]
    try:
        return reshape(builder, node.inputs[0], shape, example, node.inputs[1:])
    except LookupError as error:
        raise refused(node, f"cannot be written, since {error}; give sizes to more axes") from None


@translates("expand_dims")
def expand_dims(builder, node):
    data = node.inputs[0]
    return unsqueeze(builder, data, [node.attrs["axis"] % (data.ndim + 1)])


@translates("squeeze")
def squeezed(builder, node):
    data, axis = node.inputs[0], node.attrs.get("axis")
    axes = [i for i, length in enumerate(data.shape) if length == 1] if axis is None else as_tuple(axis)
    if len(axes) == data.ndim:                                            # MXNet leaves one axis
        return reshape(builder, data, (1,))
    return squeeze(builder, data, axes)


@translates("transpose")
def transposed(builder, node):
    ndim = node.inputs[0].ndim
    return transpose(builder, node.inputs[0], node.attrs.get("axes") or range(ndim)[::-1])


@translates("SwapAxis")
def swap_axes(builder, node):
    axes = list(range(node.inputs[0].ndim))
    a, b = node.attrs.get("dim1", 0), node.attrs.get("dim2", 0)
    axes[a], axes[b] = axes[b], axes[a]
    return transpose(builder, node.inputs[0], axes)


@translates("Concat")
def concat(builder, node):
    """Parts that were given an axis in front, which MXNet joins faster, are joined without it."""
    inputs = node.inputs
    axis = node.attrs.get("dim", 1) % inputs[0].ndim
    if len(inputs) == 1:
        return inputs[0]
    if axis > 0 and all(tensor.base is not None and tensor.shape == (1, *tensor.base.shape) for tensor in inputs):
        joint = builder.add("Concat", *(tensor.base for tensor in inputs), axis=axis - 1)
        example = tuple(shape[1:] for shape in node.output_sizes[0])
        return unsqueeze(builder, builder.describe(joint, node.output_shapes[0][1:], sizes=example), [0])
    return builder.add("Concat", *inputs, axis=axis)


@translates("stack")
def stack(builder, node):
    axis = node.attrs.get("axis", 0) % (node.inputs[0].ndim + 1)
    parts = [unsqueeze(builder, tensor, [axis]) for tensor in node.inputs]
    return parts[0] if len(parts) == 1 else builder.add("Concat", *parts, axis=axis)


@translates("SliceChannel")
def slice_channel(builder, node):
    data, count = node.inputs[0], node.attrs["num_outputs"]
    axis = node.attrs.get("axis", 1) % data.ndim
    parts = _split(builder, data, axis, [data.shape[axis] // count] * count if data.shape[axis] else None, count)
    return [squeeze(builder, part, [axis]) for part in parts] if node.attrs.get("squeeze_axis", False) else parts


@translates("_split_v2")
def split(builder, node):
    data, attrs = node.inputs[0], node.attrs
    axis, sections = attrs.get("axis", 1) % data.ndim, attrs.get("sections", 0)
    length = data.shape[axis]
    if length is None:
        raise refused(node, f"splits axis {axis}, which is of free length; give it a size")
    edges = [*range(0, length, length // sections), length] if sections else [*attrs["indices"], length]
    parts = _split(builder, data, axis, list(np.diff(edges)), len(edges) - 1)
    return [squeeze(builder, part, [axis]) for part in parts] if attrs.get("squeeze_axis", False) else parts


def _split(builder, data, axis, lengths, count):
    """Return `count` parts of `data` along an axis; lengths are None for parts of one free length."""
    if count == 1:
        return [data]
    if lengths is not None:
        return builder.add("Split", data, np.array(lengths, "int64"), outputs=count, axis=axis)
    return builder.add("Split", data, outputs=count, axis=axis,
                       num_outputs=count if builder.opset >= 18 else None)


@translates("slice_axis")
def slice_axis(builder, node):
    axis, begin, end = node.attrs["axis"] % node.inputs[0].ndim, node.attrs["begin"], node.attrs["end"]
    if (begin, end) in ((0, None), (0, node.inputs[0].shape[axis])):
        return node.inputs[0]
    if node.inputs[0].pieces is not None:
        return sizes(builder, node.inputs[0].pieces[begin:end])
    return slices(builder, node.inputs[0], [axis], [begin], [LAST if end is None else end])


@translates("slice")
def slice_(builder, node):
    begins, ends = as_tuple(node.attrs["begin"]), as_tuple(node.attrs["end"])
    steps = as_tuple(node.attrs.get("step") or (None,) * len(begins))
    chosen = []
    for axis, (begin, end, step) in enumerate(zip(begins, ends, steps)):
        step = step or 1
        if (begin, end, step) in ((None, None, 1), (0, None, 1), (0, node.inputs[0].shape[axis], 1)):
            continue
        edges = (0, LAST) if step > 0 else (LAST, FIRST)
        chosen.append((axis, edges[0] if begin is None else begin, edges[1] if end is None else end, step))
    return slices(builder, node.inputs[0], *zip(*chosen)) if chosen else node.inputs[0]


@translates("slice_like")
def slice_like(builder, node):
    data, like = node.inputs
    axes = node.attrs.get("axes") or range(data.ndim)
    axes = [axis % data.ndim for axis in as_tuple(axes)]
    axes = [axis for axis in axes if data.shape[axis] is None or data.shape[axis] != like.shape[axis]]
    if not axes:
        return data
    return slices(builder, data, axes, [0] * len(axes), [size(builder, like, axis) for axis in axes])


@translates("reverse")
def reverse(builder, node):
    axes = as_tuple(node.attrs["axis"])
    return slices(builder, node.inputs[0], [axis % node.inputs[0].ndim for axis in axes], [LAST] * len(axes),
                  [FIRST] * len(axes), [-1] * len(axes))


@translates("broadcast_axis", "broadcast_to", "broadcast_like")
def broadcast(builder, node):
    """Axes of length 1 are repeated to what MXNet has inferred; a free length is that of the other tensor."""
    data, shape = node.inputs[0], node.output_shapes[0]
    lengths = [1 if old == length else length if length is not None else _like(builder, node, axis)
               for axis, (old, length) in enumerate(zip(data.shape, shape))]
    return expand(builder, data, shape, lengths, node.output_sizes[0])


def _like(builder, node, axis):
    """Return the free length of an axis of the output, which is 1 or free in the input as well."""
    pair = tuple(shape[axis] for shape in node.output_sizes[0])
    if node.inputs[0].sizes is not None and pair == tuple(shape[axis] for shape in node.inputs[0].sizes):
        return 1
    if len(node.inputs) > 1:
        axes = node.attrs.get("lhs_axes"), node.attrs.get("rhs_axes")
        if axes[0] is not None:
            ours = [entry % node.inputs[0].ndim for entry in as_tuple(axes[0])]
            return size(builder, node.inputs[1], as_tuple(axes[1])[ours.index(axis)])
    return _free(builder, node, axis, node.inputs[1:])


@translates("tile")
def tile(builder, node):
    """As an Expand where whole axes of length 1 are repeated, which operators that broadcast need not make."""
    data, repeats = node.inputs[0], list(as_tuple(node.attrs["reps"]))
    repeats = [1] * (data.ndim - len(repeats)) + repeats
    if len(repeats) > data.ndim:
        data = unsqueeze(builder, data, range(len(repeats) - data.ndim))
    if all(number == 1 or length == 1 for number, length in zip(repeats, data.shape)):
        return expand(builder, data, node.output_shapes[0], repeats, node.output_sizes[0])
    return builder.add("Tile", data, np.array(repeats, "int64"))


def repeated(builder, data, axis, repeats, example=None):
    """Return `data` with each entry along an axis `repeats` times, one after the other."""
    wide = unsqueeze(builder, data, [axis + 1])
    lengths = [repeats if place == axis + 1 else 1 for place in range(wide.ndim)]
    wide = builder.add("Expand", wide, np.array(lengths, "int64"))
    length = data.shape[axis]
    shape = [length and length * repeats if place == axis else old for place, old in enumerate(data.shape)]
    if example is None and data.sizes is not None:
        example = tuple(tuple(old * repeats if place == axis else old for place, old in enumerate(old_shape))
                        for old_shape in data.sizes)
    return reshape(builder, wide, tuple(shape), example, [data])


@translates("repeat")
def repeat(builder, node):
    data, axis = node.inputs[0], node.attrs.get("axis")
    if axis is None:
        data, axis = reshape(builder, data, (None if None in data.shape else int(np.prod(data.shape)),)), 0
    return repeated(builder, data, axis % data.ndim, node.attrs["repeats"], node.output_sizes[0])


@translates("UpSampling")
def up_sampling(builder, node):
    if node.attrs.get("sample_type") != "nearest" or len(node.inputs) != 1:
        raise refused(node, "is translated for one input with sample_type 'nearest' only; use Deconvolution for others")
    data, scale = node.inputs[0], node.attrs["scale"]
    return repeated(builder, repeated(builder, data, 2, scale), 3, scale, node.output_sizes[0])


@translates("Pad")
def pad(builder, node):
    width, mode = node.attrs["pad_width"], node.attrs["mode"]
    value = np.asarray(float(node.attrs.get("constant_value", 0)), node.output_dtypes[0])
    return builder.add("Pad", node.inputs[0], np.array([*width[::2], *width[1::2]], "int64"),
                       value if mode == "constant" else None, mode=mode)


@translates("depth_to_space", "space_to_depth")
def depth_and_space(builder, node):
    op_type = "DepthToSpace" if node.op == "depth_to_space" else "SpaceToDepth"
    return builder.add(op_type, node.inputs[0], blocksize=node.attrs["block_size"])
