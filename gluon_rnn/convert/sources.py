"""Arrays by name from what a user has: a mapping, or a file that holds nothing but arrays. No pickle is ever opened."""
import errno
import os
import pathlib
import zipfile
import zlib
from collections.abc import Mapping

import mxnet as mx
import numpy as np

from gluon_rnn import params_file
from gluon_rnn.answers.unpacking import check_unpacked

__all__ = ["as_array", "as_prefixes", "chosen", "existing", "read_arrays", "read_params", "refuse_pickle"]

#: how files end whose reading runs the code in them, or may do so
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".pt2", ".joblib", ".mar", ".tar")
#: what NumPy and zipfile raise for a file that is no .npz, is locked, or whose bytes are not as they were written
_DAMAGED = (ValueError, OSError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
_BEGINNINGS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_arrays(source, what="a mapping of names to arrays, a .safetensors file or an .npz file"):
    """Return ``({name: numpy array}, how messages call the source)``.

    Parameters
    ----------
    source : mapping, str or path
        Arrays of NumPy, MXNet, PyTorch or TensorFlow; or a ``.safetensors`` or ``.npz`` file.
    what : str
        What is expected, for messages.

    Raises
    ------
    ValueError
        For a pickle, a file of another kind or that is damaged, and for what is no array of numbers.
    TypeError
        If the source is neither a mapping nor a path.
    ModuleNotFoundError
        If the file needs safetensors, and that is not installed.
    """
    path = _path_unless_mapping(source, what)
    if path is None:
        return _arrays_of(source), "the mapping"
    if path.suffix == ".npz":
        return _read_npz(path), path.name
    if path.suffix != ".safetensors":
        raise ValueError(f"expected {what}, got {str(path)!r}; read the file with its own library and pass the arrays")
    return _read_safetensors(path), path.name


def existing(source):
    """Return the path of a file that is there; FileNotFoundError otherwise."""
    path = pathlib.Path(source)
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path


def refuse_pickle(path):
    """Raise ValueError if a file is a pickle, by its name or by how it begins."""
    begins = path.suffix in (".safetensors", ".params") and _begins_like_a_pickle(path)
    if path.suffix.lower() not in PICKLES and not begins:
        return
    raise ValueError(f"{str(path)!r} is a pickle, which runs code when it is opened, and is not opened here; where you "
                     "trust it, write its tensors with: state = torch.load(FILE, weights_only=True); "
                     "safetensors.torch.save_file({name: tensor.clone() for name, tensor in state.items()}, "
                     "'model.safetensors')")


def _begins_like_a_pickle(path):
    with open(path, "rb") as file:
        return file.read(4).startswith(_BEGINNINGS)


def _read_npz(path):
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        check_unpacked("its arrays", path.stat().st_size, unpacked)
        with np.load(path, allow_pickle=False) as file:
            return {name: as_array(file[name], name) for name in file.files}
    except _DAMAGED as error:
        raise ValueError(f"{str(path)!r} cannot be read as .npz without pickle: {error}") from None


def _read_safetensors(path):
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        raise ModuleNotFoundError("reading .safetensors takes the library safetensors; install gluon_rnn[convert]",
                                  name="safetensors") from None
    try:
        return {name: as_array(value, name) for name, value in load_file(path).items()}
    except SafetensorError as error:
        raise ValueError(f"{str(path)!r} is no .safetensors file, or is damaged: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{str(path)!r} holds a type that NumPy lacks ({error}); write it as float32 first: "
                         "{name: tensor.float() for name, tensor in state.items()}") from None


def as_array(value, name):
    """Return an array of any library as one of NumPy; ValueError if it is none of numbers."""
    if isinstance(value, mx.nd.NDArray):
        return value.asnumpy()
    if hasattr(value, "detach"):                                          # a tensor of PyTorch, on any device
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) in ("torch.bfloat16", "torch.float16") else value
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype.name == "bfloat16":                                    # of ml_dtypes, which arithmetic lacks
        array = array.astype("float32")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of numbers, got {type(value).__name__} of {array.dtype}")
    return array


def as_prefixes(prefix):
    """Return the prefixes that a caller names, in the order of the stack; None where none is named."""
    return None if prefix is None else [prefix] if isinstance(prefix, str) else list(prefix)


def chosen(prefixes, found, name, example):
    """Return the prefixes that are meant of those that were `found`; ValueError where that is not clear.

    `example` is a name of a tensor as the message shows it.
    """
    if prefixes is None and len(found) == 1:
        return list(found)
    for prefix in prefixes or [None]:
        if prefix not in found:
            what = "of which one is meant" if found else "at all"
            what = what if prefix is None else f"with the prefix {prefix!r}"
            raise ValueError(f"{name} has no recurrent layer {what} (names such as {example}); prefixes found: "
                             f"{sorted(found) or 'none'}" + ("; pass prefix=" if found else ""))
    return prefixes


def read_params(source):
    """Return ``({name: numpy array}, how messages call the source)`` of a mapping or a ``.params`` file of MXNet.

    Prefixes ``arg:`` and ``aux:``, which files of ``export`` have, are left out.

    Raises
    ------
    ValueError
        If the file is a pickle, or no such file.
    """
    path = _path_unless_mapping(source, "a mapping of names to arrays or a .params file")
    if path is None:
        return _arrays_of(source), "the mapping"
    found = params_file.load(path)
    return {name.split(":", 1)[-1]: value.asnumpy() for name, value in found.items()}, path.name


def _arrays_of(mapping):
    return {str(name): as_array(value, name) for name, value in mapping.items()}


def _path_unless_mapping(source, what):
    """Return the path of a source that is a file and no pickle, None for a mapping; `what` was expected."""
    if isinstance(source, Mapping):
        return None
    if not isinstance(source, (str, pathlib.Path)):
        raise TypeError(f"expected {what}, got {type(source).__name__}")
    path = existing(source)
    refuse_pickle(path)
    return path
