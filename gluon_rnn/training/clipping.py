"""Clipping of gradients layer by layer."""
import math
import re

import mxnet as mx
import numpy as np

__all__ = ["LayerClipping", "layer_of"]

# What a name by structure says of a parameter within its layer: "i2h_weight" of "encoder.l0.i2h_weight".
_KIND = re.compile(r"[._]?([a-z]+2[a-z]+_)?(weight|bias|gamma|beta|parameters)$")


def layer_of(name):
    """Return the layer of a parameter: its name by structure without the parameter's own part.

    Examples
    --------
    >>> [layer_of(name) for name in ("encoder.l0.i2h_weight", "encoder.l0.h2h_bias", "output_weight", "output_bias")]
    ['encoder.l0', 'encoder.l0', 'output', 'output']
    """
    return _KIND.sub("", name)


class LayerClipping:
    """Scale the gradient of each layer so that its norm is at most a limit.

    With g_l the gradient of the mean loss by all parameters of the layer l: g_l is scaled by min(1, limit / |g_l|). A
    layer whose gradient explodes then leaves the others alone, which one norm over all of them does not.

    Parameters
    ----------
    names : list of str
        The name by structure of each parameter.
    limit : float
        Largest norm.
    """

    def __init__(self, names, limit):
        self._layers, self._limit = [layer_of(name) for name in names], limit

    def __call__(self, gradients, size):
        """Scale gradients in place.

        Parameters
        ----------
        gradients : list of lists of arrays
            One list a parameter, with an equal array for each device; NumPy arrays or NDArrays.
        size : float
            The gradient of the mean loss is an array divided by this.

        Returns
        -------
        float
            The norm of all gradients of the mean loss, as they are now.
        """
        squares = _squares([arrays[0] for arrays in gradients])
        sums = dict.fromkeys(self._layers, 0.0)
        for layer, square in zip(self._layers, squares):
            sums[layer] += square
        norms = {layer: math.sqrt(total) / size for layer, total in sums.items()}
        for layer, arrays in zip(self._layers, gradients):
            if norms[layer] > self._limit:
                for array in arrays:
                    array *= self._limit / norms[layer]
        return math.sqrt(sum(min(norm, self._limit) ** 2 for norm in norms.values()))


def _squares(arrays):
    """Return sum x^2 of each array as floats, with one wait for the device."""
    if isinstance(arrays[0], np.ndarray):
        return [float(np.vdot(array, array)) for array in arrays]
    flat = [array.reshape(-1) for array in arrays]
    return mx.nd.concat(*[mx.nd.dot(array, array).astype("float32") for array in flat], dim=0).asnumpy().tolist()
