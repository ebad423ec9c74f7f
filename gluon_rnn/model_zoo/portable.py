"""Recipes without paths of one machine: ``${data_root}`` for the folder of data, and what is read and missing there."""
import glob
import os

from omegaconf import OmegaConf

from gluon_rnn import public_data
from gluon_rnn.model_zoo.cards import TrainingData
from gluon_rnn.recipes import data_root, read_yaml

__all__ = ["data_paths", "missing_data", "portable_recipe", "training_data"]

_PLACEHOLDER = "${data_root}"
#: keys of a recipe that belong to the machine that trained
_OF_THE_MACHINE = ("output_dir", "device", "data_root")


def portable_recipe(path, root):
    """Return the YAML text of a run's effective recipe with ``${data_root}`` for the folder `root`.

    Parameters
    ----------
    path : str or Path
        ``config.yaml`` of the run.
    root : str or Path
        What ``${data_root}`` was when the run was trained.

    Raises
    ------
    ValueError
        If a value is a path that does not begin with `root`; it names file and key.
    """
    raw = OmegaConf.to_container(read_yaml(path), resolve=False)
    kept = {key: value for key, value in raw.items() if key not in _OF_THE_MACHINE}
    return OmegaConf.to_yaml(OmegaConf.create(_restored(kept, os.path.abspath(root), str(path), ())))


def _restored(value, root, source, keys):
    """Return `value`, a part of a recipe, with `root` replaced wherever a text begins with it."""
    if isinstance(value, dict):
        return {key: _restored(part, root, source, (*keys, str(key))) for key, part in value.items()}
    if isinstance(value, list):
        return [_restored(part, root, source, (*keys, str(index))) for index, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    if value.startswith(root.rstrip(os.sep) + os.sep):
        return _PLACEHOLDER + value[len(root.rstrip(os.sep)):]
    if os.path.isabs(value):
        raise ValueError(f"{source}: {'.'.join(keys)} is {value!r}, a path of one machine that is not inside the "
                         f"folder of data {root!r}; pass --data-root with the folder that the run read its data from")
    return value


def data_paths(path):
    """Return the paths and shell patterns under ``${data_root}`` that the recipe in `path` reads, without the root."""
    return sorted(set(_texts_under_root(OmegaConf.to_container(read_yaml(path), resolve=False))))


def _texts_under_root(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for part in value for text in _texts_under_root(part)]
    is_path = isinstance(value, str) and value.startswith(_PLACEHOLDER)
    return [value[len(_PLACEHOLDER):].lstrip("/")] if is_path else []


def missing_data(path):
    """Return those of `data_paths` that are not in the folder of data of this machine."""
    root = data_root()
    return [name for name in data_paths(path) if not glob.glob(os.path.join(glob.escape(root), name))]


def training_data(path, about):
    """Return the `TrainingData` of the recipe in `path`: those of `about`, else those of the public sets that it reads.

    Raises
    ------
    ValueError
        If `about` has none, and the recipe reads no public set.
    """
    if about.data is not None:
        return about.data
    names = {name: None for file in data_paths(path) for name in public_data.sets_of(file)}
    sets = [public_data.get(name) for name in names]
    if not sets:
        raise ValueError(f"{path} reads no public data set, so about.data has to say what the model was trained on: "
                         f"{', '.join(TrainingData.model_fields)}")
    return TrainingData(name="; ".join(one.title for one in sets), licence="; ".join(one.licence for one in sets),
                        source="; ".join(one.repository for one in sets), citation="; ".join(one.cite for one in sets))
