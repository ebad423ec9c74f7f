"""The command line that trains a recipe as it is: the packaged recipe by its name, and what was changed of it."""
import json
import shlex

from omegaconf import OmegaConf

from gluon_rnn import recipes
from gluon_rnn.recipe_files import find

__all__ = ["training_command"]

_NO_SETTINGS = {"output_dir", "data_root", "device", "seed"}


def training_command(path, name):
    """Return ``gluon-rnn train NAME key=value ... seed=N``, which trains what the recipe in `path` says.

    Parameters
    ----------
    path : str or Path
        The effective recipe of a model.
    name : str
        Name of a packaged recipe, such as ``identify/gas_furnace_narx``.

    Raises
    ------
    ConfigError
        If there is no recipe of this name.
    """
    config, original = recipes.load(path), recipes.load(find(name))
    raw = _flat(OmegaConf.to_container(recipes.read_yaml(path), resolve=False))
    settings, defaults = (_flat(each.model_dump(exclude=_NO_SETTINGS)) for each in (config, original))
    changed = [key for key in sorted({*settings, *defaults}) if settings.get(key) != defaults.get(key)]
    words = [shlex.quote(f"{key}={_value(raw.get(key, settings.get(key)))}") for key in changed]
    return " ".join(["gluon-rnn train", name, *words, f"seed={config.seed}"])


def _flat(settings, prefix=""):
    """Return nested dicts as one with dotted keys."""
    flat = {}
    for key, value in settings.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat


def _value(value):
    return value if isinstance(value, str) else json.dumps(value)
