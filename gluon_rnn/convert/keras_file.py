"""Files of Keras as named arrays and what they say of the layers: ``.keras``, ``.weights.h5`` and the older ``.h5``.

All three are HDF5 inside, which h5py reads without running anything. A ``.keras`` file and an ``.h5`` of a whole model
hold the configuration of the layers too, as JSON.
"""
import dataclasses
import io
import json
import zipfile
import zlib

from gluon_rnn.answers.unpacking import check_unpacked
from gluon_rnn.convert.sources import as_array, existing, refuse_pickle

__all__ = ["Entry", "KerasFile", "read_file"]

#: layers that change neither order nor number of features of what goes through them in prediction
_TRANSPARENT = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout"}


@dataclasses.dataclass
class Entry:
    """One array: the layer it belongs to (None where its name tells), its name, and itself."""

    layer: str
    name: str
    array: object


@dataclasses.dataclass
class KerasFile:
    """What a file holds.

    Attributes
    ----------
    entries : list of Entry
    configs : dict of {str: (str, dict)}
        Class and configuration of the layers by their names; empty where the file has none.
    order : list of lists of str, or None
        Names of layers that follow each other directly; None where the file does not say.
    """

    entries: list
    configs: dict
    order: list


def read_file(source):
    """Return a `KerasFile` and how messages call it.

    Raises
    ------
    ValueError
        If the file is a pickle, of another kind, or damaged; or if an array of it lies elsewhere.
    ModuleNotFoundError
        Where h5py is not installed.
    """
    path = existing(source)
    refuse_pickle(path)
    h5py = _h5py()
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                check_unpacked(path, path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
                config = json.loads(archive.read("config.json"))
                with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                    return KerasFile(_entries(file, path.name), *_configs(config)), path.name
        if path.suffix in (".h5", ".hdf5"):
            with h5py.File(path, "r") as file:
                config = json.loads(_text(file.attrs["model_config"])) if "model_config" in file.attrs else None
                return KerasFile(_entries(file, path.name), *_configs(config)), path.name
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, json.JSONDecodeError) as error:
        raise ValueError(f"{str(path)!r} is no file of Keras's, or is damaged: {error}") from None
    raise ValueError(f"expected a .keras, .weights.h5 or .h5 file, got {str(path)!r}; or pass the arrays: "
                     "{w.path: w.numpy() for w in model.weights}")


def _h5py():
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError("reading files of Keras takes the library h5py; install gluon_rnn[convert], or pass "
                                  "the arrays: {w.path: w.numpy() for w in model.weights}", name="h5py") from None
    return h5py


def _entries(file, name):
    """Return the `Entry`s of a file; only what hard links reach, so that no other file is opened."""
    nodes = {"": file}
    file.visititems(lambda key, node: nodes.update({key: node}))
    top = "model_weights" if "model_weights" in nodes else ""
    if "layer_names" not in nodes[top].attrs:
        return [Entry(_layer_name(nodes, key), key, _read(node, name)) for key, node in nodes.items()
                if hasattr(node, "shape")]
    found = []
    for layer in _texts(nodes[top].attrs["layer_names"]):
        group = "/".join(filter(None, (top, layer)))
        found += [Entry(layer, weight, _read(nodes[f"{group}/{weight}"], name))
                  for weight in _texts(nodes[group].attrs["weight_names"])]
    return found


def _layer_name(nodes, key):
    """Return the user's name of a layer where the file tells it, else that of its group, such as ``lstm_1``."""
    parts = key.split("/")
    if len(parts) < 3 or parts[0] not in ("layers", "_layer_checkpoint_dependencies"):
        return "/".join(parts[:-2])
    told = nodes.get("/".join((*parts[:2], "vars")))
    named = told.attrs.get("name") if told is not None else None
    return parts[1] if named is None else _text(named)


def _read(dataset, file):
    if getattr(dataset, "external", None) or getattr(dataset, "is_virtual", False):
        raise ValueError(f"{dataset.name} of {file} lies in another file, which is not opened; save the model anew")
    if dataset.nbytes > 1000 * (dataset.id.get_storage_size() + 1000):
        raise ValueError(f"{dataset.name} of {file} claims {dataset.nbytes} bytes, of which "
                         f"{dataset.id.get_storage_size()} are there; the file is damaged")
    return as_array(dataset[()], dataset.name)


def _texts(values):
    return [_text(value) for value in values]


def _text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _configs(config):
    """Return {layer: (class, configuration)} of the layers of a model, and which of them follow each other directly."""
    if config is None:
        return {}, None
    listed = config["config"]
    layers = listed["layers"] if isinstance(listed, dict) else listed     # a list in the first versions
    found, runs = {}, [[]]
    for layer in layers:
        name = layer["config"].get("name", layer.get("name"))
        found[name] = layer["class_name"], layer["config"]
        if layer["class_name"] in _TRANSPARENT:
            continue
        if config["class_name"] == "Sequential":
            runs[-1].append(name)
        else:                                                             # a graph: nothing is known to be a stack
            runs.append([name])
    return found, runs
