"""All layers of a TDNN in NumPy, without gradients: the equations of `gluon_rnn.nn.tdnn` once more.

Written for speed, where it is the fastest way. A small network is nothing but overhead, of which NumPy has less than
MXNet (`gluon_rnn.nn.small_tdnn`). A wide one is nothing but products: these are made in tiles (`gluon_rnn.nn.tiles`),
and layers that see two or three evenly spaced steps need fewer of them (`gluon_rnn.nn.filtering`). In between MXNet is
as fast.

Where there is enough work, rows are dealt out to threads, each of which runs all layers for its own.
"""
import math
from collections import namedtuple

import mxnet as mx
import numpy as np

from gluon_rnn.nn import filtering, numpy_ops, small_tdnn, tiles
from gluon_rnn.nn.threads import blas_threads, even_shares, for_each, worth_having

__all__ = ["NumpyTDNN"]

# Multiplications of one product up to which a network is small, and features from which on a layer is wide.
_SMALL, _WIDE = 2**18, 256
# Multiplications from which on a wide network is worth it, and those that are worth a thread.
_MUCH, _FOR_A_THREAD = 2**27, 2**23
# Rows of one product: what belongs to it should stay in the cache.
_ROWS = 480

# of a wide network: weight (H, n * C), bias (H,); `cut` are the tiles of its matrices
_Layer = namedtuple("_Layer", "offsets weight bias cut is_filter")


class NumpyTDNN:
    """``outputs = network(inputs)`` without states, gradients or dropout: MXNet's arrays, in the block's layout.

    Parameters
    ----------
    block : gluon_rnn.nn.TDNN
        Initialised.
    """

    def __init__(self, block):
        self._block = block
        parameters = [block._reg_params[f"l{layer}_{kind}"] for layer in range(block.num_layers)
                      for kind in ("weight", "bias")]
        self._views = numpy_ops.Views(parameters)
        self._is_filter = [filtering.is_filter(offsets) and min(block.size_below(layer), size) >= _WIDE
                           for layer, (offsets, size) in enumerate(zip(block.offsets, block.hidden_sizes))]
        self._tiles = [_Tiles(*about) for about in zip(block.offsets, self._is_filter)]
        sizes = [math.prod(weight.shape) for weight in parameters[::2]]
        self._size = sum(sizes)                                           # multiplications a step and row
        self._largest = max(size // len(offsets) for size, offsets in zip(sizes, block.offsets))
        filtered = sum(size for size, is_filter in zip(sizes, self._is_filter) if is_filter)
        self._is_wide = tiles.are_fast() and 2 * filtered > self._size

    def is_fast(self, shape, ctx):
        """Return whether this is the fastest way for inputs of a `shape`, in the block's layout, on a device `ctx`."""
        return self.is_small(shape, ctx) or self._is_wide and self._is_able(ctx) and self._is_much(shape)

    def is_small(self, shape, ctx):
        """Return whether such inputs make a network of nothing but overhead, on a CPU and in float32."""
        return self._are_few(shape[0] * shape[1]) and self._is_able(ctx)

    def _are_few(self, rows):
        return rows * self._largest <= _SMALL

    def _is_able(self, ctx):
        return ctx.device_type == "cpu" and self._block._dtype == "float32"

    def _is_much(self, shape):
        # the products of MXNet have all threads, whatever the number of sequences
        work, batch = shape[0] * shape[1] * self._size, shape[self._block.layout.index("N")]
        return work >= _MUCH and worth_having(batch, work, _FOR_A_THREAD) == blas_threads()

    def __call__(self, inputs, shape, ctx):
        size = (*shape[:2], self._block.hidden_size)
        outputs = mx.nd.empty(size, ctx, self._block._dtype)
        arrays = [numpy_ops.view(inputs, shape), numpy_ops.view(outputs, size)]
        if self._block.layout == "NTC":
            arrays = [array.swapaxes(0, 1) for array in arrays]
        self._run(*arrays, self._views(ctx))
        return outputs

    def _run(self, inputs, outputs, parameters):
        """Write the `outputs` (T, N, H) for `inputs` (T, N, C)."""
        (steps, batch, _), offsets, activation = inputs.shape, self._block.offsets, self._block._activation
        weights, biases = parameters[::2], parameters[1::2]
        if self._are_few(steps * batch):                                  # too small for threads, OpenBLAS's included
            outputs[...], _ = small_tdnn.forward(list(map(small_tdnn.Layer, offsets, weights, biases)), activation,
                                                 inputs)
            return
        cut = [kept.of(weight) for kept, weight in zip(self._tiles, weights)]
        layers = list(map(_Layer, offsets, weights, biases, cut, self._is_filter))
        for_each(lambda rows: _run_wide(layers, numpy_ops.in_place(activation), inputs[:, rows], outputs[:, rows]),
                 even_shares(batch, worth_having(batch, steps * batch * self._size, _FOR_A_THREAD)))


class _Tiles:
    """The tiles of a layer's matrices, which are cut anew when its weight has changed."""

    def __init__(self, offsets, is_filter):
        self._count, self._is_filter, self._kept = len(offsets), is_filter, (None, None)

    def of(self, weight):
        """Return the tiles for a `weight` (H, n * C)."""
        before, cut = self._kept
        if before is None or not np.array_equal(before, weight):          # takes a hundredth of what the products do
            whole = filtering.matrices(weight.reshape(len(weight), self._count, -1)) if self._is_filter else [weight.T]
            cut = [tiles.cut(matrix) for matrix in whole]
            self._kept = weight.copy(), cut
        return cut


def _run_wide(layers, activate, inputs, outputs):
    """Write the `outputs` (T, N, H) of some rows of a wide network."""
    seen, inside = _room(inputs.shape, layers[0].offsets)
    inside[...] = inputs
    last = outputs if outputs.flags.c_contiguous else np.empty(outputs.shape, outputs.dtype)
    with np.errstate(over="ignore", invalid="ignore"):                    # as MXNet does: NaN says enough
        for layer, above in zip(layers, layers[1:]):
            seen_above, inside = _room((*inputs.shape[:2], len(layer.bias)), above.offsets)
            _run_layer(layer, activate, seen, inside)
            seen = seen_above
        _run_layer(layers[-1], activate, seen, last)
    if last is not outputs:
        outputs[...] = last


def _room(shape, offsets):
    """Return an array for (T, N, C) and zeros as far as `offsets` reach before and behind, and the part between."""
    past, future = max(-offsets[0], 0), max(offsets[-1], 0)
    array = np.empty((past + shape[0] + future, *shape[1:]), "float32")
    array[:past] = 0
    array[past + shape[0]:] = 0
    return array, array[past:past + shape[0]]


def _run_layer(layer, activate, seen, outputs):
    """Write the `outputs` (T, N, H) of a wide network's layer that sees `seen`, with zeros before and behind."""
    def finish(part):
        part += layer.bias
        activate(part)

    begin, done, at_once = max(-layer.offsets[0], 0), 0, max(_ROWS // outputs.shape[1], 1)
    if layer.is_filter:
        done = filtering.filtered(seen[begin + layer.offsets[0]:], layer.offsets, layer.cut, finish, outputs)
    for first in range(done, len(outputs), at_once):
        part = outputs[first:first + at_once]
        _multiply(layer, [seen[begin + first + offset:][:len(part)] for offset in layer.offsets], part)
        finish(part)


def _multiply(layer, seen, outputs):
    """Write to `outputs` (T, N, H) the product with what is `seen` at each offset, (T, N, C) each."""
    seen = [part.reshape(-1, part.shape[-1]) for part in seen]
    joined = np.concatenate(seen, axis=1) if len(seen) > 1 else seen[0]
    rows = outputs.reshape(-1, outputs.shape[-1])
    if layer.is_filter:                                                   # the few steps that filtering leaves
        np.dot(joined, layer.weight.T, out=rows)
    else:
        tiles.multiply(joined, layer.cut[0], rows)
