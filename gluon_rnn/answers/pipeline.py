"""What a pipeline is: networks, and what turns a user's items into arrays and outputs into answers."""
from gluon_rnn.registry import suggest

__all__ = ["Pipeline", "batches_of", "one_line"]


class Pipeline:
    """Base class: a subclass sets the attributes, and writes `predict`, `stream`, `answer`, `stream_answers`, or some.

    Parameters
    ----------
    networks : dict of str to Network, or to a list of them
        See `network_names`; a list is an ensemble.
    assets
        Of `assets_class`, or with the same attributes.
    options : dict, optional
        See `option_names`.

    Attributes
    ----------
    task : str
        Name of the task.
    assets_class : type
        What the task needs besides networks: ``from_texts(read)`` reads it from the text of its files.
    network_names : tuple of str
        The networks that the task needs.
    option_names : tuple of str
        The options that it takes.

    Raises
    ------
    ValueError
        If a network is missing, or an option is none of these.
    """

    task = None
    assets_class = None
    network_names = ("model",)
    option_names = ()

    def __init__(self, networks, assets, options=None):
        self.networks = {name: self.networks_of(networks, name) for name in self.network_names}
        self.assets, self.options = assets, self.checked_options(dict(options or {}))

    @classmethod
    def open(cls, networks, read, options):
        """Return the pipeline; arguments as those of `gluon_rnn.answers.open_pipeline`."""
        return cls(networks, cls.assets_class.from_texts(read), options)

    @classmethod
    def networks_of(cls, networks, name="model"):
        """Return the networks called `name`, a list: one, or those of an ensemble; ValueError where there are none."""
        found = networks.get(name, ())
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        if not found:
            raise ValueError(f"the task {cls.task!r} needs the network {name!r}, got {', '.join(networks) or 'none'}")
        return found

    @classmethod
    def checked_options(cls, options):
        """Return `options`; ValueError for a key that the task does not have."""
        for key in options:
            if key not in cls.option_names:
                raise ValueError(f"a pipeline of the task {cls.task!r} has no option {key!r}; "
                                 + (suggest(key, cls.option_names) if cls.option_names else "it takes none"))
        return options

    @property
    def models(self):
        """The networks called "model", a list: one, or those of an ensemble."""
        return self.networks["model"]

    def predict(self, *inputs, **options):
        """Apply the networks to something new."""
        raise ValueError(f"a model of the task {self.task!r} has no predict")

    def stream(self, steps):
        """Yield an answer after each of `steps`, an iterable, from states that are carried from one to the next."""
        raise ValueError(f"a model of the task {self.task!r} does not answer step by step; use predict")

    def answer(self, item, folder=None, number=1):
        """Return the answer to `item`, a line that a user types or the path of a file, as text.

        Parameters
        ----------
        item : str
        folder : Path, optional
            Where a picture, a tune and the like go; made when there is something to write. None writes nothing.
        number : int
            Of the item, for the names of such files.
        """
        raise ValueError(f"a model of the task {self.task!r} does not answer line by line; call its predict")

    def answer_line(self, item, folder=None, number=1):
        """Return what `answer` does as one line: its line ends are written ``\\n``, and then ``\\`` as ``\\\\``."""
        return one_line(self.answer(item, folder, number))

    def stream_answers(self, item):
        """Yield the answer, as text, to each step of `item`, before the next step is read."""
        raise ValueError(f"a model of the task {self.task!r} does not answer step by step; leave --stream out")


def one_line(text):
    """Return text without line ends: each is written as a backslash and n, and then a backslash as two.

    >>> print(one_line("a"), one_line("a\\nb"))
    a a\\nb
    """
    if not any(end in text for end in "\r\n"):
        return text
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def batches_of(items, batch_size):
    """Yield `items`, a list, in lists of at most `batch_size`, in order.

    >>> list(batches_of([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(items), batch_size):
        yield items[start:start + batch_size]
