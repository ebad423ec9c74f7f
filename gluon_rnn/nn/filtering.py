r"""Minimal filtering: two outputs of a layer that sees two or three evenly spaced steps, by fewer products.

Outputs y_0 and y_1 that are as far apart as two such steps see x_0, x_1, x_2 (and x_3), most of them twice. In place of
four products three are enough, and four in place of six:

    F(2, 2):  a = W_0 (x_0 - x_1),  b = (W_0 + W_1) x_1,  c = W_1 (x_2 - x_1);    y_0 = a + b,  y_1 = b + c
    F(2, 3):  a = W_0 (x_0 - x_2),  b = (W_0 + W_1 + W_2) / 2 (x_1 + x_2),  c = (W_0 - W_1 + W_2) / 2 (x_2 - x_1),
              d = W_2 (x_3 - x_1);    y_0 = a + b + c,  y_1 = b - c + d

References
----------
Winograd (1980), Arithmetic Complexity of Computations.
Lavin and Gray (2016), Fast Algorithms for Convolutional Neural Networks, equations 5 to 7: F(2, 3) with these points.
"""
import numpy as np
from numpy.lib.stride_tricks import as_strided

from gluon_rnn.nn import tiles

__all__ = ["filtered", "is_filter", "matrices"]

# Rows of one product: what belongs to it should stay in the cache.
_ROWS = 480


def is_filter(offsets):
    """Return whether a layer that sees these `offsets`, in ascending order, can be computed so."""
    return len(offsets) in _FORMS and len(set(np.diff(offsets))) == 1


def matrices(weight):
    """Return the matrices (C, H) that stand in the products, for a `weight` (H, n, C) of n offsets."""
    first, middle, *last = weight.transpose(1, 2, 0)
    if not last:
        return [first, first + middle, middle]
    outer = first + last[0]
    return [first, (outer + middle) / 2, (outer - middle) / 2, last[0]]


def filtered(seen, offsets, cut, finish, outputs):
    """Write the first outputs (T, N, H), and return for how many steps.

    Parameters
    ----------
    seen : (T + span, N, C) array
        From the first step that the first output sees to the last one that the last output does.
    offsets : tuple of int
        An `is_filter`.
    cut : list of (J, C, W) arrays
        `matrices` in tiles.
    finish : callable
        Adds the bias to outputs, (T', N, H), and applies the activation.
    outputs : (T, N, H) array
    """
    gap = offsets[1] - offsets[0]
    groups, at_once = len(outputs) // (2 * gap), max(_ROWS // (gap * outputs.shape[1]), 1)
    for begin in range(0, groups, at_once):
        number = min(at_once, groups - begin)
        steps = slice(2 * gap * begin, 2 * gap * (begin + number))
        _write(_inputs(seen[steps.start:], gap, number, len(offsets) + 1), cut,
               outputs[steps].reshape(number, 2, gap, *outputs.shape[1:]).swapaxes(0, 1))
        finish(outputs[steps])
    return 2 * gap * groups


def _inputs(seen, gap, groups, count):
    """Return x_0, x_1, ...: views (groups, gap, N, C) of `seen`, which overlap."""
    strides = (2 * gap * seen.strides[0], *seen.strides)
    return [as_strided(seen[place * gap:], (groups, gap, *seen.shape[1:]), strides) for place in range(count)]


def _write(x, cut, y):
    """Write the outputs `y` (2, groups, gap, N, H) for the inputs `x`."""
    combine, add_up = _FORMS[len(x) - 1]
    sums = np.empty((len(x), *x[0].shape), y.dtype)
    products = np.empty((len(x), *y.shape[1:]), y.dtype)
    combine(x, sums)
    for rows, matrix, product in zip(sums, cut, products):
        tiles.multiply(rows.reshape(-1, rows.shape[-1]), matrix, product.reshape(-1, product.shape[-1]))
    add_up(products, y)


def _combine_three(x, sums):
    np.subtract(x[0], x[1], out=sums[0])
    sums[1] = x[1]
    np.subtract(x[2], x[1], out=sums[2])


def _add_up_three(products, y):
    a, b, c = products
    np.add(a, b, out=y[0])
    np.add(b, c, out=y[1])


def _combine_four(x, sums):
    np.subtract(x[0], x[2], out=sums[0])
    np.add(x[1], x[2], out=sums[1])
    np.subtract(x[2], x[1], out=sums[2])
    np.subtract(x[3], x[1], out=sums[3])


def _add_up_four(products, y):
    a, b, c, d = products
    a += c
    np.add(a, b, out=y[0])
    d -= c
    np.add(b, d, out=y[1])


# For so many offsets: what is multiplied, and how outputs follow from the products.
_FORMS = {2: (_combine_three, _add_up_three), 3: (_combine_four, _add_up_four)}
