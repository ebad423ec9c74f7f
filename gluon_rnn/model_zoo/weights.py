"""Files of weights, in MXNet's own format: no pickle, and any Gluon network of the same shapes loads them.

``block.load_parameters(file, cast_dtype=True)`` reads a file of either storage type into a network of float32.
Parameters that are shared, such as tied embeddings, stand in it once.
"""
import os
from pathlib import Path

import mxnet as mx
import numpy as np

__all__ = ["load_weights", "save_weights"]


def save_weights(path, model, dtype):
    """Write the parameters of a `model`, whole or not at all.

    Parameters
    ----------
    path : str or Path
    model : HybridBlock
    dtype : {"float32", "float16"}
        float16 is for storage only, and for values of float32; others keep their type.

    Returns
    -------
    bool
        False, and no file, if a value is out of the range of float16.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    model.save_parameters(str(partial), deduplicate=True)
    try:
        if dtype == "float16":
            arrays = {name: _in_half(array) for name, array in mx.nd.load(str(partial)).items()}
            if not all(np.isfinite(array.asnumpy()).all() for array in arrays.values()):
                return False
            mx.nd.save(str(partial), arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return True


def _in_half(array):
    return array.astype("float16") if array.dtype == np.float32 else array


def load_weights(path, model, ctx=None):
    """Load a file of `save_weights` into a `model`, whose parameters are of float32 afterwards.

    Parameters
    ----------
    path : str or Path
    model : HybridBlock
    ctx : mxnet.Context or list of them, optional
        The CPU by default.
    """
    model.load_parameters(str(path), ctx=ctx or mx.cpu(), cast_dtype=True)
