"""Arrays as callers give them: lists and NumPy arrays converted, lengths checked, and what cannot be taken refused.

Everything here happens once, in the call that a user makes. What reaches an operator inside a graph is made safe there,
by `gluon_rnn.nn.functional.clamped`.
"""
import mxnet as mx
import numpy as np
from mxnet.util import is_np_array

from gluon_rnn.nn import functional

__all__ = ["as_array", "as_lengths", "check_labels", "check_lengths", "device_of", "mismatch", "refuse_numpy_mode",
           "take", "take_lengths"]

#: dtypes in which sums of a length and a number of steps do not overflow
_WIDE = ("float32", "float64", "int32", "int64")
#: float16 holds every whole number up to here
_FLOAT16_COUNTS_TO = 2048


def refuse_numpy_mode(name):
    """Raise TypeError under ``npx.set_np()``: the blocks are made of operators for mx.nd arrays."""
    if is_np_array():
        raise TypeError(f"{name} computes with mx.nd arrays and cannot be made or called while npx.set_np() is in "
                        "force; call npx.reset_np() first, and pass x.as_nd_ndarray() in place of an mx.np array x")


def take(block, what, value, dtype):
    """Return the argument `what` of a call of `block` as an mx.nd array or symbol; arguments and errors of `as_array`.

    Also refuses a call under ``npx.set_np()``.
    """
    if type(value) in (mx.nd.NDArray, mx.sym.Symbol) and not is_np_array():
        return value
    refuse_numpy_mode(type(block).__name__)
    return as_array(type(block).__name__, what, value, dtype, device_of(block))


def take_lengths(block, valid_length, sequence, what="valid_length", steps="T", axis=0):
    """Return lengths (N,) that fit an array `sequence`, by `as_lengths` and `check_lengths`.

    Those of a symbol, and None, come back as they are. `axis` is that of time, 0 or 1, the other one being that of the
    batch; `steps` is what messages call the number of steps.
    """
    if valid_length is None or not isinstance(sequence, mx.nd.NDArray):
        return valid_length
    name, sizes = type(block).__name__, sequence.shape
    lengths = as_lengths(name, valid_length, sizes[1 - axis], sequence.context, what)
    if functional.is_trusted(lengths, sequence, axis):
        return lengths
    return check_lengths(name, lengths, sizes[axis], what, steps)


def as_array(name, what, value, dtype, ctx):
    """Return `value` as an mx.nd array: arrays as they are, lists and NumPy arrays converted.

    Parameters
    ----------
    name, what : str
        Of the block, and of the argument, for messages.
    value : NDArray, Symbol, NumPy array, or nested list of numbers
    dtype : str
        Of what is made from a list or NumPy array of real numbers; whole numbers in a `dtype` of None become int32.
    ctx : Context
        Where it is made.

    Raises
    ------
    TypeError
        If it is an mx.np array, or nothing that holds numbers.
    ValueError
        If the rows of a list differ in length.
    """
    if type(value) in (mx.nd.NDArray, mx.sym.Symbol):
        return value
    if isinstance(value, (mx.np.ndarray, mx.sym.numpy._Symbol)):
        raise TypeError(f"{name} computes with mx.nd arrays, got {what} of mx.np; pass {what}.as_nd_ndarray(), and "
                        "turn what comes back by as_np_ndarray()")
    if isinstance(value, (mx.nd.NDArray, mx.sym.Symbol)):                 # sparse arrays: MXNet says what they lack
        return value
    values = _numbers(name, what, value)
    if 0 in values.shape:
        raise ValueError(f"{name} expects {what} with at least one number on each axis, got shape {values.shape}")
    if dtype is None:
        dtype = "int32" if values.dtype.kind in "iu" else "float32"
    return mx.nd.array(values, ctx=ctx, dtype=dtype)


def _numbers(name, what, value):
    """Return a list, tuple or NumPy array as a NumPy array of numbers."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise TypeError(f"{name} expects {what} as an mx.nd array, a NumPy array or a list of numbers, got "
                        f"{type(value).__module__}.{type(value).__name__}")
    try:
        values = np.array([one.asnumpy() if isinstance(one, mx.nd.NDArray) else one for one in value]
                          if isinstance(value, (list, tuple)) else value)
    except ValueError as error:
        raise ValueError(f"{name} expects {what} whose rows are equally long, got a list whose rows differ") from error
    if values.dtype.kind not in "iufb":
        raise TypeError(f"{name} expects {what} that hold numbers, got {values.dtype}")
    return values


def as_lengths(name, valid_length, rows, ctx, what="valid_length"):
    """Return lengths as an mx.nd array (N,), in float32 from a list or NumPy array; ValueError for another shape."""
    if type(valid_length) is mx.sym.Symbol:
        return valid_length
    if isinstance(valid_length, (int, float, np.generic)):
        raise ValueError(f"{name} expects {what} of shape ({rows},), one length a row, got the number {valid_length}; "
                         f"pass [{valid_length}] * {rows} if all rows are that long")
    lengths = as_array(name, what, valid_length, "float32", ctx)
    if lengths.shape != (rows,):
        raise ValueError(f"{name} expects {what} of shape ({rows},), one length a row, got {lengths.shape}")
    return lengths


def check_lengths(name, valid_length, steps, what="valid_length", axis="T"):
    """Return `valid_length` in a dtype that can be counted with; ValueError unless whole numbers from 0 to `steps`.

    Lengths on a CPU are read, which waits until they are there, 6 microseconds where they are. Those on a GPU are not,
    for reading them would hold up the caller until the device has come so far; there a graph takes numbers below 0 and
    NaN for 0, and those above T for T.

    Parameters
    ----------
    name, what, axis : str
        Of the block, the argument, and the number of `steps`, for messages.
    valid_length : NDArray (N,)
    steps : int
        T.
    """
    dtype, values = np.dtype(valid_length.dtype), []
    if valid_length.context.device_type != "gpu":
        values = valid_length.asnumpy().tolist()
    for row, value in enumerate(values):
        if not 0 <= value <= steps or value % 1:                          # NaN compares as false
            raise ValueError(f"{name}: {what} must lie between 0 and {axis} = {steps}, in whole numbers, got {value:g} "
                             f"in row {row}")
    if dtype.name in _WIDE:
        return valid_length
    if dtype == np.float16 and steps > _FLOAT16_COUNTS_TO:
        raise ValueError(f"{name}: {what} of float16 cannot tell all lengths up to {axis} = {steps} apart; pass "
                         f"{what}.astype('float32') of lengths that were counted in float32 or int32")
    return valid_length.astype("float32")


def check_labels(name, labels, num_labels, lengths, axis):
    """Raise ValueError unless the labels within each row's length are whole numbers from 0 to `num_labels` - 1.

    Parameters
    ----------
    name : str
        Of the block, for messages.
    labels : NDArray (N, L) or (T, N), or Symbol
        Those on a GPU are not read, as in `check_lengths`; symbols have no numbers yet.
    num_labels : int
        K.
    lengths : NDArray (N,), or None for all
        What stands behind them may be anything.
    axis : {0, 1}
        That of time.
    """
    if not isinstance(labels, mx.nd.NDArray) or labels.context.device_type == "gpu":
        return
    values = labels.asnumpy() if axis else labels.asnumpy().T             # (N, L)
    wrong = ~((values >= 0) & (values < num_labels) & (values == np.floor(values)))     # NaN is wrong too
    if lengths is not None:
        wrong &= np.arange(values.shape[1]) < lengths.asnumpy()[:, None]
    if wrong.any():
        row, place = np.argwhere(wrong)[0]
        raise ValueError(f"{name}: labels must lie between 0 and {num_labels - 1}, in whole numbers, got "
                         f"{values[row, place]:g} in row {row}")


def device_of(block):
    """Return the device that a block's parameters are on, the first of several; MXNet's current one if it has none."""
    for parameter in block.collect_params().values():
        if parameter._data is not None:
            return parameter.list_ctx()[0]
    return mx.current_context()


def mismatch(name, dtype, ctx, states, valid_length=None):
    """Return a sentence on the first of the `states` of another dtype or device, or such lengths; None if all fit."""
    for index, state in enumerate(states):
        if np.dtype(state.dtype) != np.dtype(dtype):
            return (f"{name} holds {dtype}, got state {index} of {np.dtype(state.dtype).name}; cast it by astype, or "
                    "the block by cast")
        if state.context != ctx:
            return (f"{name} got inputs on {ctx} and state {index} on {state.context}; move one of them by "
                    "as_in_context")
    if valid_length is not None and valid_length.context != ctx:
        return (f"{name} got inputs on {ctx} and valid_length on {valid_length.context}; move one of them by "
                "as_in_context")
    return None
