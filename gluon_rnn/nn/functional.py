"""Operations on whole sequences (T, N, C) that several blocks need: lengths, concatenation, embeddings.

The fused operator ignores its own `use_sequence_length` on CPU, so lengths are handled around it, here.

``F.concat`` hands arrays of two and of four dimensions to oneDNN. All others it copies number by number, backward too:
ten to twenty times slower, as slow as the matrix products around it. `concat` therefore adds an axis of size 1 in
front. Along the first axis it is the other way round: there MXNet copies each array in one piece, and oneDNN takes two
to ten times as long.

Lengths are not checked by MXNet's operators: one above T or below 0 makes them read and write memory that is not
theirs. Whatever takes lengths from outside therefore passes them through `clamped` once, before any of the others.
"""
import contextlib
import threading

import numpy as np

from gluon_rnn.nn.interchange import is_interchange_form

__all__ = ["clamp", "clamped", "trusted", "is_trusted", "mask", "reverse", "reversal_indices", "steps_at",
           "last_valid", "padding_mask", "concat", "concat_vectors", "embed", "drop_between"]

_trusted = threading.local()


def clamp(F, valid_length, sequence, axis=0):
    """Return lengths (N,) of float32, none below 0 or above the T steps of `sequence`; NaN becomes 0.

    In a symbol T stays free: it is read off the sequence at each call. `axis` is that of time.
    """
    if isinstance(valid_length, np.ndarray):                              # a loop in NumPy
        return np.clip(np.nan_to_num(valid_length), 0, sequence.shape[axis]).astype("float32")
    lengths = F.cast(valid_length, dtype="float32")                       # small integers could not hold T
    if hasattr(sequence, "shape"):
        lengths = F.minimum(lengths, sequence.shape[axis])
    else:
        steps = F.slice_axis(F.shape_array(sequence), axis=0, begin=axis, end=axis + 1)
        lengths = F.broadcast_minimum(lengths, F.cast(steps, dtype="float32"))
    if is_interchange_form(F):                                            # whose operators refuse NaN
        return F.maximum(lengths, 0)
    return F.where(lengths > 0, lengths, F.zeros_like(lengths))           # NaN passes through minimum and maximum


@contextlib.contextmanager
def clamped(F, valid_length, sequence, axis=0):
    """Return a context with what `clamp` makes of the lengths, or those themselves where they are `trusted` already.

    Inside, the blocks that these lengths are passed on to, with as many steps, do not clamp them again.
    """
    if is_trusted(valid_length, sequence, axis):
        yield valid_length
        return
    lengths = clamp(F, valid_length, sequence, axis)
    with trusted(lengths, sequence, axis):
        yield lengths


@contextlib.contextmanager
def trusted(valid_length, sequence, axis=0):
    """Return a context in which these lengths, being this object, are known to lie between 0 and T of `sequence`."""
    before = getattr(_trusted, "now", None)
    _trusted.now = valid_length, _steps(sequence, axis)
    try:
        yield
    finally:
        _trusted.now = before


def is_trusted(valid_length, sequence, axis=0):
    """Return whether this thread is inside `trusted` with these lengths and as many steps."""
    now = getattr(_trusted, "now", None)
    return now is not None and now[0] is valid_length and now[1] == _steps(sequence, axis)


def _steps(sequence, axis):
    """Return T of an array, None for a symbol."""
    return sequence.shape[axis] if hasattr(sequence, "shape") else None


def mask(F, sequence, valid_length):
    """Return `sequence` (T, N, C) with zeros past each row's length; NaN there is replaced, not multiplied."""
    return F.SequenceMask(sequence, sequence_length=valid_length, use_sequence_length=True, value=0)


def reverse(F, sequence, indices):
    """Return `sequence` (T, N, C) with the valid steps of each row in reverse order, the padding left behind them.

    A row of length 3 in T = 5: ``a b c . .`` becomes ``c b a . .``. `indices` is what `reversal_indices` returns. The
    same numbers as ``F.SequenceReverse``, which moves them one by one, in five to ten times the time.
    """
    if is_interchange_form(F):
        return F.SequenceReverse(sequence, sequence_length=indices, use_sequence_length=True)
    return _rows(F, sequence, indices)


def reversal_indices(F, sequence, valid_length):
    """Return where `reverse` finds each step of a `sequence` (T, N, C) among its rows t * N + n: (T, N) of int32.

    In `interchange_form` the lengths themselves, since other frameworks' operators are fast.
    """
    if is_interchange_form(F):
        return valid_length
    rows = F.BlockGrad(F.reshape(F.slice_axis(sequence, axis=2, begin=0, end=1), shape=(0, 0)))
    numbers = F.contrib.arange_like(F.cast(rows, dtype="int32"))          # float32 could not count beyond 2**24
    return F.SequenceReverse(numbers, sequence_length=valid_length, use_sequence_length=True)


def steps_at(F, sequence, places):
    """Return M steps of a `sequence` (T, N, C) as (M, C): t and n of each in `places`, (2, M) int32."""
    batch_size = F.cast(F.slice_axis(F.shape_array(sequence), axis=0, begin=1, end=2), dtype="int32")
    step, row = (F.reshape(F.slice_axis(places, axis=0, begin=i, end=i + 1), shape=(-1,)) for i in (0, 1))
    return _rows(F, sequence, F.broadcast_add(F.broadcast_mul(step, batch_size), row))


def _rows(F, sequence, numbers):
    """Return the rows of `sequence` (T, N, C), counted as t * N + n, that `numbers` (...) name: (..., C).

    ``F.gather_nd`` is one operator for it, but backward it adds up number by number. ``F.take`` adds up whole rows,
    five to ten times as fast.
    """
    # BlockGrad: the backward pass of take fails where it is asked for numbers alone, of a sequence without a gradient.
    return F.take(F.reshape(sequence, shape=(-3, 0)), F.BlockGrad(numbers))


def last_valid(F, sequence, valid_length, begin):
    """Return each row's last valid step of `sequence` (T, N, C) as (N, C), and `begin` (N, C) where a row is empty."""
    step = F.SequenceLast(sequence, sequence_length=F.maximum(valid_length, 1), use_sequence_length=True)
    return F.where(F.broadcast_like(F.expand_dims(valid_length, axis=1), step) > 0, step, begin)


def last_like(F, sequence, shorter):
    """Return the last steps of a sequence (T, ...), as many as `shorter` (T', ...) has; T' is not known in a graph."""
    return F.reverse(F.slice_like(F.reverse(sequence, axis=0), shorter, axes=(0,)), axis=0)


def padding_mask(F, sequence, valid_length):
    """Return (T, N, 1): 1 on padding, 0 on valid steps."""
    ones = F.ones_like(F.slice_axis(sequence, axis=2, begin=0, end=1))
    return 1 - mask(F, ones, valid_length)


def concat(F, *parts, dim=2):
    """Return arrays of three dimensions, such as (T, N, C_i), concatenated along axis `dim`: features by default.

    The same numbers as ``F.concat(*parts, dim=dim)``.
    """
    if dim == 0 or is_interchange_form(F):
        return F.concat(*parts, dim=dim)
    result = F.concat(*(F.expand_dims(part, axis=0) for part in parts), dim=dim + 1)
    return F.squeeze(result, axis=0)


def concat_vectors(F, *parts):
    """Return vectors (n_i,) as one: the same numbers as ``F.concat(*parts, dim=0)``."""
    result = F.concat(*(F.expand_dims(part, axis=0) for part in parts), dim=1)
    return F.reshape(result, shape=(-1,))


def embed(F, ids, table, drop_e=0.0):
    """Return the rows (..., E) of `table` (V, E) that `ids` (...) name.

    With `drop_e` > 0 so large a share of the rows is zero in a call of training, wherever they are looked up, and the
    others are larger by 1 / (1 - drop_e): Gal and Ghahramani (2016), dropout of whole words. The numbers are those of
    dropout on the table, but only the rows that are needed are touched, forward and backward.
    """
    rows = F.take(table, ids)
    if not drop_e:
        return rows
    ones = F.ones_like(F.slice_axis(table, axis=1, begin=0, end=1))
    kept = F.broadcast_like(F.take(F.Dropout(ones, p=drop_e), ids), rows)
    return rows * F.BlockGrad(kept)                                       # broadcast_mul would sum over E, for nothing


def drop_between(F, outputs, dropout, drop_h):
    """Return the outputs (T, N, H) of a layer behind the dropout in front of the next one; rates of 0 add nothing.

    `dropout` is drawn anew at each step, `drop_h` once for all steps.
    """
    if dropout:
        outputs = F.Dropout(outputs, p=dropout)
    if drop_h:
        outputs = F.Dropout(outputs, p=drop_h, axes=(0,))
    return outputs
