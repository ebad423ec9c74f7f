"""What a pipeline is: networks, and what turns a user's items into arrays and outputs into answers."""
from gluon_rnn.registry import suggest

__all__ = ["Pipeline"]


class Pipeline:
    """Base class: a subclass writes `open`, and of `predict`, `stream`, `answer`, `stream_answers` what its task has.

    Attributes
    ----------
    task : str
        Name of the task.
    network_names : tuple of str
        The networks that `open` takes.
    option_names : tuple of str
        The keys that `open` takes as options.
    """

    task = None
    network_names = ("model",)
    option_names = ()

    @classmethod
    def open(cls, networks, read, options):
        """Return the pipeline; arguments as those of `gluon_rnn.answers.open_pipeline`."""
        raise NotImplementedError(f"{cls.__name__} must define open()")

    @classmethod
    def networks_of(cls, networks, name="model"):
        """Return the networks called `name`, a list: one, or those of an ensemble; ValueError where there are none."""
        if name not in networks:
            raise ValueError(f"the task {cls.task!r} needs the network {name!r}, got {', '.join(networks) or 'none'}")
        found = networks[name]
        return list(found) if isinstance(found, (list, tuple)) else [found]

    @classmethod
    def checked_options(cls, options):
        """Return `options`; ValueError for a key that the task does not have."""
        for key in options:
            if key not in cls.option_names:
                raise ValueError(f"a pipeline of the task {cls.task!r} has no option {key!r}; "
                                 f"{suggest(key, cls.option_names)}")
        return options

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

    def stream_answers(self, item):
        """Yield the answer, as text, to each step of `item`, before the next step is read."""
        raise ValueError(f"a model of the task {self.task!r} does not answer step by step; leave --stream out")
