"""The packaged recipes: their names, their files, and what is in them. Nothing here loads MXNet.

The repository's folder ``configs`` is installed as ``gluon_rnn/configs``. A recipe's name is its path in there without
``.yaml``, such as ``classify/names_tdnn``. ``results.csv`` beside the recipes has their figures (`gluon_rnn.results`).
"""
import difflib
import re
from pathlib import Path, PurePath

from gluon_rnn.registry import suggest

__all__ = ["describe", "find", "folder", "names", "read_yaml", "results_file"]

_DATA = re.compile(r"\$\{data_root\}/([^\s\"'}]+)")
_SUFFIXES = (".yaml", ".yml")


def folder():
    """Return the folder of the packaged recipes: that of the installed package, or ``configs`` of a checkout.

    Raises
    ------
    ValueError
        Where the package was copied without them.
    """
    package = Path(__file__).resolve().parent
    installed, checkout = package / "configs", package.parent / "configs"
    if installed.is_dir():
        return installed
    if checkout.is_dir() and (package.parent / "setup.py").is_file():    # another package may have a folder configs
        return checkout
    raise ValueError(f"the packaged recipes are neither in {installed} nor in {checkout}; install the package "
                     "again, or pass the path of a YAML file")


def results_file():
    """Return the path of the table of figures; `gluon_rnn.results` reads and writes it."""
    return folder() / "results.csv"


def names():
    """Return the names of the packaged recipes, sorted, those without a folder first."""
    found = [path.relative_to(folder()).with_suffix("").as_posix() for path in folder().rglob("*.yaml")]
    return sorted(found, key=lambda name: ("/" in name, name))


def find(name_or_path):
    """Return the YAML file of a recipe.

    Parameters
    ----------
    name_or_path : str or Path
        The path of a file, which goes first; or of a packaged recipe its name (``classify/names_tdnn``), the last part
        of it where no other has the same (``names_tdnn``), or its path in the repository
        (``configs/classify/names_tdnn.yaml``).

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        If there is none, in one sentence with the three nearest; or if several have this last part, with their names.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    wanted, known = _name_of(path), names()
    matches = [wanted] if wanted in known else [name for name in known if PurePath(name).name == wanted]
    if len(matches) == 1:
        return folder() / f"{matches[0]}.yaml"
    from gluon_rnn.config import ConfigError  # pydantic, whose loading would double the time of a completion

    if matches:
        raise ConfigError(f"several packaged recipes are called {wanted!r}; pass one of {', '.join(matches)}")
    siblings = [str(near) for near in path.parent.glob("*.yaml")]
    near = _nearest(str(path), [*known, *siblings])
    raise ConfigError(f"there is no recipe and no file {str(path)!r}; did you mean "
                      f"{', '.join(map(repr, near[:-1]))} or {near[-1]!r}? gluon-rnn recipes lists the packaged ones")


def read_yaml(path):
    """Return the mapping in a YAML file as an OmegaConf one, nothing resolved; ConfigError where there is none."""
    from omegaconf import OmegaConf

    from gluon_rnn.config import ConfigError
    path = Path(path)
    if not path.is_file():
        siblings = [str(near) for near in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        hint = suggest(str(path), siblings) if siblings else "pass the path of a YAML file"
        raise ConfigError(f"there is no configuration file {str(path)!r}; {hint}")
    try:
        raw = OmegaConf.load(path)
    except Exception as error:  # PyYAML and OmegaConf raise a dozen unrelated kinds here; all mean the same
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not OmegaConf.is_dict(raw) or not len(raw):
        raise ConfigError(f"{path}: expected a mapping of keys to values at the top, got "
                          + (type(OmegaConf.to_container(raw)).__name__ if len(raw) else "an empty file"))
    return raw


def describe(name):
    """Return (task, data) of a packaged recipe: data is their folder below ``${data_root}``, or what generates them."""
    from omegaconf import OmegaConf
    text = (folder() / f"{name}.yaml").read_text(encoding="utf-8")
    raw = OmegaConf.create(text)
    task = raw.get("task", "language_model")
    read = _DATA.search(text)
    data = _folder_of(PurePath(read[1])) if read else f"generated: {raw.data.name}"
    return task if isinstance(task, str) else task.name, data


def _folder_of(path):
    return (path.parent if path.suffix else path).as_posix()


def _name_of(path):
    """Return the name that a path without a file would have among the packaged recipes."""
    text = path.as_posix().removeprefix("configs/")
    return text[:-len(path.suffix)] if path.suffix in _SUFFIXES else text


def _nearest(wrong, known):
    """Return the three of `known` that are spelled most like `wrong`; without a folder it is one of last parts."""
    def likeness(name):
        compared = name if "/" in wrong else PurePath(name).stem
        return difflib.SequenceMatcher(None, wrong, compared).ratio()
    return sorted(known, key=likeness, reverse=True)[:3]
