"""Matrix products in tiles, each small enough for the kernels of OpenBLAS that read their matrices where they stand.

For processors with AVX-512 OpenBLAS has such kernels, for products of up to a million multiplications. A larger product
first has its matrices copied into an order of OpenBLAS's own, which at a few hundred rows costs a tenth to a fifth of
the time. ``np.matmul`` on a stack of matrices goes through all its small products in one call, without Python between
them (docs/performance.md).
"""
import functools

import numpy as np
import threadpoolctl

__all__ = ["are_fast", "cut", "multiply"]

# Columns of a tile.
_WIDTH = 32
# Multiplications of a product up to which OpenBLAS needs no copies.
_SMALL = 10**6
# OpenBLAS's names of the processors that it has such kernels for.
_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")


@functools.cache
def are_fast():
    """Return whether NumPy's BLAS has such kernels for this processor."""
    libraries = threadpoolctl.ThreadpoolController().select(internal_api="openblas").lib_controllers
    return any(getattr(library, "architecture", None) in _KERNELS for library in libraries)


def cut(matrix):
    """Return a `matrix` (K, H) as tiles side by side, (J, K, 32), the last one filled up with zeros."""
    tiles = np.zeros((-(-matrix.shape[1] // _WIDTH), len(matrix), _WIDTH), matrix.dtype)
    for tile, begin in zip(tiles, range(0, matrix.shape[1], _WIDTH)):
        columns = matrix[:, begin:begin + _WIDTH]
        tile[:, :columns.shape[1]] = columns
    return tiles


def multiply(rows, tiles, out):
    """Write the product of `rows` (M, K) and the matrix (K, H) that was cut into `tiles` to `out` (M, H).

    All three of one dtype; the last axis of `out` is in one piece, and rows are as far apart as they like.
    """
    size, columns = rows.shape[1], out.shape[1]
    at_once = max(_SMALL // (size * _WIDTH), 1)
    whole, full = len(rows) - len(rows) % at_once, columns - columns % _WIDTH
    if full:
        tall, wide = tiles[:full // _WIDTH], out[:, :full].reshape(len(rows), -1, _WIDTH)        # (M, J, _WIDTH)
        blocks = wide[:whole].reshape(-1, at_once, *wide.shape[1:])
        np.matmul(rows[:whole].reshape(-1, at_once, size), tall[:, None], out=blocks.transpose(2, 0, 1, 3))
        np.matmul(rows[whole:], tall, out=wide[whole:].swapaxes(0, 1))
    if full < columns:
        np.matmul(rows, tiles[-1, :, :columns - full], out=out[:, full:])
