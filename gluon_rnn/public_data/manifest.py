"""The manifest of public data sets, ``manifest.yaml``, and the folder that they stand in."""
import fnmatch
import functools
import os
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import yaml

from gluon_rnn.registry import suggest

__all__ = ["DataFile", "DataSet", "all_sets", "data_root", "get", "readers", "sets_of"]

_RAW = "https://raw.githubusercontent.com"
_BELOW_ROOT = re.compile(r"\$\{data_root\}/([^\s\"'},]+)")


def data_root():
    """Return the folder that ``${data_root}`` stands for: ``GLUON_RNN_DATA``, or a folder of this user."""
    chosen = os.environ.get("GLUON_RNN_DATA")
    return chosen or str(Path.home() / ".local" / "share" / "gluon_rnn")


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    Attributes
    ----------
    path : str
        Where it stands below the data root, parts joined by ``/``; in a mirror (``GLUON_RNN_DATA_REPO``) as well.
    address : str
        Where it, or what it is made from, is public.
    size, sha256 : int, str
        Bytes of its content and their SHA-256 (`gluon_rnn.public_data.content`).
    prepare : dict
        ``step``, the name of a function in `gluon_rnn.public_data.prepare`, and its arguments; empty for a file that is
        what the address gives.
    """

    path: str
    address: str
    size: int
    sha256: str
    prepare: dict = field(default_factory=dict)

    def below(self, root):
        """Return where it stands below the folder `root`."""
        return Path(root).expanduser() / self.path


@dataclass(frozen=True)
class DataSet:
    """A set of the manifest: what it is, its licence, how to cite it, the GitHub repository it is in, and its files."""

    name: str
    title: str
    licence: str
    cite: str
    repository: str
    files: tuple
    note: str = ""

    @property
    def size(self):
        """Bytes of the content of all files."""
        return sum(file.size for file in self.files)

    @property
    def folder(self):
        """The folder below the data root that its files stand in."""
        return PurePosixPath(self.files[0].path).parent.as_posix()


@functools.cache
def all_sets():
    """Return {name: `DataSet`} of the manifest, in its order."""
    text = Path(__file__).with_name("manifest.yaml").read_text(encoding="utf-8")
    return {name: _read(name, **entry) for name, entry in yaml.safe_load(text).items()}


def get(name):
    """Return the `DataSet` of this name; ValueError with the nearest name where there is none."""
    if name not in all_sets():
        raise ValueError(f"there is no data set {name!r}; {suggest(name, list(all_sets()))}")
    return all_sets()[name]


def sets_of(path):
    """Return the names of the sets that have files at `path`.

    Parameters
    ----------
    path : str or Path
        Below the data root, parts joined by ``/``: a file, a folder or a pattern such as ``names/*.txt``.
    """
    path = str(path)
    return [name for name, entry in all_sets().items()
            if any(fnmatch.fnmatchcase(file.path, path) or file.path.startswith(f"{path}/") for file in entry.files)]


def readers(folder):
    """Return {name of a set: sorted recipes below `folder` that read it}, named by their paths without ``.yaml``."""
    found = {name: [] for name in all_sets()}
    for recipe in sorted(Path(folder).rglob("*.yaml")):
        paths = _BELOW_ROOT.findall(recipe.read_text(encoding="utf-8"))
        for name in dict.fromkeys(name for path in paths for name in sets_of(path)):
            found[name].append(recipe.relative_to(folder).with_suffix("").as_posix())
    return found


def _read(name, repository, commit, files, folder="", **entry):
    base = "/".join(filter(None, (repository, commit, folder)))
    return DataSet(name=name, repository=repository, files=tuple(_file(base, **file) for file in files), **entry)


def _file(base, source=None, address=None, **entry):
    return DataFile(address=address or f"{_RAW}/{urllib.parse.quote(f'{base}/{source}')}", **entry)
