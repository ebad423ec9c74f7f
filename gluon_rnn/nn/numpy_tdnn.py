"""All layers of a TDNN in NumPy, without gradients: the equations of `gluon_rnn.nn.tdnn` once more.

Written for speed, where it is the fastest way. A small network is nothing but overhead, of which NumPy has less than
MXNet. A wide one is nothing but products: these are made in tiles (`gluon_rnn.nn.tiles`), and layers that see two or
three evenly spaced steps need fewer of them (`gluon_rnn.nn.filtering`). In between MXNet is as fast.

Where there is enough work, rows are dealt out to threads, each of which runs all layers for its own.
"""
import math
from collections import namedtuple

import mxnet as mx
import numpy as np

from gluon_rnn.nn import filtering, numpy_ops, tiles
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

    def is_fast(self, inputs):
        """Return whether this is the fastest way for `inputs`, an array of MXNet's."""
        first, second, _ = inputs.shape
        if inputs.context.device_type != "cpu" or self._block._dtype != "float32":
            return False
        return self._is_small(first * second) or self._is_wide and self._is_much(
            first * second * self._size, first if self._block.layout == "NTC" else second)

    def _is_small(self, rows):
        return rows * self._largest <= _SMALL

    def _is_much(self, work, batch):
        # the products of MXNet have all threads, whatever the number of sequences
        return work >= _MUCH and worth_having(batch, work, _FOR_A_THREAD) == blas_threads()

    def __call__(self, inputs):
        ctx, block = inputs.context, self._block
        outputs = mx.nd.empty((*inputs.shape[:2], block.hidden_size), ctx, block._dtype)
        arrays = [numpy_ops.view(inputs), numpy_ops.view(outputs)]
        if block.layout == "NTC":
            arrays = [array.swapaxes(0, 1) for array in arrays]
        self._run(*arrays, self._views(ctx))
        return outputs

    def _run(self, inputs, outputs, parameters):
        """Write the `outputs` (T, N, H) for `inputs` (T, N, C)."""
        steps, batch = inputs.shape[:2]
        activate, weights, biases = numpy_ops.in_place(self._block._activation), parameters[::2], parameters[1::2]
        if self._is_small(steps * batch):                                 # too small for threads, OpenBLAS's included
            _run_small(list(zip(self._block.offsets, weights, biases)), activate, inputs, outputs)
            return
        cut = [kept.of(weight) for kept, weight in zip(self._tiles, weights)]
        layers = list(map(_Layer, self._block.offsets, weights, biases, cut, self._is_filter))
        for_each(lambda rows: _run_wide(layers, activate, inputs[:, rows], outputs[:, rows]),
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


def _run_small(layers, activate, inputs, outputs):
    """Write the `outputs` (T, N, H) of a small network; `layers` are their offsets, weights and biases."""
    values = np.ascontiguousarray(inputs)
    for offsets, weight, bias in layers:
        below, values = values, np.empty((*inputs.shape[:2], len(bias)), inputs.dtype)
        values[0] = bias                                                  # faster than all steps at once: longer rows
        values[1:] = values[0]
        _add_products(below, offsets, weight, values)
        with np.errstate(over="ignore"):                                  # exp of a large number, for a sigmoid of 0
            activate(values)
    outputs[...] = values


def _add_products(below, offsets, weight, outputs):
    """Add to `outputs` (T, N, H) the products of a `weight` (H, n * C) with `below` (T, N, C), seen at n offsets.

    To lay what a layer sees side by side takes longer where it is a few numbers a step.
    """
    (steps, batch, size), rows = below.shape, outputs.reshape(-1, len(weight))
    below = below.reshape(-1, size)
    for place, offset in enumerate(offsets):
        begin, end = max(-offset, 0) * batch, min(steps - offset, steps) * batch
        if begin < end:
            rows[begin:end] += below[begin + offset * batch:end + offset * batch].dot(
                weight[:, place * size:(place + 1) * size].T)


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
