"""The folders of the zoo's models: finding one by its name, checking its files, reading it.

A model is the folder ``gluon_rnn/model_zoo/<name>/``: ``card.yaml``, ``recipe.yaml``, ``weights.params`` and the small
files that its task needs (vocabulary, scaler, ...). Big weights may be elsewhere: ``GLUON_RNN_REPO`` names a folder or
an http(s) address that holds them under `Entry.remote_name`.
"""
import difflib
import fnmatch
import os
from functools import cached_property
from pathlib import Path

from gluon_rnn import recipes
from gluon_rnn.data.cache import cache_folder
from gluon_rnn.fetch import address_in, fetch, sha256_of
from gluon_rnn.model_zoo.cards import read_card
from gluon_rnn.model_zoo.weights import load_weights
from gluon_rnn.registry import tasks

__all__ = ["CARD", "Entry", "FOLDER", "RECIPE", "REPOSITORY", "WEIGHTS", "find", "get", "names", "nearest",
           "remote_name"]

FOLDER = Path(__file__).parent
CARD, RECIPE, WEIGHTS = "card.yaml", "recipe.yaml", "weights.params"
#: environment variable: folder or address of weights that are not in the package
REPOSITORY = "GLUON_RNN_REPO"
_SHOWN = 3          # names that an unknown one is answered with


def names(pattern="*"):
    """Return the sorted names of the zoo's models that match a shell `pattern` such as ``"*lstm*"``; no drafts."""
    found = [path.parent.name for path in FOLDER.glob(f"[!.]*/{RECIPE}") if (path.parent / CARD).is_file()]
    return sorted(fnmatch.filter(found, pattern))


def get(name, root=None):
    """Return the `Entry` called `name`; ValueError with the nearest three names if there is none."""
    if name not in names():
        raise ValueError(f"there is no model {str(name)!r} in the zoo; {nearest(name)}")
    return Entry(FOLDER / name, root)


def find(path):
    """Return the `Entry` that `path`, which may also be that of a run, names; None where it names none.

    Something that exists at this path wins over a model of that name.
    """
    is_name = isinstance(path, str) and path in names() and not Path(path).exists()
    return get(path) if is_name else None


def nearest(name):
    """Return the hint of an error message: the names that are most like a wrong one."""
    near = difflib.get_close_matches(str(name), names(), n=_SHOWN, cutoff=0.0)
    return f"the nearest are {', '.join(near)}" if near else "it holds no models yet"


def remote_name(name, card):
    """Return the name of the file of a model's weights in a repository; see `Entry.remote_name`."""
    return f"{name}-{card.files[WEIGHTS].sha256[:8]}.params"


class Entry:
    """One model of the zoo, its files checked as they are read.

    Parameters
    ----------
    folder : Path
    root : str or Path, optional
        Where weights go that are not in the package; default ``models`` in the cache folder
        (`gluon_rnn.data.cache.cache_folder`).

    Attributes
    ----------
    name : str
    card : gluon_rnn.model_zoo.cards.Card
    position : dict
        Empty; a checkpoint has its epoch here.
    """

    position = {}

    def __init__(self, folder, root=None):
        self.folder, self.name = Path(folder), Path(folder).name
        self.root = cache_folder() / "models" if root is None else Path(root).expanduser()

    @cached_property
    def card(self):
        """What the model is for, what it was trained on and what it reaches."""
        return read_card(self.folder / CARD)

    @property
    def config(self):
        """The recipe, checked, ``${data_root}`` filled in: a `gluon_rnn.config.Config`."""
        return recipes.load(self.checked(RECIPE))

    @property
    def predictor_class(self):
        """What answers with the model."""
        return tasks.get(self.card.task).predictor_class

    def read(self, name):
        """Return the text of one of the small files."""
        return self.checked(name).read_text(encoding="utf-8")

    def checked(self, name):
        """Return the path of a file of the folder; ValueError where it is missing, or not the one of the card."""
        path = self.folder / name
        if name not in self.card.files or not path.is_file():
            raise ValueError(f"{path} is missing; install the package again, or make the model anew with gluon-rnn zoo "
                             "add")
        found, expected = sha256_of(path), self.card.files[name].sha256
        if found != expected:
            raise ValueError(f"{path} has the SHA-256 {found}, and the card says {expected}: it is damaged or another "
                             "one; install the package again, or make the model anew with gluon-rnn zoo add")
        return path

    # ---- weights ---------------------------------------------------------------------------------------------------

    @property
    def remote_name(self):
        """Name of the file of weights outside the package, with the beginning of its hash: it changes with them."""
        return remote_name(self.name, self.card)

    @property
    def has_weights(self):
        """Whether the weights are here, or an address is known to fetch them from."""
        here = (self.folder / WEIGHTS).is_file() or (self.root / self.remote_name).is_file()
        return here or bool(os.environ.get(REPOSITORY))

    def weights(self):
        """Return the path of the weights, checked, from the package, the cache or ``GLUON_RNN_REPO``.

        Raises
        ------
        ValueError
            If they have not the hash of the card, or are not here and cannot be fetched.
        """
        if (self.folder / WEIGHTS).is_file():
            return self.checked(WEIGHTS)
        target, file = self.root / self.remote_name, self.card.files[WEIGHTS]
        repository = os.environ.get(REPOSITORY)
        if not repository and not target.is_file():
            raise ValueError(f"the weights of {self.name} are not in the package; set {REPOSITORY} to the folder or "
                             f"address that holds {self.remote_name}, or put the file into {self.root}")
        return fetch(address_in(repository or self.root, self.remote_name), target, sha256=file.sha256, size=file.bytes)

    def load_parameters(self, model, ctx=None):
        """Load the weights into a `model`, on the CPU by default."""
        load_weights(self.weights(), model, ctx)
