"""What translators share: casts, shapes with free axes, transposes; each adds no node where none is needed."""
import numpy as np
from onnx import helper

__all__ = ["cast", "reshape", "size", "sizes", "transpose", "squeeze", "unsqueeze", "scalar", "expand", "slices"]


def cast(builder, tensor, dtype):
    """Return `tensor` as `dtype`; a comparison's 0 and 1 become bool again without a cast."""
    dtype = np.dtype(dtype)
    if tensor.dtype == dtype:
        return tensor
    if tensor.value is not None:
        return builder.constant(tensor.value.astype(dtype))
    if tensor.truth is not None:
        return tensor.truth if dtype == bool else cast(builder, tensor.truth, dtype)
    result = builder.add("Cast", tensor, to=helper.np_dtype_to_tensor_dtype(dtype))
    return builder.describe(result, tensor.shape, dtype, sizes=tensor.sizes, truth=tensor if tensor.dtype == bool else None)


def scalar(builder, number, dtype):
    """Return a constant of shape ()."""
    return builder.constant(np.asarray(number, dtype))


def size(builder, tensor, axis):
    """Return the length of an axis as a tensor (1,) of int64, a constant where it is fixed."""
    axis %= tensor.ndim
    if tensor.shape[axis] is not None:
        return builder.constant(np.array([tensor.shape[axis]], "int64"))
    if tensor.sizes is not None:
        pair = tuple(shape[axis] for shape in tensor.sizes)
        tensor, axis = builder.axes.get(pair, (tensor, axis))            # inputs are there already: no need to wait
    return builder.add("Shape", tensor, start=axis, end=axis + 1)


def sizes(builder, parts):
    """Return a shape as a tensor (ndim,) of int64; `parts` are numbers and tensors (1,)."""
    if all(isinstance(part, (int, np.integer)) for part in parts):
        return builder.constant(np.array(parts, "int64"))
    parts = [np.array([part], "int64") if isinstance(part, (int, np.integer)) else part for part in parts]
    return parts[0] if len(parts) == 1 else builder.add("Concat", *parts, axis=0)


def reshape(builder, tensor, shape, *, copied=None, example=None):
    """Return `tensor` in another shape.

    Parameters
    ----------
    shape : tuple
        None for a free axis.
    copied : dict of int to int, optional
        Free axes that are an axis of `tensor`, unchanged: {axis of the result: axis of the tensor}.
    example : pair of tuples, optional
        The new shape at the example sizes, by which a free axis that bears a name is found.
    """
    if tensor.value is not None and None not in shape:
        return builder.constant(tensor.value.reshape(shape))
    copied = {axis: axis for axis, length in enumerate(shape) if _same_axis(tensor, example, axis, length)} \
        if copied is None else copied
    if tensor.base is not None and sum(length is None for length in shape) <= 1:
        tensor, copied = tensor.base, {}
    if _is_same(tensor, shape, copied):
        return tensor
    target = _target(builder, tensor, shape, copied, example)
    result = builder.add("Reshape", tensor, target)
    return builder.describe(result, shape, sizes=example, base=tensor.base or tensor)


def _same_axis(tensor, example, axis, length):
    return (length is None and example is not None and tensor.sizes is not None and axis < tensor.ndim
            and all(ours[axis] == theirs[axis] for ours, theirs in zip(tensor.sizes, example)))


def _is_same(tensor, shape, copied):
    """Tell whether a reshape to `shape` changes nothing: at most one free axis cannot be told by number."""
    if len(shape) != tensor.ndim or any(a != b for a, b in zip(tensor.shape, shape)):
        return False
    unknown = [axis for axis, length in enumerate(shape) if length is None and copied.get(axis) != axis]
    return len(unknown) <= 1


def _target(builder, tensor, shape, copied, example):
    """Return the second input of a Reshape: one free axis is inferred (-1), those in place are copied (0)."""
    parts = list(shape)
    free = [axis for axis, length in enumerate(shape) if length is None]
    for axis in free:
        if len(free) > 1 and copied.get(axis) == axis:
            parts[axis] = 0
    left = [axis for axis in free if parts[axis] is None]
    for axis in left[:-1]:
        parts[axis] = _length(builder, tensor, copied.get(axis), example, axis)
    if left:
        parts[left[-1]] = -1
    return sizes(builder, parts)


def _length(builder, tensor, source, example, axis):
    """Return the length of a new free axis: that of an old one, or of the model's input whose axis it is."""
    if source is not None:
        return size(builder, tensor, source)
    pair = None if example is None else tuple(shape[axis] for shape in example)
    if pair in builder.axes:
        return size(builder, *builder.axes[pair])
    for number in range(tensor.ndim):
        if tensor.sizes is not None and pair == tuple(shape[number] for shape in tensor.sizes):
            return size(builder, tensor, number)
    raise NotImplementedError(f"the length of axis {axis} of a reshape to {example} cannot be found")


def squeeze(builder, tensor, axes):
    """Return `tensor` without `axes` of length 1."""
    axes = {axis % tensor.ndim for axis in axes}
    kept = [axis for axis in range(tensor.ndim) if axis not in axes]
    return _relabelled(builder, tensor, "Squeeze", sorted(axes), kept)


def unsqueeze(builder, tensor, axes):
    """Return `tensor` with axes of length 1 at the places `axes` of the result, none negative."""
    ndim, old = tensor.ndim + len(axes), iter(range(tensor.ndim))
    return _relabelled(builder, tensor, "Unsqueeze", sorted(axes),
                       [None if axis in axes else next(old) for axis in range(ndim)])


def _relabelled(builder, tensor, op_type, axes, kept):
    """Return `tensor` with the axes `kept`, None for a new one of length 1; two that cancel leave no node."""
    shape = tuple(1 if axis is None else tensor.shape[axis] for axis in kept)
    if tensor.value is not None:
        return builder.constant(tensor.value.reshape(shape))
    example = None if tensor.sizes is None else tuple(
        tuple(1 if axis is None else old[axis] for axis in kept) for old in tensor.sizes)
    base = tensor.base
    if base is not None and base.shape == shape and (shape.count(None) <= 1 or (example and base.sizes == example)):
        return base
    if not axes:
        return tensor
    result = builder.add(op_type, tensor, np.array(axes, "int64"))
    return builder.describe(result, shape, sizes=example, base=base or tensor)


def transpose(builder, tensor, axes):
    """Return `tensor` with its axes in the order `axes`; where only axes of length 1 move, it is a reshape."""
    axes = [axis % tensor.ndim for axis in axes]
    if tensor.value is not None:
        return builder.constant(np.ascontiguousarray(tensor.value.transpose(axes)))
    if axes == sorted(axes):
        return tensor
    result = builder.add("Transpose", tensor, perm=axes)
    example = None if tensor.sizes is None else tuple(tuple(shape[axis] for axis in axes) for shape in tensor.sizes)
    return builder.describe(result, [tensor.shape[axis] for axis in axes], sizes=example)


def expand(builder, tensor, shape, lengths):
    """Return `tensor` repeated to `shape`; `lengths` has a number or a tensor (1,) for each axis."""
    if tensor.shape == tuple(shape) and None not in shape:
        return tensor
    result = builder.add("Expand", tensor, sizes(builder, lengths))
    return builder.describe(result, shape, narrow=tensor.narrow or tensor)


def slices(builder, tensor, axes, begins, ends, steps=None):
    """Return a slice of `tensor`; `begins` and `ends` are numbers or tensors (1,), as ONNX's Slice reads them."""
    steps = None if steps is None or set(steps) == {1} else np.array(steps, "int64")
    return builder.add("Slice", tensor, sizes(builder, begins), sizes(builder, ends), np.array(axes, "int64"), steps)
