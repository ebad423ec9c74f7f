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
        return tensor.truth if dtype.kind == "b" else cast(builder, tensor.truth, dtype)
    result = builder.add("Cast", tensor, to=helper.np_dtype_to_tensor_dtype(dtype))
    truth = tensor if tensor.dtype.kind == "b" else None
    return builder.describe(result, tensor.shape, dtype, sizes=tensor.sizes, truth=truth)


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
        tensor, axis = builder.axes.get(pair, (tensor, axis))             # inputs are there already: no need to wait
    return builder.add("Shape", tensor, start=axis, end=axis + 1)


def sizes(builder, parts):
    """Return a shape as a tensor (ndim,) of int64; `parts` are numbers and tensors (1,)."""
    if all(isinstance(part, (int, np.integer)) for part in parts):
        return builder.constant(np.array(parts, "int64"))
    parts = [np.array([part], "int64") if isinstance(part, (int, np.integer)) else part for part in parts]
    return parts[0] if len(parts) == 1 else builder.add("Concat", *parts, axis=0)


def reshape(builder, tensor, shape, example=None, others=(), copied=()):
    """Return `tensor` in another shape.

    Parameters
    ----------
    shape : tuple
        None for a free axis.
    example : pair of tuples, optional
        The new shape at MXNet's example sizes. It is needed if more than one axis is free: the length of one is then
        that of an axis of the model's inputs, of `tensor`, or of the `others`, with the same two sizes.
    others : sequence of Tensor
    copied : collection of int
        Axes that are the old ones in their place, where the sizes of `tensor` do not tell.

    Raises
    ------
    LookupError
        If the lengths of two or more axes cannot be found.
    """
    if tensor.value is not None and None not in shape:
        return builder.constant(tensor.value.reshape(shape))
    if tensor.base is not None and not copied:
        tensor = _original(tensor, shape, example)
    if _is_same(tensor, shape, example):
        return tensor
    target = sizes(builder, _lengths(builder, [tensor, *others], shape, example, copied))
    result = builder.add("Reshape", tensor, target)
    return builder.describe(result, shape, sizes=example, base=tensor.base or tensor)


def _original(tensor, shape, example):
    """Return what `tensor` is a reshape of, if the way from there is no longer than from `tensor`."""
    if shape.count(None) <= 1 or _is_same(tensor.base, shape, example):
        return tensor.base
    return tensor


def _pair(example, axis):
    """Return the two example sizes of an axis, None where they are not known."""
    return None if example is None else tuple(shape[axis] for shape in example)


def _is_same(tensor, shape, example):
    """Tell whether a reshape to `shape` changes nothing; one free axis follows from the others."""
    if tuple(tensor.shape) != tuple(shape):
        return False
    return shape.count(None) <= 1 or (example is not None and tensor.sizes == example)


def _lengths(builder, tensors, shape, example, copied):
    """Return the second input of a Reshape, part by part: one free axis is -1, those in their old place are 0."""
    parts, free = list(shape), [axis for axis, length in enumerate(shape) if length is None]
    if len(free) > 1:
        for axis in free:
            parts[axis] = 0 if axis in copied else _length(builder, tensors, axis, _pair(example, axis))
        free = [axis for axis in free if parts[axis] is None] or free[-1:]
    if len(free) > 1:
        raise LookupError(f"the lengths of {len(free)} free axes of {shape} cannot be told from the inputs")
    for axis in free:
        parts[axis] = -1
    return parts


def _length(builder, tensors, axis, pair):
    """Return the length of a new axis: 0 for "the old one in this place", a tensor (1,), or None."""
    old = tensors[0]
    if pair is None:
        return None
    if axis < old.ndim and pair == _pair(old.sizes, axis):
        return 0
    if pair in builder.axes:
        return size(builder, *builder.axes[pair])
    return next((size(builder, tensor, number) for tensor in tensors if tensor.sizes is not None
                 for number in range(tensor.ndim) if pair == _pair(tensor.sizes, number)), None)


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
    """Return `tensor` with its axes in the order `axes`; two in a row are one."""
    axes = [axis % tensor.ndim for axis in axes]
    if tensor.value is not None:
        return builder.constant(np.ascontiguousarray(tensor.value.transpose(axes)))
    if tensor.turned is not None:
        tensor, before = tensor.turned
        axes = [before[axis] for axis in axes]
    if axes == sorted(axes):
        return tensor
    result = builder.add("Transpose", tensor, perm=axes)
    example = None if tensor.sizes is None else tuple(tuple(shape[axis] for axis in axes) for shape in tensor.sizes)
    return builder.describe(result, [tensor.shape[axis] for axis in axes], sizes=example, turned=(tensor, axes))


def expand(builder, tensor, shape, lengths, example=None):
    """Return `tensor` repeated to `shape`; `lengths` has a number or a tensor (1,) for each axis, 1 to keep one."""
    if all(isinstance(length, int) and length == 1 for length in lengths):
        return tensor
    result = builder.add("Expand", tensor, sizes(builder, lengths))
    return builder.describe(result, shape, sizes=example, narrow=tensor.narrow or tensor)


def slices(builder, tensor, axes, begins, ends, steps=None):
    """Return a slice of `tensor`; `begins` and `ends` are numbers or tensors (1,), as ONNX's Slice reads them."""
    steps = None if steps is None or set(steps) == {1} else np.array(steps, "int64")
    return builder.add("Slice", tensor, sizes(builder, begins), sizes(builder, ends), np.array(axes, "int64"), steps)
